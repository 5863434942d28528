"""check_json.py STABILITY.json PARITY.json PERPLEXITY.txt: the report of greta-stability against itself and against what two other
tools say of the same tokens: greta-parity of the logits with x16 and an F16 cache, greta-perplexity of all settings."""
import json
import math
import re
import sys

REPORT, PARITY = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
PERPLEXITY = open(sys.argv[3], encoding="utf-8").read()


def near(a, b, within=1e-9):
    return abs(a - b) <= within * max(abs(a), abs(b))


def check_setting(setting, report):
    whole, buckets = setting["whole"], setting["buckets"]
    assert setting["finite"] and setting["stopped"] is None and whole["not_finite"] == 0
    assert [row["first"] for row in buckets[1:]] == [row["last"] + 1 for row in buckets[:-1]]
    assert buckets[0]["first"] == 0 and buckets[-1]["last"] == report["context"] - 1 == whole["last"]
    for row in buckets:
        assert row["positions"] == report["pieces"] * (row["last"] - row["first"] + 1)
        assert 0 < row["mean_error"] <= row["max_error"] and 0 <= row["mean_divergence"] <= row["max_divergence"]
    assert sum(row["positions"] for row in buckets) == whole["positions"] == report["tokens"]
    for name in ("max_error", "max_divergence"):
        assert max(row[name] for row in buckets) == whole[name]
    for name in ("mean_error", "mean_divergence", "top1_agreement", "top_k_agreement"):
        assert near(sum(row["positions"] * row[name] for row in buckets) / whole["positions"], whole[name]), name
    last = [report["pieces"]] * (len(buckets) - 1) + [0]  # behind a piece's last position nothing is scored
    scored = [row["positions"] - (0 if more else report["pieces"]) for row, more in zip(buckets, last)]
    for name in ("perplexity", "perplexity_exact"):
        mean = sum(n * math.log(row[name]) for n, row in zip(scored, buckets) if n) / sum(scored)
        assert near(mean, math.log(whole[name])), name
    assert abs(setting["perplexity"] / report["perplexity"] - 1 - setting["difference"]) < 1e-12


def main():
    settings = {(s["activations"], s["kv"]): s for s in REPORT["settings"]}
    assert list(settings) == [(a, kv) for a in ("x32", "x24", "x16", "x8") for kv in ("f32", "f16")]
    for setting in settings.values():
        check_setting(setting, REPORT)
    for kv in ("f32", "f16"):
        for name in ("max_error", "mean_error", "mean_divergence"):
            assert settings["x32", kv]["whole"][name] < settings["x8", kv]["whole"][name] / 10
    assert settings["x32", "f32"]["whole"]["max_error"] < 1e-5 < settings["x32", "f16"]["whole"]["max_error"]

    rows = re.findall(r"^\| (\w+) \| (\w+) \| ([\d.]+) \| ([\d.]+) \|", PERPLEXITY, re.M)
    assert len(rows) == 9
    for activations, kv, value, error in rows:
        of = REPORT if kv == "fp64" else settings[activations, kv]
        assert f"{of['perplexity']:.5f}" == value and f"{of['perplexity_error']:.5f}" == error, (activations, kv)

    whole, compared = settings["x16", "f16"]["whole"], PARITY["comparisons"][0]
    place = next(p for p in compared["places"] if p["tensor"] == "logits")
    for here, there in ((whole["max_error"], place["max_error"]), (whole["mean_error"], place["mean_error"]),
                        (whole["max_divergence"], compared["logits"]["max_divergence"]),
                        (whole["mean_divergence"], compared["logits"]["mean_divergence"]),
                        (whole["top1_agreement"], compared["logits"]["top1_agreement"]),
                        (whole["top_k_agreement"], compared["logits"]["top_k_agreement"])):
        assert near(here, there), (here, there)
    assert compared["logits"]["positions"] == whole["positions"]


main()
