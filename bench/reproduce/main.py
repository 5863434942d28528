#!/usr/bin/env python3
"""Redoes the figures of docs/ on this machine: what bench/reproduce.sh runs when the packages are there.

Builds, runs what figures.py lists, and writes report-DATE-HOST: report.md, index.html (the same), report.json, environment and models,
raw/ with what every command printed. Hashes and bits are compared with what is due: exit status 1 when one is wrong or a
command fails. Two limits hold: each command's own, and --limit for all; what has no time left is told, not run.
"""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from figures import FIGURES
from machine import Machine, environment
from report import Entry, Report
from runner import Runner
from results import hashes, markdown

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGETS = ["planner/greta-plan", "runtime/exec/greta-exec", "bench/greta-bench", "bench/greta-perplexity", "bench/greta-stability",
           "bench/parity/greta-parity", "models/greta-synth"]
TEST_TARGETS = ["tests/accuracy/greta-accuracy", "tests/accuracy/test-model", "tests/kernels/gpu/count-plan",
                "tests/provider/bench-copy"]
FULL_TARGETS = ["tests/e2e/test-sim"]


def seconds(text):
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError(text)
    return number


def arguments():
    parser = argparse.ArgumentParser(prog="bench/reproduce.sh", description="Builds the tools and redoes the figures of docs/ on this "
                                     "machine, into a dated folder.")
    parser.add_argument("build", nargs="?", default=os.path.join(ROOT, "build"), help="the build folder (build)")
    parser.add_argument("-o", "--output", metavar="DIR", default=ROOT, help="where the report's folder appears (the repository)")
    parser.add_argument("--full", action="store_true", help="as many runs as the documents have, and no limit: may take an hour")
    parser.add_argument("--limit", type=seconds, metavar="S", help="seconds for everything (240; 570 where a GPU answers)")
    parser.add_argument("--only", metavar="LIST", help="these figures alone, by name")
    parser.add_argument("--llama-bench", metavar="PATH", help="llama.cpp's llama-bench; llama-perplexity is looked for beside it")
    parser.add_argument("--rocm-root", metavar="DIR", help="a root with ROCm, made by tests/rocm/run.sh",
                        default=os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "greta", "rocm"))
    parser.add_argument("--models", metavar="DIR", help="where synthetic models are kept (else they are removed at the end)")
    parser.add_argument("--no-build", action="store_true", help="take the build folder as it is")
    parser.add_argument("--list", action="store_true", help="list figures and commands; run nothing")
    parser.add_argument("--started", type=float, default=time.time(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in ("build", "output", "rocm_root", "models", "llama_bench"):
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    if options.llama_bench and not (os.path.isfile(options.llama_bench) and os.access(options.llama_bench, os.X_OK)):
        parser.error("--llama-bench: no program at %s" % options.llama_bench)
    options.only = [figure.name for figure in FIGURES] if options.only is None else options.only.split(",")
    unknown = set(options.only) - {figure.name for figure in FIGURES}
    if unknown:
        parser.error("no figure is called %s; --list names them" % ", ".join(map(repr, sorted(unknown))))
    return options


def print_list(options):
    for figure in FIGURES:
        if figure.name in options.only:
            print("%s: %s, \"%s\", %d tables%s" % (figure.name, figure.document.replace("../", ""), figure.section, figure.tables,
                                                      "; needs " + ", ".join(figure.needs) if figure.needs else ""))
            for note, text in (("by hand", figure.by_hand), ("only with --full", figure.only_full), ("without --full", figure.fewer)):
                if text:
                    print("    (%s: %s)" % (note, text))
            for command in commands_of(figure, options):
                print("    " + command.line)


def commands_of(figure, options):
    return figure.full if options.full and figure.full else figure.commands


def build(options):
    """The tools; those of the tests too, where their packages are."""
    folder = options.build
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        for tests in ("true", "false"):
            done = subprocess.run(["meson", "setup", folder, ROOT, "-Dtests=" + tests], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True)
            if done.returncode == 0:
                break
            shutil.rmtree(folder, ignore_errors=True)
        else:
            sys.exit(done.stdout)
    known = subprocess.run(["ninja", "-C", folder, "-t", "targets", "all"], stdout=subprocess.PIPE, text=True, check=True).stdout
    wanted = TARGETS + TEST_TARGETS + (FULL_TARGETS if options.full else [])
    wanted = [t for t in wanted if "\n%s:" % t in known]
    if subprocess.run(["ninja", "-C", folder, "--quiet", *wanted]).returncode:
        sys.exit("the tools could not be built")


def why_not(figure, machine, runner):
    """Why a figure is not to be tried now; None if it is."""
    if figure.by_hand:
        return figure.by_hand
    # What only --full measures, it alone builds: then a tool that is not there is no reason.
    waits = figure.only_full and not machine.options.full
    needs = [need for need in figure.needs if not (waits and need.startswith("tool:"))]
    lacking = [why for why in map(machine.lacks, needs) if why]
    if lacking:
        return lacking[0]
    if machine.options.full:
        return None
    if figure.only_full:
        return "%s: --full" % figure.only_full
    if runner.left() < figure.seconds:
        return "takes about %d s; %d of the limit were left: --limit or --full" % (figure.seconds, max(0, runner.left()))
    return None


def urgency(figure):
    """What comes first, should the time not be enough for all: what can be wrong, then a GPU's figures, then the quick ones."""
    checks = figure.document.startswith("../") or any(word in figure.name for word in ("hashes", "parity"))
    return (0 if checks else 1 if any(need.startswith("gpu:") for need in figure.needs) else 2), figure.seconds


def redo(figure, machine, runner):
    why = why_not(figure, machine, runner)
    if why:
        return Entry(figure, why=why)
    results, end = [], time.monotonic() + (figure.limit if not machine.options.full else 20 * figure.limit)
    for number, command in enumerate(commands_of(figure, machine.options)):
        results.append(runner.run(figure, number, command, end - time.monotonic()))
    return Entry(figure, results)


def say(text):
    print(text, flush=True)


def show(entry):
    """On the terminal: the text and the tables that a first reader wants to see."""
    if entry.results and entry.results[0].command.hash:
        say("\n".join(hashes(entry.results)))
    elif entry.figure.name in ("text", "parity", "graph-tiny"):
        for result in entry.results:
            say("\n".join(markdown(result)))


def final_name(options):
    stamp = time.strftime("%Y-%m-%d-%H%M", time.gmtime())
    name = os.path.join(options.output, "report-%s-%s" % (stamp, socket.gethostname().split(".")[0]))
    path, number = name, 1
    while os.path.exists(path):
        number += 1
        path = "%s-%d" % (name, number)
    return path


def run(options, scratch, partial):
    if not options.no_build:
        say("== building in %s" % options.build)
        build(options)
    machine = Machine(ROOT, options.build, options)
    gpu = machine.providers != ["cpu"]
    limit = options.limit or (float("inf") if options.full else 570 if gpu else 240)
    deadline = time.monotonic() + limit - (time.time() - options.started)
    runner, about = Runner(machine, partial, scratch, deadline), environment(machine)
    figures = [figure for figure in FIGURES if figure.name in options.only]
    entries = []
    for number, figure in enumerate(sorted(figures, key=urgency)):
        if sys.stderr.isatty():
            print("\r[%d/%d] %s ...\033[K" % (number + 1, len(figures), figure.name), end="\r", file=sys.stderr, flush=True)
        entry = redo(figure, machine, runner)
        entries.append(entry)
        say("[%d/%d] %s: %s%s%s" % (number + 1, len(figures), figure.name, entry.state, ": " + entry.why if entry.why else "",
                                   " (%.1f s)" % entry.seconds() if entry.results else ""))
        show(entry)
    entries.sort(key=lambda entry: FIGURES.index(entry.figure))
    final = final_name(options)
    Report(runner, about, entries, time.time() - options.started, limit).write(final)
    states = [entry.state for entry in entries]
    say("== %d redone, %d failed, %d not redone, %.0f s: %s" % (states.count("redone"), states.count("failed"), states.count("not redone"),
                                                              time.time() - options.started, os.path.join(final, "report.md")))
    return 1 if "failed" in states else 0


def main():
    options = arguments()
    if options.list:
        print_list(options)
        return 0
    if options.no_build and not os.path.exists(os.path.join(options.build, "planner", "greta-plan")):
        sys.exit("reproduce.sh: --no-build: nothing is built in %s" % options.build)
    os.makedirs(options.output, exist_ok=True)
    # What is being made stands beside what there is, under a name that nobody takes for a report.
    with tempfile.TemporaryDirectory(prefix="greta-reproduce-") as scratch, \
            tempfile.TemporaryDirectory(prefix=".report-", dir=options.output) as beside:
        options.models = options.models or os.path.join(scratch, "models")
        os.makedirs(options.models, exist_ok=True)
        partial = os.path.join(beside, "report")
        os.makedirs(partial)
        return run(options, scratch, partial)


def stopped(number, _frame):
    """Ends the program by way of every `with`, so that nothing unfinished is left."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stopped)
    signal.signal(signal.SIGINT, stopped)
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit("reproduce.sh: %s" % error)
