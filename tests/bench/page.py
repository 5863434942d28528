"""page.py GRETA-BENCH MODEL LLAMA-BENCH.json: makes a page with every chart, opens it in a headless Chromium without a network, and looks
at what is drawn (look.js), in light and in dark, wide and narrow. Exit status 77: there is no Chromium here."""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

WIDTH_NARROW = 400
HERE = os.path.dirname(os.path.abspath(__file__))


def make_page(bench, model, peer, folder):
    page = os.path.join(folder, "page.html")
    done = subprocess.run([bench, model, "-p", "64", "-n", "16", "-d", "0,64", "-r", "2", "--provider", "cpu", "--spawns", "2", "--blocks",
                           "--node-cost", "--against", peer, "--html", page, "-o", "json"], stdout=subprocess.PIPE, check=True,
                          env={**os.environ, "XDG_CACHE_HOME": folder})
    return open(page, encoding="utf-8").read(), json.loads(done.stdout)


def look(chromium, page, folder, dark, width):
    """What look.js sees; the page's own policy forbids scripts, so this one is let in by name."""
    script = open(os.path.join(HERE, "look.js"), encoding="utf-8").read()
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert page.count(policy) == 1, "the page has no policy that forbids loading"
    page = page.replace(policy, policy + "; script-src 'nonce-look'")
    page = page.replace("</body>", '<script nonce="look">' + script + "</script>\n</body>")
    path = os.path.join(folder, "looked.html")
    with open(path, "w", encoding="utf-8") as file:  # in a frame, since a window has a least width
        file.write(f"""<!DOCTYPE html><iframe width="{width}" height="1000" frameborder="0" srcdoc="{html.escape(page)}"></iframe>
<script>document.querySelector("iframe").onload = event =>
	document.body.append(event.target.contentDocument.querySelector("#seen").cloneNode(true));</script>""")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
               "--user-data-dir=" + os.path.join(folder, "profile"), "--host-resolver-rules=MAP * ~NOTFOUND",
               "--proxy-server=127.0.0.1:9", f"--window-size={width + 100},1100",
               f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom", "file://" + path]
    dom = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=True).stdout
    found = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.S)
    assert found, "the script has not run: " + dom[-400:]
    return json.loads(html.unescape(found.group(1)))


def check_room(name, chart):
    """All of a chart is there to be read, without scrolling, whatever the width."""
    assert not chart["outside"] and not chart["scrolls"] and not chart["clashes"], (name, chart["outside"], chart["clashes"])
    assert chart["smallest"] >= 12 and chart["weakest"] >= 4.5, name


def check_chart(name, chart):
    bars = chart["bars"]
    assert chart["shown"] and chart["title"] and chart["caption"], name
    assert len(bars) == len(chart["labels"]) == len(chart["values"]) and bars, name
    check_room(name, chart)
    assert not chart["covered"], (name, chart["covered"])
    assert all(bar["contrast"] >= 3 for bar in bars), name
    most = max(bars, key=lambda bar: bar["value"])
    for bar in bars:  # lengths are values, from one left edge
        assert abs(bar["width"] / most["width"] - bar["value"] / most["value"]) < 0.005, (name, bar)
        assert bar["left"] == most["left"], (name, bar)


def check_view(seen, document, dark, width):
    assert seen["dark"] == dark and seen["width"] == width
    assert seen["loaded"] == []
    assert seen["scrolls"] <= width, "the page scrolls sideways"
    assert seen["weakest"] >= 4.5
    assert seen["facts"] == ["model", "device", "kernels", "plan", "measured", "read rate", "build"]
    for name, chart in seen["charts"].items():
        check_chart(name, chart)
    results = document["results"]
    decode = [row for row in results if row["n_gen"]]
    wanted = {"decode": len(decode), "prefill": len(results) - len(decode), "roofline": len(decode),
              "against": len(document["against"]["rows"]), "decode-processes": 2 * len(decode),
              "prefill-processes": 2 * (len(results) - len(decode)), "nodes": len(document["node_cost"]), "blocks": len(document["blocks"])}
    assert {name: len(chart["bars"]) for name, chart in seen["charts"].items()} == wanted
    charts = seen["charts"]
    configurations, names = len(decode), ["embed", "QKV", "attention + KV", "output", "FFN", "lm_head", "sample"]
    assert len(charts["blocks"]["groups"]) == configurations and set(names) < set(charts["blocks"]["labels"])
    for bar, row in zip(charts["blocks"]["bars"], document["blocks"]):
        assert abs(bar["value"] - row["us"]) <= 1e-6 * row["us"]
    assert len(seen["checks"]) == 1 + configurations and all(row[6].endswith("%") for row in seen["checks"][1:])
    assert charts["decode"]["labels"][:4] == ["eager, unfused", "graph, unfused", "eager, fused", "graph, fused"]
    assert charts["decode"]["groups"] == ["tg16", "tg16 @ d64"]
    assert len({bar["fill"] for bar in charts["decode"]["bars"]}) == 4
    for bar, row in zip(charts["decode"]["bars"], decode):
        assert abs(bar["value"] / row["median_ts"] - 1) < 1e-6
    for name in ("roofline", "against"):  # one line, a piece beside each bar
        reference = charts[name]["reference"]
        assert len(reference) == len(charts[name]["bars"]) and max(reference) - min(reference) < 0.01 and min(reference) > 0
    assert all("%" in value for value in charts["roofline"]["values"])
    assert len(seen["table"]) == 1 + len(results) and seen["table"][1][:3] == ["pp64", "eager", "none"]
    plan = seen["plan"]
    assert plan["shown"] and plan["buffers"] > 43 and plan["colours"] == 7 and plan["weakest"] >= 4.5


def main():
    bench, model, peer = sys.argv[1:]
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        print("skipped: no Chromium here")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        page, document = make_page(bench, model, peer, folder)
        views = {}
        for dark, width in ((False, 1280), (True, 1280), (False, 600), (False, WIDTH_NARROW)):
            views[dark, width] = look(chromium, page, folder, dark, width)
            check_view(views[dark, width], document, dark, width)
        light, night = views[False, 1280], views[True, 1280]
        assert light["back"] != night["back"] and light["plan"]["page"] != night["plan"]["page"]
        fills = [[bar["fill"] for bar in view["charts"]["decode"]["bars"]] for view in (light, night)]
        assert all(a != b for a, b in zip(*fills))
    print(f"{sum(len(chart['bars']) for chart in light['charts'].values())} bars in {len(light['charts'])} charts seen in 4 views")


if __name__ == "__main__":
    main()
