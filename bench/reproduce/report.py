"""The report: report.md, index.html, report.json, environment and models, from what was run."""
import collections
import glob
import hashlib
import json
import os

import results as shown
from documents import anchor, as_data, table, tables_in
from machine import output
from page import page
from runner import SHAPES


class Entry:
    """A figure and what became of it."""

    def __init__(self, figure, results=(), why=None):
        self.figure, self.results = figure, list(results)
        faults = [r.fault for r in self.results if r.fault]
        missing = [r.missing for r in self.results if r.missing]
        if faults:
            self.state, self.why = "failed", faults[0]
        elif why or not any(not r.missing for r in self.results):
            self.state, self.why = "not redone", why or (missing or ["nothing ran"])[0]
        else:
            self.state, self.why = "redone", "; ".join(dict.fromkeys("in part: " + m for m in missing))

    def seconds(self):
        return sum(r.seconds for r in self.results)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()


def models(runner):
    """Every model that was used: name, size, both hashes."""
    rows = []
    for name, path in runner.models.items():
        plan = os.path.join(runner.scratch, "fingerprint.plan")
        full = os.path.join(runner.machine.root, path)
        tool = runner.machine.tool("planner/greta-plan")
        about = output(tool, "build", full, "-o", plan, "--ctx", "64", "--target", "cpu") and output(tool, "show", plan, "--json")
        about = json.loads(about)["model"] if about else {}
        rows.append({"model": about.get("name", name), "file": os.path.basename(path), "bytes": os.path.getsize(full),
                     "fingerprint": about.get("fingerprint", ""), "sha256": sha256(full),
                     "made_by": "bundled" if name == "tiny" else "greta-synth %s --seed 1" % SHAPES[name]})
    return rows


def environment_lines(about):
    cpu = about["cpu"]
    rows = [("date", about["date"]), ("host", about["host"]), ("commit", about["commit"] +
             (", with changes: " + ", ".join(about["changed_files"]) if about["changed_files"] else "")),
            ("processor", "%s, %d processors%s; %s" % (cpu["name"], cpu["processors"], ", virtual machine" if cpu["hypervisor"] else "",
                                                      " ".join(cpu["instructions"]) or "no AVX2")),
            ("memory", "%.1f GiB" % about["memory_gib"]), ("load when it began", " ".join(map(str, about["load"]))),
            ("system", "%s, Linux %s" % (about["system"], about["kernel"]))]
    rows += sorted(about["versions"].items())
    return table(["", ""], rows) + ["", "`greta-plan devices` says:", ""] + shown.fenced("\n".join(about["devices"]))


