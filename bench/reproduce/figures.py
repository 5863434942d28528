"""Every figure of docs/: where it stands, which commands redo it, what they need.

In commands {tiny}, {tinyllama}, {llama7b} are models (the last two are written when they are first asked for), {heldout} and
{prompt} the bundled model's held-out text and its first 44 tokens, {build} the build folder, {raw} the file of the command's
own output in the report, without its ending.
"""
from dataclasses import dataclass, field


@dataclass
class Command:
    line: str
    kind: str = "markdown"  # of its output: markdown, text, hash, bench, parity, stats (what stands on stderr)
    label: str = ""
    hash: str = ""          # the logits' hash that is due
    optional: bool = False  # its failing means that this machine lacks it: a form of the kernels


@dataclass
class Figure:
    name: str
    document: str
    section: str
    commands: list
    tables: int = 1             # of the section
    seconds: int = 10           # on two cores, as a rule of thumb
    limit: int = 120            # seconds after which it is stopped
    needs: tuple = ()           # Machine.lacks
    full: list = None           # commands with --full, if others
    fewer: str = ""             # what the usual commands leave out of the full ones
    only_full: str = ""         # why it waits for --full
    by_hand: str = ""           # why it is never redone here


HASHES = {("x32", "f16"): "1519cf55e14d88e178c69a469f3dbcd2", ("x24", "f16"): "7c46b8f4417ac21c42abc1d616b7b249",
          ("x16", "f16"): "0a96799c5f41c5254185390d0d6e40dd", ("x8", "f16"): "befe3952b1a28eb224b163200cef1dfb",
          ("x32", "f32"): "9023a3286fdd2d8aeb0921844b515718"}  # docs/numbers.md, "Hashes to expect"


def hash_of(way, activations="x32", kv="f16", provider="cpu"):
    words = "--activations %s --kv %s --provider %s %s" % (activations, kv, provider, way)
    return Command("{build}/runtime/exec/greta-exec {tiny} -f {prompt} -n 256 --temp 0 --ignore-end --ctx 320 --hash " + words.strip(),
                   "hash", "%s %s %s %s" % (provider, activations, kv, way), HASHES[activations, kv], "--kernels" in way)


def hashes_on(provider):
    ways = ["", "--eager", "--fuse none", "--fuse none --eager", "--chunk 7", "--chunk 1"]
    if provider == "cpu":
        ways += ["--threads 1", "--threads 5"] + ["--kernels " + form for form in ("amx", "avx512", "avx2", "portable", "ref")]
    return [hash_of(way, provider=provider) for way in ways] + \
        [hash_of("", activations, kv, provider) for activations, kv in HASHES if (activations, kv) != ("x32", "f16")]


# docs/reproducibility.md, "Hashes to expect": of a prompt in words.
TEXT_HASHES = [
    ("tiny", 64, "", "3aa9b858e598627586bb0914240960f2"), ("tiny", 64, "--activations x24", "a2149b162084c04046da2aa94f935d7e"),
    ("tiny", 64, "--activations x16", "d347072823027d639d41f154c1ac7827"),
    ("tiny", 64, "--activations x8", "62c2d23d9a88f117d61d308488ab8040"), ("tiny", 64, "--kv f32", "4044fa56baf4c9868bd4bf8515e9d1f7"),
    ("tiny", 900, "--ignore-end", "7a4aa1879295a3d3b0ccb504bfff5e81"),
    ("tiny", 256, "--seed 7 --ignore-end --temp 0.8", "8246eae9b9d26171f4ea58e1fa731241"),
    ("tinyllama", 64, "--ignore-end", "9b87c2c4fd7564b9f8ed03bca0fb5e62"),
    ("tinyllama", 64, "--ignore-end --kv f32", "f737ac3f9477d5d75321cabb9bccb4de"),
    ("llama7b", 16, "--ignore-end", "afe49d1f912d6c4f39a1d828a3255be5"),
]


def text_hashes(provider, *models):
    """In the models' order, as the document has them."""
    return [Command('{build}/runtime/exec/greta-exec {%s} -p "In the beginning" -n %d --temp 0 --hash --provider %s %s' % (
        model, tokens, provider, way), "hash", "%s %s, %d tokens %s" % (provider, model, tokens, way), due)
        for model, tokens, way, due in TEXT_HASHES if model in models]


BENCH = "{build}/bench/greta-bench "
PARITY = "{build}/bench/parity/greta-parity "
ORACLE_SIDES = " ".join("-b cpu,%s,kv=%s" % (x, kv) for x in ("x32", "x24", "x16", "x8") for kv in ("f16", "f32"))
AGAINST = "bench/against.py {llama_bench} {tinyllama} --greta-bench {build}/bench/greta-bench "
PERPLEXITY = "{build}/bench/greta-perplexity {tiny} -f {heldout} --kv f16,f32 --activations "
STABILITY = "{build}/bench/greta-stability {tiny} -f {heldout} --markdown {raw}.md --html {raw}.html --json {raw}.json"
ACCURACY = "{build}/tests/accuracy/greta-accuracy --seed 1"


