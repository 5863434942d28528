#!/usr/bin/env python3
"""greta-bench beside llama.cpp's llama-bench: run by run, taking turns, the same file, the same threads, the same tests.

Prints medians, and the medians of the ratios between neighbours in time. Exit status 0 when all was measured. Where taking turns does
not matter, greta-bench --against compares with what llama-bench -o json has written.
"""
import argparse
import json
import statistics
import subprocess
import sys


def run(command, options):
    """The rows of one run, by test: both tools write the same fields."""
    command = [*command, "-p", str(options.prompt), "-n", str(options.generate), "-d", options.depth, "-r", "1", "-o", "jsonl"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{command[0]}: {(done.stderr.strip().splitlines() or ['failed without a word'])[-1]}")
    rows = map(json.loads, done.stdout.splitlines())
    return {(row["n_prompt"], row["n_gen"], row["n_depth"]): row for row in rows}


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def name(test):
    prompt, generated, depth = test
    return (f"prefill {prompt}" if prompt else f"decode {generated}") + (f" @ d{depth}" if depth else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("llama_bench")
    parser.add_argument("model")
    parser.add_argument("--greta-bench", default="build/bench/greta-bench")
    parser.add_argument("--kernels", default="auto")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--activations", nargs="+", default=["x32", "x16"])
    parser.add_argument("-p", "--prompt", type=int, default=64)
    parser.add_argument("-n", "--generate", type=int, default=64)
    parser.add_argument("-d", "--depth", default="0")
    parser.add_argument("-r", "--runs", type=int, default=5)
    parser.add_argument("--llama-options", nargs=argparse.REMAINDER, default=[], help="the rest of the line goes to llama-bench")
    options = parser.parse_args()

    print("| threads | test | llama.cpp tok/s | activations | tok/s | ratio | of the read rate |")
    print("|--:|---|--:|---|--:|--:|--:|")
    for threads in options.threads:
        peer, own = [], {activations: [] for activations in options.activations}
        for turn in range(options.runs):
            peer.append(run([options.llama_bench, "-m", options.model, "-t", str(threads), *options.llama_options], options))
            for activations in options.activations:
                own[activations].append(run([options.greta_bench, options.model, "-t", str(threads), "--modes", "graph", "--fuse",
                                             "full", "--activations", activations, "--kernels", options.kernels], options))
            if sys.stderr.isatty():
                print(f"\r{threads} threads, run {turn + 1} of {options.runs} ", end="", file=sys.stderr)
        for test in peer[0]:
            theirs = [rows[test]["avg_ts"] for rows in peer]
            for activations, runs in own.items():
                ours = [rows[test]["avg_ts"] for rows in runs]
                ratios = [a / b for a, b in zip(ours, theirs)]
                share = f"{statistics.median(rows[test]['read_share'] for rows in runs):.0%}" if test[1] else ""
                print(f"| {threads} | {name(test)} | {spread(theirs)} | {activations} | {spread(ours)} | "
                      f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {share} |", flush=True)
    them, us = next(iter(peer[0].values())), next(iter(own[options.activations[0]][0].values()))
    print(f"\nllama.cpp's build {them['build_commit']}; greta-bench {us['build_commit']}; {us['device']}, kernels {us['kernels']}; "
          f"model fingerprint {us['model_fingerprint']}; {options.runs} runs taking turns, median (min to max)")


main()
