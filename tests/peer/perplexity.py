#!/usr/bin/env python3
"""Perplexity of a text here and by llama.cpp's llama-perplexity: the same tokens, pieces and definition, within half a per cent.

    tests/peer/perplexity.py GRETA-PERPLEXITY LLAMA-PERPLEXITY MODEL TEXT [-c 512]

GRETA-PERPLEXITY is build/bench/greta-perplexity; LLAMA-PERPLEXITY is llama.cpp's tool, on a CPU. Each KV cache here is put
beside the same one there; llama.cpp also computes attention in two ways. Exit status 1: a pair is 0.5 % apart or more.
"""
import argparse
import hashlib
import pathlib
import re
import subprocess
import sys

LIMIT = 0.005
FORMS = (("F16", "flash", []), ("F16", "plain", ["-fa", "off"]), ("F32", "plain", ["-fa", "off", "-ctk", "f32", "-ctv", "f32"]))


def output(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def here(tool, options):
    """{KV: (perplexity, standard error)}, and the line on what was measured."""
    text = output([tool, options.model, "-f", options.text, "-c", str(options.ctx), "-t", str(options.threads), "--kv", "f16,f32"])
    rows = re.findall(r"^\| x32 \| (f16|f32) \| ([\d.]+) \| ([\d.]+) \|$", text, re.M)
    return {kv.upper(): (float(value), float(error)) for kv, value, error in rows}, text.splitlines()[0]


def there(tool, options, arguments):
    # Repacked for AMX, this version crashes on some machines.
    text = output([tool, "-m", options.model, "-f", options.text, "-c", str(options.ctx), "-t", str(options.threads), "--no-repack",
                   *arguments])
    value, error = re.search(r"Final estimate: PPL = ([\d.]+) \+/- ([\d.]+)", text).groups()
    return float(value), float(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("greta")
    parser.add_argument("llama")
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("-c", "--ctx", type=int, default=512)
    parser.add_argument("-t", "--threads", type=int, default=2)
    options = parser.parse_args()
    digest = hashlib.sha256(pathlib.Path(options.model).read_bytes()).hexdigest()
    version = re.search(r"version: (.*)", output([options.llama, "--version"])).group(1)
    ours, measured = here(options.greta, options)
    print(f"{measured}\n\nSHA-256 {digest}; llama.cpp {version}, CPU, no repacking; here x32.\n")
    print("| KV | attention there | here | there | apart |\n|---|---|---|---|---|")
    most = 0.0
    for kv, attention, arguments in FORMS:
        value, error = there(options.llama, options, arguments)
        apart = value / ours[kv][0] - 1
        most = max(most, abs(apart))
        print(f"| {kv} | {attention} | {ours[kv][0]:.4f} +/- {ours[kv][1]:.4f} | {value:.4f} +/- {error:.4f} | {100 * apart:+.3f} % |",
              flush=True)
    print(f"\nAt most {100 * most:.3f} % apart.")
    sys.exit(most >= LIMIT)


if __name__ == "__main__":
    main()