def bench(arguments, label=""):
    return Command(BENCH + arguments + " -o json --html {raw}.html", "bench", label)


def parity(arguments, label=""):
    return Command(PARITY + arguments + " --json", "parity", label)


def on_gpu(provider, document, section, tables):
    """What is measured of a GPU: the same for each kind."""
    needs = ("gpu:" + provider,)
    big = needs + ("disk:5",)
    return [
        Figure("hashes-" + provider, document, section, hashes_on(provider) + text_hashes(provider, "tiny", "tinyllama", "llama7b"), 0, 40,
               150, big),
        Figure("parity-" + provider, document, section,
               [parity("{tiny} -n 32 -b %s -b %s,eager -b %s,fuse=none,decode -b %s,plain" % ((provider,) * 4))], 0, 15, 90, needs),
        Figure("decode-" + provider, document, section,
               [bench("{llama7b} -p 512 -n 128 -d 0,2048 -r 2 --fuse full --blocks --provider " + provider),
                bench("{llama7b} -p 512 -n 0 -r 2 --modes graph --fuse full --activations x16 --provider " + provider, "x16")],
               tables, 60, 180, big,
               [bench("{llama7b} -p 512 -n 128 -d 0,2048 -r 3 --blocks --provider " + provider),
                bench("{llama7b} -p 512 -n 0 -r 3 --modes graph --fuse full --activations x16 --provider " + provider, "x16")],
               "two runs, not three, and fused alone"),
        Figure("node-cost-" + provider, document, section, [bench("--node-cost --provider " + provider)], 0, 5, 60, needs),
        Figure("llama-cpp-" + provider, document, section,
               [Command("{llama_bench} -m {llama7b} -ngl 99 -fa 1 -p 512 -n 128 -r 3 -o md")], 0, 40, 120,
               big + ("llama:llama-bench",), [Command("{llama_bench} -m {llama7b} -ngl 99 -fa 1 -p 512 -n 128 -r 5 -o md")],
               "three runs, not five"),
    ]


