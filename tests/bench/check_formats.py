"""check_formats.py WHAT FILE [LLAMA-BENCH.json]: looks at what greta-bench wrote; ends with an AssertionError where it is not right."""
import csv
import json
import sys

TESTS = [(16, 0, 0), (0, 4, 0), (16, 0, 8), (0, 4, 8)] # prompt, generated, depth
CONFIGURATIONS = [("eager", "none"), ("graph", "none"), ("eager", "full"), ("graph", "full")]

# Of llama-bench's members those that only make sense there.
THEIRS_ALONE = {"build_number", "cpu_mask", "cpu_strict", "poll", "n_cpu_moe", "split_mode", "main_gpu", "no_kv_offload",
                "flash_attn", "devices", "tensor_split", "tensor_buft_overrides", "load_mode", "lazy_mode", "embeddings",
                "no_op_offload", "no_host", "repack", "fit_target", "fit_min_ctx"}


def check_rows(rows, processes=1):
    assert [(r["n_prompt"], r["n_gen"], r["n_depth"]) for r in rows] == [t for t in TESTS for _ in CONFIGURATIONS]
    assert [(r["mode"], r["fuse"]) for r in rows] == CONFIGURATIONS * len(TESTS)
    for row in rows:
        assert row["runs"] == 2 and row["processes"] == processes
        assert len(row["samples_ns"]) == len(row["samples_ts"]) == 2 * processes
        tokens = row["n_prompt"] + row["n_gen"]
        for ns, rate in zip(row["samples_ns"], row["samples_ts"]):
            assert abs(rate * ns / 1e9 / tokens - 1) < 1e-6
        assert row["min_ns"] == min(row["samples_ns"]) and row["max_ns"] == max(row["samples_ns"])
        assert row["min_ts"] <= row["median_ts"] <= row["max_ts"]
        assert abs(row["avg_ns"] - sum(row["samples_ns"]) / len(row["samples_ns"])) <= 1
        assert row["start_position"] == (row["n_depth"] if row["n_prompt"] else max(row["n_depth"], 1))
        assert ("step_us" in row) == (row["n_gen"] > 0)
        assert ("process_median_ts" in row) == (processes > 1)
        assert len(row["model_fingerprint"]) == 32 and len(row["plan_checksum"]) == 16


def check_fields(rows, peer):
    """Every member of llama-bench's is there, of the same JSON type, in its order."""
    theirs = {k: v for k, v in json.load(open(peer))[0].items() if k not in THEIRS_ALONE}
    for row in rows:
        for name, value in theirs.items():
            assert name in row, name
            assert type(row[name]) is type(value), name
        assert [k for k in row if k in theirs] == list(theirs)
    for name in ("model_size", "model_n_params", "model_filename"):
        assert str(rows[0][name]).endswith(str(theirs[name]).split("/")[-1]), name


def main():
    what, path, *rest = sys.argv[1:]
    text = open(path, encoding="utf-8").read()
    if what == "json":
        document = json.loads(text)
        check_rows(document["results"])
        check_fields(document["results"], rest[0])
        assert len(document["ratios"]) == 16
        assert document["read_rate"]["bytes_per_second"] > 0
        assert "node_cost" not in document
    elif what == "jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
        check_rows(rows)
        check_fields(rows, rest[0])
    elif what == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert len(rows) == 16 and [(int(r["n_prompt"]), int(r["n_gen"]), int(r["n_depth"])) for r in rows[::4]] == TESTS
        for row in rows:
            assert None not in row and None not in row.values()
            assert float(row["avg_ts"]) > 0 and int(row["avg_ns"]) > 0
            assert (row["step_us"] != "") == (row["n_gen"] != "0")
        assert "samples_ns" not in rows[0] and "stddev_ts" in rows[0]
    elif what == "md":
        for words in ("| pp64 | eager | none |", "| tg4 @ d8 | graph | full |", "read rate: ", "fingerprint ", "takes ",
                      "| graph | forked, 4 wide | 1000 |", "Measured there alone: tg16", "Measured here alone: tg4 @ d8"):
            assert words in text, words
    elif what == "spawns":
        document = json.loads(text)
        check_rows(document["results"], 2)
        assert len(document["node_cost"]) == 16 and len(document["node_cost"][0]["samples_ns"]) == 40
        assert len(document["read_rate"]["samples"]) == 2
    elif what == "against":
        document = json.loads(text)
        rows = document["against"]["rows"]
        assert [(r["n_prompt"], r["n_gen"], r["n_depth"]) for r in rows] == [(64, 0, 64)] * 2 + [(0, 16, 64)] * 2
        for row, own in zip(rows, document["results"]):
            assert row["ts"] == own["median_ts"] and abs(row["ratio"] - row["ts"] / row["peer_ts"]) < 1e-6 * row["ratio"]
        assert sorted(document["against"]["notes"])[:2] == ["Measured there alone: pp64.", "Measured there alone: tg16."]
    elif what == "own":
        document = json.loads(text)
        rows = document["against"]["rows"]
        assert len(rows) == len(document["results"]) == 4 and not document["against"]["notes"]
        theirs = {(r["mode"], r["fuse"]): r["median_ts"] for r in json.load(open(sys.argv[3], encoding="utf-8"))["results"]}
        for row in rows:
            assert row["peer"].endswith(", %s/%s" % (row["mode"], row["fuse"]))
            assert abs(row["peer_ts"] - theirs[row["mode"], row["fuse"]]) < 1e-6 * row["peer_ts"]
    elif what == "own_alone":
        document = json.loads(text)
        assert [(r["mode"], r["fuse"]) for r in document["against"]["rows"]] == [("eager", "full"), ("graph", "full")]
        assert sorted(document["against"]["notes"]) == [
            "Measured here alone: tg4, eager/full.", "Measured here alone: tg4, graph/full.",
            "Measured there alone: pp16, eager/none.", "Measured there alone: pp16, graph/none."]
    elif what == "plan":
        document = json.loads(text)
        assert len(document["results"]) == 4
        assert {(r["mode"], r["fuse"]) for r in document["results"]} == {("eager", "full"), ("graph", "full")}
        assert all(r["context"] == 64 and r["activations"] == 16 for r in document["results"])
    elif what == "nodes":
        document = json.loads(text)
        assert "results" not in document and document["provider"] == "cpu"
        assert [r["nodes"] for r in document["node_cost"]] == [1, 10, 100, 1000] * 4
    else:
        raise SystemExit("what is " + what)


main()
