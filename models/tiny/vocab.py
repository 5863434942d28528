#!/usr/bin/env python3
"""The vocabulary of the tiny model: byte-pair pieces with byte fallback, as Llama's own.

    models/tiny/vocab.py WORK

reads WORK/train.txt (of text.py) and writes WORK/vocab.model, with the `sentencepiece` library. Training gets the
verses without the space that encoding puts before a text, so that a word which opens a line (it follows the byte piece
of the line feed) has pieces of its own; encode() adds that space, as every reader of the GGUF file does.
"""
import io
import pathlib
import sys

import sentencepiece

SIZE = 2048
UNKNOWN, BOS, EOS = 0, 1, 2


def encode(pieces, text):
    """Token ids of a text, without BOS and EOS."""
    return pieces.encode(" " + text)


def load(path):
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1])
    verses = [line for line in (work / "train.txt").read_text().splitlines() if line]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(verses), model_writer=model, model_type="bpe", vocab_size=SIZE, byte_fallback=True,
        unk_id=UNKNOWN, bos_id=BOS, eos_id=EOS, pad_id=-1, character_coverage=1.0, split_digits=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
        num_threads=1, minloglevel=1)
    (work / "vocab.model").write_bytes(model.getvalue())
    pieces = load(work / "vocab.model")
    text = "\n".join(verses)
    print(f"vocab.model: {pieces.get_piece_size()} pieces, {len(text) / len(encode(pieces, text)):.3f} bytes a token")


if __name__ == "__main__":
    main()
