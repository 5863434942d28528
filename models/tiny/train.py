#!/usr/bin/env python3
"""Trains the tiny model on one GPU (or, slowly, a CPU), with PyTorch.

    models/tiny/train.py WORK [options]

reads WORK/train.txt, WORK/valid.txt (text.py) and WORK/vocab.model (vocab.py) and writes WORK/NAME.npz: the weights
with the lowest validation loss, as float16 (vectors as float32), under their GGUF names.

The tokens of the chapters stand in one row, each chapter as BOS, text, EOS. An epoch is the row cut into windows of the
context length from a random start, in random order. Half of the windows have their first token replaced by BOS: a
text may be begun, and is scored, from the middle of a chapter. The text is small for the model, so the regularisers
(dropout, weight decay) decide how well it does on chapters it has not seen.
"""
import argparse
import contextlib
import math
import pathlib
import time

import numpy
import torch
from torch.nn import functional

import model
import vocab


def tokens_of(path, pieces):
    """All documents of a file in one row of token ids."""
    row = []
    for document in path.read_text().split("\n\n"):
        row += [vocab.BOS, *vocab.encode(pieces, document.rstrip("\n") + "\n"), vocab.EOS]
    return torch.tensor(row)


def windows(row, start, length):
    """Inputs and targets [n, length]; the last window is filled with tokens that are not scored."""
    inputs, targets = row[start:-1], row[start + 1:]
    count = -(-len(inputs) // length)
    fill = count * length - len(inputs)
    targets = torch.where(targets == vocab.BOS, -100, targets)
    return (functional.pad(inputs, (0, fill), value=vocab.BOS).view(count, length),
            functional.pad(targets, (0, fill), value=-100).view(count, length))


def precision(device):
    return torch.autocast(device, torch.bfloat16) if device == "cuda" else contextlib.nullcontext()


def loss_of(net, inputs, targets, reduction="mean"):
    with precision(inputs.device.type):
        logits = net(inputs)
    return functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction=reduction,
                                    ignore_index=-100)


@torch.no_grad()
def evaluate(net, inputs, targets):
    """Mean loss of a token, in nats."""
    net.eval()
    total = sum(loss_of(net, i, t, "sum").item() for i, t in zip(inputs.split(16), targets.split(16)))
    net.train()
    return total / (targets != -100).sum().item()


def optimizer_of(net, options):
    matrices = [p for p in net.parameters() if p.dim() == 2]
    vectors = [p for p in net.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": options.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98))


def rate_at(step, steps, options):
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return options.rate * (step + 1) / warm
    return options.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm))))


def weights_of(net):
    return {name: weight.detach().cpu().numpy().astype(numpy.float16 if weight.dim() == 2 else numpy.float32)
            for name, weight in net.named_parameters()}


def train(net, row, check, options):
    """Writes the weights with the lowest validation loss, and returns that loss."""
    device, length, batch = row.device, net.shape.context, options.batch
    random = torch.Generator().manual_seed(options.seed)
    steps = options.epochs * -(-len(row) // (length * batch))
    optimizer = optimizer_of(net, options)
    lowest, step, began = math.inf, 0, time.time()
    for epoch in range(options.epochs):
        start = torch.randint(length, (1,), generator=random).item()
        inputs, targets = windows(row, start, length)
        total = torch.zeros((), device=device)
        order = torch.randperm(len(inputs), generator=random).to(device).split(batch)
        for chosen in order:
            x = inputs[chosen]
            x[(torch.rand(len(x), generator=random) < 0.5).to(device), 0] = vocab.BOS
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, steps, options)
            loss = loss_of(net, x, targets[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            total += loss.detach()
            step += 1
        validation = evaluate(net, *check)
        if validation < lowest:
            lowest = validation
            numpy.savez(options.work / f"{options.name}.npz", **weights_of(net))
        print(f"{options.name}: epoch {epoch + 1} training {total.item() / len(order):.4f} validation {validation:.4f} "
              f"{time.time() - began:.0f} s", flush=True)
    return lowest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--name", default="tiny")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--weight-decay", type=float, default=1.5)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--context", type=int, default=1024)
    options = parser.parse_args()

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(options.seed)
    pieces = vocab.load(options.work / "vocab.model")
    shape = model.Shape(layers=options.layers, context=options.context)
    net = model.Llama(shape, options.dropout).to(device)
    row = tokens_of(options.work / "train.txt", pieces).to(device)
    check = windows(tokens_of(options.work / "valid.txt", pieces).to(device), 0, shape.context)
    size = sum(p.numel() for p in net.parameters())
    print(f"{options.name}: {size} parameters, {len(row)} tokens, {device}", flush=True)
    lowest = train(net, row, check, options)
    print(f"{options.name}: lowest validation loss {lowest:.4f}, perplexity {math.exp(lowest):.2f}", flush=True)


if __name__ == "__main__":
    main()
