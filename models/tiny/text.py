#!/usr/bin/env python3
"""The text of the tiny model: the King James Bible from Debian's bible-kjv, cut into training, validation and held-out
chapters.

    apt-get install bible-kjv bible-kjv-text
    models/tiny/text.py WORK

writes WORK/train.txt, WORK/valid.txt and WORK/heldout.txt. A verse is a line, without its number; a chapter is a
document, and in train.txt and valid.txt an empty line ends it. heldout.txt is plain text without empty lines, the form
in which it is kept in the tree. Of every 60 chapters, in the order of the books, the 31st is held out and the 1st is
used for validation; the model sees neither while it trains.
"""
import pathlib
import subprocess
import sys

PERIOD = 60
HELD_OUT = 30
VALIDATION = 0


def chapters():
    """List of chapters, each a list of verses, in the order of the books."""
    text = subprocess.run(["bible", "-f", "Gen1:1-Rev22:21"], stdin=subprocess.DEVNULL, capture_output=True,
                          check=True, text=True).stdout
    found, last = [], None
    for line in text.splitlines():
        reference, verse = line.split(" ", 1)
        chapter = reference.split(":")[0]
        if chapter != last:
            found.append([])
            last = chapter
        found[-1].append(" ".join(verse.split()))
    if len(found) != 1189 or sum(map(len, found)) != 31102:
        sys.exit(f"text.py: {len(found)} chapters of {sum(map(len, found))} verses, expected 1189 of 31102")
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1])
    work.mkdir(parents=True, exist_ok=True)
    parts = {"train": [], "valid": [], "heldout": []}
    for i, verses in enumerate(chapters()):
        name = {HELD_OUT: "heldout", VALIDATION: "valid"}.get(i % PERIOD, "train")
        parts[name].append("".join(verse + "\n" for verse in verses))
    for name, documents in parts.items():
        between = "" if name == "heldout" else "\n"
        (work / f"{name}.txt").write_text(between.join(documents))
        print(f"{name}.txt: {len(documents)} chapters, {sum(map(len, documents))} bytes")


if __name__ == "__main__":
    main()