FIGURES = [
    Figure("plan", "../README.md", "Quick start", [
        Command("{build}/planner/greta-plan build {tiny} -o {scratch}/tiny.plan", "text", "a plan"),
        Command("{build}/planner/greta-plan verify {scratch}/tiny.plan -m {tiny}", "text", "checked"),
        Command("{build}/planner/greta-plan show {scratch}/tiny.plan", "text", "what it decided")], 0, 2, 30),
    Figure("text", "../README.md", "Quick start",
           [Command('{build}/runtime/exec/greta-exec {tiny} -p "In the beginning" -n 120', "text")], 0, 2, 30),
    Figure("hashes", "numbers.md", "Hashes to expect", hashes_on("cpu"), 1, 25, 150),
    Figure("text-hashes", "reproducibility.md", "Hashes to expect", text_hashes("cpu", "tiny", "tinyllama"), 1, 25, 120,
           ("disk:3",), text_hashes("cpu", "tiny", "tinyllama", "llama7b"), "not Llama 2 7B's shape"),
    Figure("parity", "parity.md", "greta-parity: where two computations part",
           [parity("{tiny} -n 32", "this machine's kernels")] +
           [Command(PARITY + "{tiny} -n 24 -b cpu:%s -b cpu:%s,fuse=none,decode --json" % (form, form), "parity", form,
                    optional=True) for form in ("amx", "avx512", "avx2", "portable")], 0, 15, 90),
    *on_gpu("nvidia", "performance.md", "On an NVIDIA H100 and an H200, beside llama.cpp", 3),
    *on_gpu("amd", "performance.md", "A model of an MI300X", 0),
    Figure("graph-tiny", "performance.md", "Graph against eager on a CPU",
           [bench("{tiny} -p 256 -n 128 -r 5 --provider cpu")], 0, 8, 60),
    Figure("blocks", "bench.md", "What is measured",
           [bench("{tiny} -p 0 -n 64 -r 5 --modes graph --fuse none,full --blocks --node-cost --provider cpu")], 0, 6, 60),
    Figure("products", "accuracy.md", "Products", [Command(ACCURACY)], 2, 9, 60, ("tool:tests/accuracy/greta-accuracy",)),
    Figure("operations", "accuracy.md", "The other operations", [Command(ACCURACY)], 1, 1, 60,
           ("tool:tests/accuracy/greta-accuracy",)),
    Figure("perplexity", "accuracy.md", "The whole model", [Command(PERPLEXITY + "x32")], 1, 10, 60, (),
           [Command(PERPLEXITY + "x32,x24,x16,x8 --oracle")],
           "x32 alone, and not the columns that need fp64, which take minutes"),
    Figure("logits", "accuracy.md", "The whole model", [Command("{build}/tests/accuracy/test-model {tiny}", "text")], 1, 3, 60,
           ("tool:tests/accuracy/test-model",)),
    Figure("perplexity-llama-cpp", "accuracy.md", "Beside llama.cpp",
           [Command("tests/peer/perplexity.py {build}/bench/greta-perplexity {llama_perplexity} {tiny} {heldout}")], 1, 75, 180,
           ("llama:llama-perplexity",)),
    Figure("continuations", "accuracy.md", "Beside llama.cpp", [], 0,
           by_hand="needs PyPI's llama-cpp-python, which takes minutes to build: tests/peer/README.md has the commands"),
    Figure("stability", "stability.md", "The bundled model",
           [Command(STABILITY + " -c 256 --pieces 4")], 3, 25, 90, ("tool:bench/greta-stability",),
           [Command(STABILITY)], "4 pieces of 256 tokens, not 17 of 1,024"),
    Figure("tolerances", "parity.md", "By how much",
           [parity("{tiny} -f {heldout} -n 128 --against oracle --chunk 32 --fuse none " + ORACLE_SIDES)], 1, 6, 60, (),
           [parity("{tiny} -f {heldout} -n 700 --against oracle --chunk 32 --fuse none " + ORACLE_SIDES, "the bundled model"),
            parity("{tinyllama} -n 24 --against oracle --chunk 24 --fuse none -b cpu -b cpu,kv=f32 -b cpu,x24,kv=f32 "
                   "-b cpu,x16,kv=f32 -b cpu,x8,kv=f32", "TinyLlama's shape")],
           "128 tokens of 700, and not TinyLlama's shape"),
    Figure("graph-eager", "performance.md", "Graph against eager on a CPU",
           [bench("{tinyllama} -p 64 -n 16 -r 3 --provider cpu")], 1, 40, 90, ("disk:3", "memory:2"),
           [bench("{tinyllama} -p 64 -n 32 -r 3 --provider cpu")], "16 tokens, not 32"),
    Figure("starting", "performance.md", "Starting",
           [Command("{build}/runtime/exec/greta-exec {tinyllama} -p a -n 1 --temp 0 --stats --provider " + provider, "stats", label)
            for label, provider in (("cpu, after planning and packing", "cpu"), ("cpu", "cpu"), ("auto", "auto"))],
           0, 4, 60, ("disk:3",)),
    Figure("mi300x-model", "performance.md", "A model of an MI300X",
           [Command("bench/model_mi300x.py {llama7b} --build {build} --context 128")], 2, 20, 90,
           ("kernels:gfx942", "tool:tests/kernels/gpu/count-plan", "disk:5")),
    Figure("beside-llama-cpp", "performance.md", "Beside llama.cpp on a CPU",
           [Command(AGAINST + "-r 1 -n 8 --threads {threads}")], 2, 30, 120, ("llama:llama-bench", "disk:3", "memory:3"),
           [Command(AGAINST + "-r 3 -n 32")], "one run of 8 tokens with all threads; with the llama-bench that was named, "
           "where the documents have two builds"),
    Figure("beside-llama-cpp-avx512", "performance.md", "Beside llama.cpp on a CPU",
           [Command(AGAINST + "-r 2 -n 16 --kernels avx512")], 1, 120, 300, ("llama:llama-bench", "disk:3", "memory:3"),
           only_full="two minutes"),
    Figure("rocm-launches", "performance.md", "AMD's runtime: the host's part of a step",
           [Command("tests/rocm/run.sh --launch-cost {tiny} --launch-cost {llama7b} {rocm_root} {build}/rocm")], 1, 300, 900,
           ("rocm", "root", "disk:7"), only_full="builds GRETA once more inside a root with ROCm"),
    Figure("uploading", "performance.md", "Uploading, and a device's memory",
           [Command("{build}/tests/provider/bench-copy nvidia", "text", "the link"),
            Command("{build}/runtime/exec/greta-exec {llama7b} --provider nvidia -p a -n 1 --temp 0 --stats", "stats", "the weights")],
           0, 15, 60, ("gpu:nvidia", "tool:tests/provider/bench-copy", "disk:5")),
    Figure("gfx942-simulated", "numbers.md", "The logits' hash", [Command("{build}/tests/e2e/test-sim {tiny}", "text")], 0, 300, 900,
           ("kernels:gfx942", "tool:tests/e2e/test-sim"), only_full="minutes: AMD's machine code in a simulator"),
]

# Tables of docs/ that are definitions or lists, and no figures: how many of each section.
NO_FIGURES = {
    ("numbers.md", "Formats"): 1, ("numbers.md", "What is exact, what is rounded"): 1, ("numbers.md", "Products"): 1,
    ("numbers.md", "Why nothing overflows"): 1,
    ("parity.md", "What is compared"): 1,
}
DESCRIPTIVE_DOCUMENTS = ("architecture.md", "gaps.md")  # none of their tables is a figure
