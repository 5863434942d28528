#!/usr/bin/env python3
"""greta-bench beside llama.cpp's llama-bench: one run, taking turns, the same file, the same threads.

Prints medians, and the medians of the ratios between neighbours in time. Exit status 0 when all was measured.
"""
import argparse
import csv
import io
import statistics
import subprocess
import sys


def rows_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{command[0]}: {(done.stderr.strip().splitlines() or ['failed without a word'])[-1]}")
    return list(csv.DictReader(io.StringIO(done.stdout)))


def llama(options, threads):
    """Prefill and decode rates of one run, and the build."""
    common = [options.llama_bench, "-m", options.model, "-t", str(threads), "-r", "1", "-o", "csv", *options.llama_options]
    prefill = rows_of([*common, "-p", str(options.prompt), "-n", "0"])[-1]
    decode = rows_of([*common, "-p", "0", "-n", str(options.generate)])[-1]
    return {"prefill": float(prefill["avg_ts"]), "decode": float(decode["avg_ts"]),
            "build": prefill["build_commit"]}


def greta(options, threads, activations):
    row = rows_of([options.greta_bench, options.model, "-t", str(threads), "-p", str(options.prompt), "-n",
                   str(options.generate), "-r", "1", "--modes", "graph", "--fuse", "full", "--activations", activations,
                   "--kernels", options.kernels, "-o", "csv"])[-1]
    return {"prefill": float(row["prefill_tokens_per_second_median"]),
            "decode": float(row["decode_tokens_per_second_median"]),
            "share": float(row["weight_bytes_per_second"]) / float(row["read_bytes_per_second"]),
            "build": row["build"], "device": row["device"], "kernels": row["kernels"], "model": row["model_fingerprint"]}


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


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
    parser.add_argument("-r", "--runs", type=int, default=5)
    parser.add_argument("--llama-options", nargs=argparse.REMAINDER, default=[], help="the rest of the line goes to llama-bench")
    options = parser.parse_args()

    print("| threads | test | llama.cpp tok/s | activations | tok/s | ratio | of the read rate |")
    print("|--:|---|--:|---|--:|--:|--:|")
    for threads in options.threads:
        peer, own = [], {activations: [] for activations in options.activations}
        for run in range(options.runs):
            peer.append(llama(options, threads))
            for activations in options.activations:
                own[activations].append(greta(options, threads, activations))
            if sys.stderr.isatty():
                print(f"\r{threads} threads, run {run + 1} of {options.runs} ", end="", file=sys.stderr)
        for test in ("prefill", "decode"):
            for activations, runs in own.items():
                ratios = [a[test] / b[test] for a, b in zip(runs, peer)]
                share = f"{statistics.median(a['share'] for a in runs):.0%}" if test == "decode" else ""
                print(f"| {threads} | {test} | {spread([b[test] for b in peer])} | {activations} "
                      f"| {spread([a[test] for a in runs])} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to "
                      f"{max(ratios):.2f}) | {share} |", flush=True)
    one = own[options.activations[0]][0]
    print(f"\nllama.cpp's build {peer[0]['build']}; greta-bench {one['build']}; {one['device']}, kernels {one['kernels']}; model "
          f"fingerprint {one['model']}; prompt {options.prompt}, {options.generate} tokens decoded, {options.runs} runs "
          "taking turns, median (min to max)")


main()
