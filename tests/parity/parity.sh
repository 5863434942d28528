#!/bin/sh
# greta-parity as a user runs it: parity.sh GRETA-PARITY GRETA-SYNTH MODEL. Stops at the first thing that is not as it should be.
set -eu
parity=$1 synth=$2 model=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_CACHE_HOME="$folder/cache"

# ends CODE ARGUMENTS...: the output is in out, what it says beside in err.
ends() {
	code=$1
	shift
	status=0
	"$parity" "$@" >"$folder/out" 2>"$folder/err" || status=$?
	[ "$status" -eq "$code" ] || { echo "$*: exit $status, not $code"; cat "$folder/out" "$folder/err"; exit 1; }
}

# refused CODE WORDS ARGUMENTS...: one line that says the words, and no output.
refused() {
	words=$2
	code=$1
	shift 2
	ends "$code" "$@"
	grep -q -- "$words" "$folder/err" || { echo "$*: no '$words' in:"; cat "$folder/err"; exit 1; }
	[ "$(wc -l <"$folder/err")" -eq 1 ] || { echo "$*: not a line:"; cat "$folder/err"; exit 1; }
	[ ! -s "$folder/out" ] || { echo "$*: output besides:"; cat "$folder/out"; exit 1; }
}

says() {
	grep -q -- "$1" "$folder/out" || { echo "no '$1' in:"; cat "$folder/out"; exit 1; }
}

ends 0 --help
says '--against ref|oracle'
ends 0 --version
says '^greta-parity [0-9]'
refused 2 'one MODEL'
refused 2 'one MODEL' "$model" "$model"
refused 2 'cpu,fast' "$model" -b cpu,fast
refused 2 'ref or oracle' "$model" --against truth
refused 2 'two sides are A' "$model" --against ref -a cpu
refused 2 'x48' "$model" --activations x48
refused 2 '"0"' "$model" -n 0
refused 2 'either in a file' "$model" -f x -p y
refused 2 'no kernels of form' "$model" -b cpu:sse9
refused 2 '9 tokens in a context of 8' "$model" -n 9 -c 8
refused 1 'cannot open' "$folder/none.gguf"
refused 1 'cannot open' "$model" -f "$folder/none.txt"

# Everything, by default; then what people ask for.
ends 0 "$model" -n 12
says '^A  cpu:ref,fuse=none,eager,decode,x32,kv=f16, 12 steps'
says '^E: equal'
ends 0 "$model" -n 12 --target cpu --target cpu:portable --layers --runs 2
says '^h\.7 '
says '^B: 2 runs of each step, equal'
says '^B: equal'
ends 0 "$model" -n 12 --against oracle --kv f32 --fuse none
says 'divergence at most'
says '^B: within tolerance'
ends 1 "$model" -p "In the beginning" --against oracle -b cpu,x8 --tolerance 1e-4
says '^B: out of tolerance, first at q.0'
ends 0 "$model" -n 12 -a cpu -b cpu,kv=f32 --json
python3 - "$folder/out" <<'END'
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

# A model without a vocabulary that could be read is compared all the same.
"$synth" --shape embd=256,layers=2,heads=4,kv=2,ffn=512,vocab=384,ctx=256 --type F16 -o "$folder/synthetic.gguf" >/dev/null
ends 0 "$folder/synthetic.gguf" -n 10
says '^E: equal'
