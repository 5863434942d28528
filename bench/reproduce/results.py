"""What a command gave, as Markdown."""
import json

from documents import table


def test_of(row):
    """What greta-bench calls a test: pp512, tg128 @ d2048."""
    return ("pp%d" % row["n_prompt"] if row["n_prompt"] else "tg%d" % row["n_gen"]) + (" @ d%d" % row["n_depth"] if row["n_depth"] else "")


def of_bench(out):
    """greta-bench's object: rates, ratios, blocks, empty launches, of all tests."""
    data = json.loads(out)
    rows, lines = data.get("results", []), []
    if rows:
        first, rate = rows[0], data.get("read_rate") or {}
        lines = ["%s; fingerprint %s; %s, provider %s, kernels %s, %d threads; read rate %.1f GB/s; tok/s: median (smallest to largest)"
                 % (first["model_name"], first["model_fingerprint"], first["device"], first["provider"], first["kernels"],
                    first["n_threads"], rate.get("bytes_per_second", 0) / 1e9), ""]
        lines += table(["test", "mode", "fuse", "launches/step", "tok/s", "us/step", "of read rate", "capture ms", "instantiate ms"], [
            [test_of(row), row["mode"], row["fuse"],
             row["launches_per_step"], "%.2f (%.2f to %.2f)" % (row["median_ts"], row["min_ts"], row["max_ts"]),
             "%.1f" % row["step_us"] if row.get("step_us") else "", "%.0f%%" % (100 * row["read_share"]) if row.get("read_share") else "",
             "%.3f" % row["capture_ms"], "%.3f" % row["instantiate_ms"]] for row in rows]) + [""]
    for row in data.get("ratios") or []:
        lines.append("- %s: %s/%s takes %.3f of the time of %s/%s (%.3f to %.3f)" % (
            test_of(row), row["mode"], row["fuse"], row["median"], row["to_mode"], row["to_fuse"], row["min"], row["max"]))
    if data.get("blocks"):
        lines += [""] + table(["mode", "fuse", "depth", "block", "launches", "us a step", "min to max", "share"], [
            [row["mode"], row["fuse"], row["n_depth"], row["block"], row["launches"], "%.1f" % row["us"],
             "%.1f to %.1f" % (row["us_min"], row["us_max"]), "%.1f%%" % (100 * row["share"])] for row in data["blocks"]]) + [""]
        lines += ["- %s/%s @ d%d: blocks and the time between steps are %.1f%% of the stamped step, %.1f us; "
                  "the stamps cost %.1f%% of the plain one" % (row["mode"], row["fuse"], row["n_depth"], 100 * row["accounted"],
                                                               row["stamped_us"], 100 * row["cost"])
                  for row in data.get("block_checks") or []]
    if data.get("node_cost"):
        lines += ["", "Empty launches:", ""] + table(["mode", "chain", "nodes", "us", "us a node"], [
            [row["mode"], row["shape"], row["nodes"], "%.2f" % (row["median_ns"] / 1e3), "%.3f" % row["node_us"]]
            for row in data["node_cost"]])
    return lines


def of_parity(out):
    data = json.loads(out)
    sides, rows = data["sides"], []
    for comparison in data["comparisons"]:
        places, logits = comparison["places"], comparison.get("logits") or {}
        exact = comparison["owes_equal_bits"]
        first = comparison.get("first_difference")
        rows.append([sides[comparison["b"]]["side"], sides[comparison["b"]].get("device") or "", len(places), comparison["verdict"],
                     first["tensor"] if exact and first else "",
                     "" if exact else "%.1e" % max(place["max_relative"] for place in places),
                     "" if exact else "%.1e" % max(1 - place["min_cosine"] for place in places),
                     "" if exact else "%.1e" % logits.get("max_divergence", 0)])
    columns = ["side", "device", "places", "verdict", "first difference", "relative error", "1 − cosine", "divergence"]
    kept = [i for i in range(len(columns)) if any(str(row[i]) for row in rows)]
    return ["%d tokens of %s; A: %s" % (data["tokens"], data["text"], sides[0]["side"]), ""] + \
        table([columns[i] for i in kept], [[row[i] for i in kept] for row in rows])


def fenced(text):
    return ["```", *text.rstrip().replace("```", "'''").splitlines(), "```"]


def markdown(result):
    """Lines of Markdown: the result, or what stood in its way."""
    if result.missing:
        return ["Not here: %s." % result.missing.rstrip(".")]
    lines = ["**Failed**: %s" % result.fault, ""] if result.fault else []
    try:
        if result.command.kind == "bench":
            return lines + of_bench(result.out)
        if result.command.kind == "parity":
            return lines + of_parity(result.out)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return lines + ["What it printed is not what was expected (%s)." % error] + fenced(result.out[:2000])
    if result.command.kind == "markdown":
        # Its headings stand below ours.
        return lines + ["####" + line if line.startswith("#") else line for line in result.out.rstrip().splitlines()]
    if result.command.kind == "stats":
        return lines + fenced(result.err)
    return lines + fenced((result.out + ("\n" + result.err if not result.out.strip() else "")))


def hashes(results):
    """All ways of one figure in one table."""
    verdict = lambda r: r.missing or r.fault or "as due"
    return table(["way", "hash", "", "s"], [
        ["`%s`" % r.command.label.strip(), r.logits_hash() or "", verdict(r), "%.1f" % r.seconds] for r in results])
