#!/usr/bin/env python3
"""Draws random weight blocks of every type and writes them beside what the PyPI package `gguf` decodes them to.

    python3 -m pip install gguf numpy
    tests/kernels/dequant_vectors.py [--seed N] [-o tests/kernels/dequant_vectors.bin]

test_dequant.c compares the reference's decoder with this file, bit for bit. The file is one line of text that says where it
comes from, then records of little-endian 32-bit words and bytes: type, count of values, count of bytes, the bytes, the
values as fp32. A record holds 256 values.

Scales are extreme on purpose: of the runs of a type, each kind below takes its share. Infinite and NaN scales are left out:
the planner refuses them.
"""
import argparse
import importlib.metadata
import struct
from pathlib import Path

import gguf
import numpy

RUNS = 15
VALUES = 256
# Per quantised type: where the f16 scales of a block lie.
HALVES = {"Q4_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
TYPES = ["F32", "F16", "BF16", *HALVES]


def half_bits(random, kind):
    """The bits of a finite f16 scale."""
    if kind == "usual":
        return int(numpy.float16(random.normal() * 0.01).view(numpy.uint16))
    if kind == "largest":
        return 0x7bff | int(random.integers(2)) << 15
    if kind == "denormal":
        return int(random.integers(1, 0x400)) | int(random.integers(2)) << 15
    if kind == "zero":
        return int(random.integers(2)) << 15
    while True:
        bits = int(random.integers(0x10000))
        if bits & 0x7c00 != 0x7c00:
            return bits


def finite_floats(random, name):
    """Random finite values of a float type, as its bytes; every exponent is as likely."""
    dtype, exponent = {"F32": ("<u4", 0x7f800000), "F16": ("<u2", 0x7c00), "BF16": ("<u2", 0x7f80)}[name]
    values = random.integers(0, 2 ** (8 * numpy.dtype(dtype).itemsize), VALUES).astype(dtype)
    values[values & exponent == exponent] = 0
    return values.tobytes()


def quantised(random, name, kind):
    quant_type = gguf.GGMLQuantizationType[name]
    per_block, size = gguf.GGML_QUANT_SIZES[quant_type]
    data = bytearray()
    for _ in range(VALUES // per_block):
        block = bytearray(random.bytes(size))
        for at in HALVES[name]:
            block[at:at + 2] = struct.pack("<H", half_bits(random, kind))
        data += block
    return bytes(data)


def decoded(name, data):
    quant_type = gguf.GGMLQuantizationType[name]
    if name in ("F32", "F16"):
        values = numpy.frombuffer(data, {"F32": "<f4", "F16": "<f2"}[name]).astype(numpy.float32)
    else:
        values = gguf.dequantize(numpy.frombuffer(data, numpy.uint8), quant_type)
    assert values.dtype == numpy.float32 and values.size == VALUES and numpy.isfinite(values).all()
    return values.astype("<f4").tobytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".bin"))
    options = parser.parse_args()
    random = numpy.random.default_rng(options.seed)
    kinds = ["usual", "largest", "denormal", "zero", "any"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("gguf", "numpy"))
    out = bytearray(f"decoded by {versions}; drawn by dequant_vectors.py --seed {options.seed}\n".encode())
    for name in TYPES:
        for run in range(RUNS):
            data = quantised(random, name, kinds[run % len(kinds)]) if name in HALVES else finite_floats(random, name)
            out += struct.pack("<III", gguf.GGMLQuantizationType[name], VALUES, len(data)) + data + decoded(name, data)
    options.output.write_bytes(out)


if __name__ == "__main__":
    main()