class Report:
    def __init__(self, runner, about, entries, seconds, limit):
        self.runner, self.about, self.entries, self.seconds, self.limit = runner, about, entries, seconds, limit
        self.docs = os.path.join(runner.machine.root, "docs")
        self.documents = {}  # tables left of each section, as figures take them

    def document_tables(self, figure):
        """The next tables of the figure's section: what the document says."""
        if figure.document not in self.documents:
            path, left = os.path.join(self.docs, figure.document), collections.defaultdict(list)
            if os.path.exists(path):
                with open(path) as file:
                    for section, lines in tables_in(file.read()):
                        left[section].append(lines)
            self.documents[figure.document] = left
        left = self.documents[figure.document][figure.section]
        taken, left[:] = left[:figure.tables], left[figure.tables:]
        return taken

    def place(self, figure, final):
        path = os.path.relpath(os.path.join(self.docs, figure.document), final)
        return "[%s, “%s”](%s#%s)" % (os.path.basename(figure.document), figure.section, path, anchor(figure.section))

    def section(self, entry, final):
        figure = entry.figure
        lines = ["### " + figure.name, "", "%s — %s%s" % (self.place(figure, final), entry.state, ": " + entry.why if entry.why else "")]
        if entry.state != "not redone" and figure.fewer and not self.runner.machine.options.full:
            lines += ["", "Less than in the document: %s; `--full` runs all." % figure.fewer]
        hashed = [r for r in entry.results if r.command.hash]
        if hashed:
            lines += ["", *shown.fenced(hashed[0].shown + "   # and so on"), "", *shown.hashes(hashed), "", "[raw](raw/hashes.json)"]
        for result in entry.results:
            if result.command.hash:
                continue
            lines += [""] + (["**%s**" % result.command.label, ""] if result.command.label else [])
            lines += shown.fenced(result.shown) + [""] + shown.markdown(result)
            files = sorted(glob.glob(os.path.join(glob.escape(self.runner.folder), result.base + ".*")))
            links = ["[%s](raw/%s)" % (name, name) for name in map(os.path.basename, files)]
            lines += ["", "%.1f s; %s" % (result.seconds, ", ".join(links))]
        taken = self.document_tables(figure)
        for number, lines_of_table in enumerate(taken):
            lines += ["", "The document%s:" % (", table %d" % (number + 1) if len(taken) > 1 else ""), "", *lines_of_table]
        return lines + [""]

    def markdown(self, final, model_rows):
        count = collections.Counter(entry.state for entry in self.entries)
        lines = ["# Figures redone on %s, %s" % (self.about["host"], self.about["date"]), "",
                 "%d redone, %d failed, %d not redone; %.0f s with building, of at most %.0f. Commit %s." % (
                     count["redone"], count["failed"], count["not redone"], self.seconds, self.limit, self.about["commit"]), "",
                 "Rates wander with what else the machine does: compare ratios within a run, and hashes, which are equal or wrong.", ""]
        lines += ["## All figures", ""] + table(["figure", "document", "", "why", "s"], [
            ["`%s`" % e.figure.name, self.place(e.figure, final), "**failed**" if e.state == "failed" else e.state, e.why,
             "%.1f" % e.seconds() if e.results else ""] for e in self.entries])
        lines += ["", "## The machine", ""] + environment_lines(self.about)
        lines += ["", "## Models", ""] + table(["model", "file", "bytes", "fingerprint", "sha256", "made by"], [
            [row[key] for key in ("model", "file", "bytes", "fingerprint", "sha256", "made_by")] for row in model_rows])
        for state, title in (("failed", "What failed"), ("redone", "Figures")):
            some = [e for e in self.entries if e.state == state]
            lines += ["", "## " + title, ""] if some else []
            for e in some:
                lines += self.sections[e.figure.name]
        return "\n".join(lines) + "\n"

    def write(self, final):
        folder, write = self.runner.folder, lambda name, text: open_and_write(os.path.join(self.runner.folder, name), text)
        model_rows = models(self.runner)
        hashed = [{"way": r.command.label.strip(), "hash": r.logits_hash(), "due": r.command.hash, "missing": r.missing, "command": r.shown}
                  for e in self.entries for r in e.results if r.command.hash]
        write("environment.json", as_json(self.about))
        write("environment.md", "\n".join(environment_lines(self.about)) + "\n")
        write("models.json", as_json(model_rows))
        write(os.path.join("raw", "hashes.json"), as_json(hashed))
        write("report.json", as_json({"environment": self.about, "models": model_rows, "seconds": round(self.seconds, 1), "figures": [{
            "name": e.figure.name, "document": os.path.normpath("docs/" + e.figure.document), "section": e.figure.section,
            "state": e.state, "why": e.why,
            "commands": [{"command": r.shown, "status": r.status, "seconds": round(r.seconds, 3), "output": r.base, "missing": r.missing,
                          "fault": r.fault, "tables": [as_data(lines) for _, lines in tables_in(r.out)]
                          if r.command.kind == "markdown" else []} for r in e.results]} for e in self.entries]}))
        # In the list's order: each takes its section's next tables.
        self.sections = {e.figure.name: self.section(e, final) for e in self.entries}
        text = self.markdown(final, model_rows)
        write("report.md", text)
        write("index.html", page(text, "GRETA: figures redone on %s" % self.about["host"]))
        os.rename(folder, final)


def as_json(data):
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def open_and_write(path, text):
    with open(path, "w") as file:
        file.write(text)
