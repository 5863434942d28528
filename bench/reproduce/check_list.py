#!/usr/bin/env python3
"""check_list.py [DOCS-FOLDER]: every table of docs/ has an entry in figures.py, every entry a section; the hashes are the same."""
import collections
import glob
import os
import re
import sys

from documents import tables_in
from figures import DESCRIPTIVE_DOCUMENTS, FIGURES, NO_FIGURES


def main():
    docs = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
    faults, texts = [], {}
    for path in sorted(glob.glob(os.path.join(docs, "*.md"))):
        with open(path) as file:
            texts[os.path.basename(path)] = file.read()
    there = collections.Counter((name, section) for name, text in texts.items() if name not in DESCRIPTIVE_DOCUMENTS
                                for section, _ in tables_in(text))
    listed = collections.Counter(NO_FIGURES)
    for figure in FIGURES:
        listed[figure.document, figure.section] += figure.tables
        text = texts.get(figure.document)
        if text is None and not figure.document.startswith("../"):
            faults.append("%s: there is no docs/%s" % (figure.name, figure.document))
        elif text is not None and not re.search("^#+ %s$" % re.escape(figure.section), text, re.M):
            faults.append("%s: docs/%s has no section \"%s\"" % (figure.name, figure.document, figure.section))
    for place in sorted(set(there) | set(listed)):
        if there[place] != listed[place]:
            faults.append("docs/%s, \"%s\": %d tables, %d listed in bench/reproduce/figures.py" % (*place, there[place], listed[place]))
    names = [figure.name for figure in FIGURES]
    faults += ["two figures are called %s" % name for name in names if names.count(name) > 1]
    due = {command.hash for figure in FIGURES for command in figure.commands + (figure.full or []) if command.hash}
    faults += ["the hash %s stands in no document" % value for value in sorted(due) if value not in "".join(texts.values())]
    print("\n".join(faults) or "%d figures, %d tables" % (len(FIGURES), sum(there.values())))
    return 1 if faults else 0


sys.exit(main())
