#!/usr/bin/env python3
"""Perplexity of the held-out text in PyTorch, with the weights of a GGUF file dequantised to float32.

    models/tiny/perplexity.py WORK FILE.gguf

scores WORK/heldout.txt as llama.cpp's llama-perplexity does with -c 512: windows of 512 tokens, each with BOS for its
first token, the second half of each scored. FILE.gguf is one that quantize.py wrote, in float16 or quantised. Where
this figure and llama.cpp's agree, the file means the model that was trained.
"""
import math
import pathlib
import sys

import gguf
import torch
from torch.nn import functional

import model
import vocab

WINDOW = 512


def load(path):
    """The model of a GGUF file that quantize.py wrote."""
    reader = gguf.GGUFReader(path)
    net = model.Llama(model.Shape(layers=reader.fields["llama.block_count"].contents()))
    weights = {}
    for tensor in reader.tensors:
        values = torch.tensor(gguf.dequantize(tensor.data, tensor.tensor_type))
        weights[tensor.name] = values.reshape(*reversed(tensor.shape.tolist()))
    net.load_state_dict(weights)
    return net.eval()


@torch.no_grad()
def perplexity(net, tokens):
    total, count = 0.0, 0
    for start in range(0, len(tokens) - WINDOW + 1, WINDOW):
        inputs = torch.tensor(tokens[start:start + WINDOW])
        targets = inputs[WINDOW // 2 + 1:].clone()
        inputs[0] = vocab.BOS
        logits = net(inputs[None])[0, WINDOW // 2:-1]
        total += functional.cross_entropy(logits, targets, reduction="sum").item()
        count += len(targets)
    return math.exp(total / count)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1])
    text = (work / "heldout.txt").read_text()
    tokens = [vocab.BOS, *vocab.encode(vocab.load(work / "vocab.model"), text)]
    print(f"{sys.argv[2]}: perplexity {perplexity(load(sys.argv[2]), tokens):.3f}")


if __name__ == "__main__":
    main()
