#!/usr/bin/env python3
"""model_mi300x.py MODEL.gguf: the time of a decoded token on an MI300X, from published rates. A model: nothing is measured.

Plans the model for gfx942 and takes, of every launch, the bytes that it must read from the plan, and the instructions that it
executes from the simulator (count-plan). docs/performance.md says what is assumed and what is left out. Exit status 77
where this build has no kernels for gfx942.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

UNITS, SIMDS = 304, 4        # compute units, SIMDs of each: AMD's data sheet of the MI300X
CLOCK = 2.1e9                # Hz, peak; the same
BANDWIDTH = 5.3e12           # bytes/s, peak; the same
SHARE = 0.81                 # of it that BabelStream reaches: arXiv 2510.27583
VALU_CYCLES = 4              # of a SIMD for 64 lanes
MFMA_CYCLES = 16             # 16 x 16 x 32 products of int8: 2,615 TOPS in all, or 1,024 operations a SIMD and cycle
NODE_US = (0.0, 1.7, 2.8, 4.5)  # a node of a replayed chain: ROCm/legacy-rocm-build#6409, other AMD GPUs
WEIGHTS = ("weights", "q_weights", "k_weights", "v_weights", "gate_weights", "up_weights")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.stderr.write(done.stderr)
        sys.exit(77 if "no kernels for gfx942" in done.stderr or "llvm-objdump" in done.stderr else 1)
    return done.stdout


def bytes_of(launch, tensors, position):
    """What a launch must read from memory: weights, and the cache up to the position."""
    args = launch["args"]
    total = sum(tensors[args[name]] for name in WEIGHTS if args.get(name))
    if launch["kernel"] == "attention":
        element = 4 if args["kv_type"] in (1, "f32") else 2
        total += 2 * (position + 1) * args["kv_heads"] * args["head_dim"] * element
    return total


class Launch:
    def __init__(self, launch, count, tensors, position):
        assert launch["symbol"] == count["symbol"]
        self.kernel = launch["kernel"]
        self.bytes = bytes_of(launch, tensors, position)
        on_simd = -(-count["waves"] // (UNITS * SIMDS))  # waves that the fullest SIMD gets
        self.valu_us = on_simd * count["valu"] / count["waves"] * VALU_CYCLES / CLOCK * 1e6
        self.mfma_us = on_simd * count["mfma"] / count["waves"] * MFMA_CYCLES / CLOCK * 1e6

    def read_us(self, share):
        return self.bytes / (BANDWIDTH * share) * 1e6

    def issue_us(self, factor=1.0):
        return factor * max(self.valu_us, self.mfma_us)


def token_us(launches, node_us, share=SHARE, overlap=True, issue=1.0):
    """Reading and arithmetic of a launch at the same time, or one after the other; a node's cost for each."""
    join = max if overlap else lambda a, b: a + b
    return sum(join(l.read_us(share), l.issue_us(issue)) + node_us for l in launches)


def table(rows):
    for i, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if i == 0:
            print("|---|" + "--:|" * (len(row) - 1))


def print_kernels(launches):
    rows = [("launches of a step", "nodes", "MB", "read us", "vector us", "matrix us", "more of the two, us")]
    kernels = list(dict.fromkeys(l.kernel for l in launches))
    for name in kernels + [None]:
        some = [l for l in launches if name in (None, l.kernel)]
        rows.append((name or "all", str(len(some)), "%.1f" % (sum(l.bytes for l in some) / 1e6),
                     "%.0f" % sum(l.read_us(SHARE) for l in some), "%.0f" % sum(l.valu_us for l in some),
                     "%.0f" % sum(l.mfma_us for l in some),
                     "%.0f" % sum(max(l.read_us(SHARE), l.issue_us()) for l in some)))
    table(rows)


def print_tokens(launches):
    rows = [("us a node",) + tuple("%.1f" % node for node in NODE_US)]
    cases = [("reads hide arithmetic", {}), ("reads, then arithmetic", {"overlap": False}),
             ("… at 70% of 5.3 TB/s", {"share": 0.7}), ("… at 90%", {"share": 0.9}),
             ("… 4/5 of the instructions", {"issue": 0.8}), ("… 4/5, one after the other", {"issue": 0.8, "overlap": False})]
    for name, options in cases:
        rows.append((name,) + tuple("%.2f ms, %.0f tok/s" % (us / 1e3, 1e6 / us)
                                    for us in (token_us(launches, node, **options) for node in NODE_US)))
    table(rows)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--build", default=os.path.join(here, "..", "build"), help="the build folder (default: build)")
    parser.add_argument("--plan", help="greta-plan, if it is elsewhere")
    parser.add_argument("--count", help="count-plan, if it is elsewhere")
    parser.add_argument("--context", type=int, default=128, help="tokens in the cache, this step's included (default: 128)")
    parser.add_argument("--fuse", default="full", choices=("none", "full"))
    options = parser.parse_args()
    plan = options.plan or os.path.join(options.build, "planner", "greta-plan")
    count = options.count or os.path.join(options.build, "tests", "kernels", "gpu", "count-plan")
    position = options.context - 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "plan")
        run(plan, "build", options.model, "-o", path, "--target", "gfx942", "--prefill", "", "--fuse", options.fuse)
        shown = json.loads(run(plan, "show", path, "--json"))
        counts = [json.loads(line) for line in run(count, path, str(position)).splitlines()]
    tensors = {t["name"]: t["bytes"] for t in shown["tensors"]}
    program = next(p for p in shown["programs"] if p["name"] == "decode")
    launches = [Launch(l, c, tensors, position) for l, c in zip(program["launches"], counts)]
    assert len(launches) == len(counts) == program["launch_count"]
    print("A model of %s on an MI300X at a context of %d, x32, --fuse %s; nothing here was measured on one.\n"
          % (shown["model"]["name"], options.context, options.fuse))
    print_kernels(launches)
    print()
    print_tokens(launches)


main()
