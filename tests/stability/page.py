"""page.py BENCH-PAGE.py GRETA-STABILITY MODEL TEXT: makes a page, opens it in a headless Chromium without a network as greta-bench's is
opened (BENCH-PAGE.py, look.js), and looks at what is drawn, in light and in dark, wide and narrow. Exit status 77: no Chromium."""
import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

LINES = {"mean-error": ("mean_error", 1), "largest-error": ("max_error", 1), "divergence": ("mean_divergence", 1),
         "top1": ("top1_agreement", 100)}


def load(path):
    spec = importlib.util.spec_from_file_location("bench_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_page(tool, model, text, folder):
    html, report = os.path.join(folder, "page.html"), os.path.join(folder, "report.json")
    subprocess.run([tool, model, "-f", text, "--ctx", "160", "--pieces", "2", "--html", html, "--json", report],
                   stdout=subprocess.DEVNULL, check=True)
    return open(html, encoding="utf-8").read(), json.load(open(report, encoding="utf-8"))


def check_lines(page, name, chart, settings):
    member, factor = LINES[name]
    assert chart["shown"] and chart["title"] and chart["caption"], name
    page.check_room(name, chart)
    assert len(chart["lines"]) == len(settings) == 8, name
    assert chart["labels"] == [f"{s['activations']}, {s['kv']}" for s in settings]
    for line, setting in zip(chart["lines"], settings):
        wanted = [factor * row[member] for row in setting["buckets"]]
        assert len(line["values"]) == 16 and all(math.isclose(a, b, rel_tol=1e-8) for a, b in zip(line["values"], wanted)), name
        assert line["width"] > 0.8 and line["fill"] == "none" and line["contrast"] >= 3, (name, line)
        assert (line["dashes"] != "none") == (setting["kv"] == "f16")
    assert len({line["stroke"] for line in chart["lines"]}) == 4
    varied = [line["height"] for line in chart["lines"] if max(line["values"]) > min(line["values"])]
    assert varied and min(varied) > 0, name


def check_view(page, seen, report, dark, width):
    assert seen["dark"] == dark and seen["width"] == width and seen["loaded"] == []
    assert seen["scrolls"] <= width, "the page scrolls sideways"
    assert seen["weakest"] >= 4.5
    assert seen["facts"] == ["model", "text", "run", "device", "build"]
    settings, charts = report["settings"], seen["charts"]
    assert list(charts) == [*LINES, "perplexity"]
    for name in LINES:
        check_lines(page, name, charts[name], settings)
    page.check_chart("perplexity", charts["perplexity"])
    for bar, setting in zip(charts["perplexity"]["bars"], settings):
        assert math.isclose(bar["value"], 1e6 * abs(setting["difference"]), rel_tol=1e-6)
    assert len(charts["perplexity"]["bars"]) == 8 and len(seen["table"]) == 9
    assert seen["table"][1][:3] == ["x32", "f32", "all"] and seen["table"][8][:2] == ["x8", "f16"]


def main():
    page, (tool, model, text) = load(sys.argv[1]), sys.argv[2:]
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        print("skipped: no Chromium here")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        source, report = make_page(tool, model, text, folder)
        views = {}
        for dark, width in ((True, 1280), (False, 600), (False, page.WIDTH_NARROW), (False, 1280)):
            views[dark] = page.look(chromium, source, folder, dark, width)
            check_view(page, views[dark], report, dark, width)
        assert views[False]["back"] != views[True]["back"]
    print("4 charts of 8 lines and 8 bars seen in 4 views")


main()
