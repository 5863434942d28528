#!/bin/sh
# greta-parity as a user runs it: parity.sh GRETA-PARITY GRETA-SYNTH MODEL.
tool=$(realpath "$1") synth=$(realpath "$2") model=$(realpath "$3")
. "$(dirname "$0")/../tool.sh"
set -e

ends 0 --help
says '--against ref|oracle'
says '^Exit status: 0 equal'
ends 0 --version
says '^greta-parity [0-9]'
refused 2 'expected one model, got nothing'
refused 2 'expected one model' "$model" "$model"
refused 2 'cpu,fast' "$model" -b cpu,fast
refused 2 "--against: expected one of ref, oracle, got 'truth'" "$model" --against truth
refused 2 "--activations: expected one of x8, x16, x24, x32, got 'x48'" "$model" --activations x48
refused 2 "-n: expected a whole number from 1 to 16777216, got '0'" "$model" -n 0
refused 2 "--tolerance: expected a number above 0, got '0'" "$model" --tolerance 0
# Sides that contradict each other or themselves.
refused 2 'that of --against' "$model" --against ref -a cpu
refused 2 "-a: expected one side, got 'ref'" "$model" -a cpu -a ref
refused 2 'who is A: that of --against, or cpu as the first --target' "$model" --against oracle --target cpu --target cpu:portable
refused 2 'who is A: ref, or cpu' "$model" -a ref --target cpu --target cpu:portable
refused 2 '"eager" in side "cpu,graph,eager" contradicts' "$model" -b cpu,graph,eager
refused 2 '"x8" in side "oracle,x8" has no meaning' "$model" -b oracle,x8
refused 2 '"chunk=2" in side' "$model" -b cpu,decode,chunk=2
refused 2 'either in a file' "$model" -f x -p y
refused 2 'no kernels of form' "$model" -b cpu:sse9
refused 2 '9 tokens in a context of 8' "$model" -n 9 -c 8
refused 1 'cannot open' none.gguf
printf RETAPLAN >torn.plan
refused 2 'torn.plan is a plan: name its model' torn.plan
refused 1 'cannot open' "$model" -f none.txt

HOME='' XDG_CACHE_HOME=/dev/null/nowhere ends 0 "$model" -n 4 -b cpu
says 'greta-parity: warning: nothing is kept: .*/dev/null/nowhere' err
[ "$(wc -l <err)" -eq 1 ]

# Everything, by default; then what people ask for.
ends 0 "$model" -n 12
says '^A  cpu:ref,fuse=none,eager,decode,x32,kv=f16, 12 steps'
says '^E: equal'
ends 0 "$model" -n 12 --target cpu --target cpu:portable --layers --runs 2
says '^h\.7 '
says '^B: 2 runs of each step, equal'
says '^B: equal'
ends 0 "$model" -n 12 --against oracle --kv f32 --fuse none
says 'divergence at most.* % are the same$'
says '^B: within tolerance'
ends 0 "$model" -n 1 -b cpu
says '^A .* 1 step, '
echo "In the beginning" | "$tool" "$model" -f - -b cpu >out
says 'tokens of standard input'
ends 1 "$model" -p "In the beginning" --against oracle -b cpu,x8 --tolerance 1e-4
says '^B: out of tolerance, first at q.0'
ends 0 "$model" -n 12 -a cpu -b cpu,kv=f32 --json
python3 - out <<'END'
import json, sys
result = json.load(open(sys.argv[1]))
assert result["passed"] and result["tokens"] == 12 and len(result["sides"]) == 2
comparison = result["comparisons"][0]
assert comparison["verdict"] == "within tolerance" and not comparison["owes_equal_bits"]
assert 0 < comparison["logits"]["max_divergence"] < comparison["tolerance"]["divergence"]
assert comparison["first_difference"]["tensor"] == "k cache.0"
places = {place["tensor"]: place for place in comparison["places"]}
assert places["x"]["differing"] == 0 and places["x_ffn.7"]["differing"] > 0
assert places["logits"]["max_relative"] <= comparison["tolerance"]["max_relative"]
END

cp "$model" "$latin"
ends 0 "$latin" -n 2 -b cpu --json
tells_latin out model

# A model without a vocabulary that could be read is compared all the same.
"$synth" --shape embd=256,layers=2,heads=4,kv=2,ffn=512,vocab=384,ctx=256 --type F16 -o synthetic.gguf >/dev/null
ends 0 synthetic.gguf -n 10
says '^E: equal'
