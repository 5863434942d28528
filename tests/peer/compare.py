#!/usr/bin/env python3
"""Greedy continuations beside llama.cpp's, on a CPU: equal, but where its 8-bit activations turn a near-tie.

    python3 -m pip install llama-cpp-python==0.3.36
    tests/peer/compare.py LIBGRETA MODEL PROMPTS [-n 64]      # LIBGRETA: the built libgreta.so
    tests/peer/compare.py LIBGRETA MODEL PROMPTS --wide WIDE  # WIDE: the model as widen.py writes it

With --wide the peer reads the same weights as F32, so that it has no reason to round activations, and both keep the KV cache
in F32: what is left is the rounding of fp32 sums, and all continuations are equal.

PROMPTS has a prompt a line. For each prompt both continue greedily; printed is whether the tokens are equal and, where they
part, the position, both tokens, the rank of the peer's token here and the gap between the two tokens' logits here and there;
of equal continuations, the smallest gap between the two best tokens. The last column is the largest difference of any logit
up to there: what separates the two all along.
"""
import argparse
import hashlib
import importlib.metadata
import pathlib

import greta
import numpy
import peer


def continuation(session, prompt, length):
    """Tokens and, for each, the logits it was chosen from."""
    session.restart()
    session.feed(prompt)
    tokens, logits = [], []
    for _ in range(length):
        logits.append(session.logits())
        tokens.append(int(numpy.argmax(logits[-1])))
        session.feed(tokens[-1:])
    return tokens, logits


def top_gap(logits):
    best = numpy.sort(logits)[-2:]
    return float(best[1] - best[0])


def compare(ours, theirs, prompt, length):
    """One line of the table, and whether the continuations are equal."""
    ids = ours.encode(prompt)
    assert ids == theirs.encode(prompt), f"tokens of {prompt!r} differ"
    a, a_logits = continuation(ours, ids, length)
    b, b_logits = continuation(theirs, ids, length)
    same = next((i for i in range(length) if a[i] != b[i]), length)
    noise = max(float(numpy.abs(a_logits[i] - b_logits[i]).max()) for i in range(min(same + 1, length)))
    if same == length:
        smallest = min(top_gap(x) for x in a_logits)
        return f"| {prompt} | equal | | | >= {smallest:.4f} | | {noise:.2g} |", True
    here, there = a_logits[same], b_logits[same]
    rank = int((here > here[b[same]]).sum()) + 1
    words = " / ".join(repr(ours.text([token])) for token in (a[same], b[same]))
    return (f"| {prompt} | from {same} | {words} | {rank} | {here[a[same]] - here[b[same]]:.4f} | "
            f"{there[b[same]] - there[a[same]]:.4f} | {noise:.2g} |"), False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("library")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("prompts", type=pathlib.Path)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("-t", "--threads", type=int, default=1)
    parser.add_argument("--wide", type=pathlib.Path)
    options = parser.parse_args()
    prompts = options.prompts.read_text().splitlines()
    ours = greta.Session(options.library, options.model, 512, options.threads, kv=2 if options.wide else 1)
    theirs = peer.Session(options.wide or options.model, 512, options.threads, wide=bool(options.wide))
    digest = hashlib.sha256(options.model.read_bytes()).hexdigest()
    form = "weights as F32, F32 KV" if options.wide else "weights as they are, F16 KV"
    print(f"## {options.model.name}, the peer with {form}\n\nSHA-256 {digest}; llama.cpp of llama-cpp-python {PEER_VERSION}, "
          f"CPU, no repacking; here x32, {'F32' if options.wide else 'F16'} KV; greedy, {options.tokens} tokens.\n")
    print("| prompt | tokens | here / there | rank of theirs here | gap here | gap there | largest difference of logits |\n"
          "|---|---|---|---|---|---|---|")
    equal = 0
    for prompt in prompts:
        line, same = compare(ours, theirs, prompt, options.tokens)
        equal += same
        print(line, flush=True)
    print(f"\n{equal} of {len(prompts)} continuations equal.")
    ours.close()


PEER_VERSION = getattr(peer.llama_cpp, "__version__", None) or importlib.metadata.version("llama-cpp-python")

if __name__ == "__main__":
    main()
