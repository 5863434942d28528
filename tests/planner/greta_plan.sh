#!/bin/sh
# greta-plan as a user runs it: greta_plan.sh GRETA-PLAN MODEL. Stops at the first thing that is not as it should be.
set -eu
plan=$1 model=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Runs a command that must end with the code and say the words in one line on standard error.
refused() {
	code=$1 words=$2
	shift 2
	status=0
	"$@" >"$folder/out" 2>"$folder/err" || status=$?
	[ "$status" -eq "$code" ] || { echo "$*: exit $status, not $code"; cat "$folder/err"; exit 1; }
	grep -q -- "$words" "$folder/err" || { echo "$*: no '$words' in:"; cat "$folder/err"; exit 1; }
	[ "$(wc -l <"$folder/err")" -eq 1 ] || { echo "$*: more than a line:"; cat "$folder/err"; exit 1; }
}

# Builds, twice the same, and finds nothing wrong.
"$plan" build "$model" -o "$folder/full.plan" >"$folder/out" 2>"$folder/err"
[ ! -s "$folder/err" ] || { echo "build is not quiet:"; cat "$folder/err"; exit 1; }
"$plan" build "$model" -o "$folder/again.plan" --threads 1 >/dev/null
cmp "$folder/full.plan" "$folder/again.plan"
"$plan" build "$model" -o "$folder/none.plan" --fuse none --ctx 100 --prefill 16 --kv f32 --activations x16 >/dev/null
"$plan" build "$model" -o "$folder/kept.plan" --keep-all >/dev/null
"$plan" verify "$folder/kept.plan" -m "$model" >/dev/null
"$plan" verify "$folder/full.plan" -m "$model" >/dev/null
"$plan" verify "$folder/none.plan" -m "$model" >/dev/null

# Shows.
"$plan" show "$folder/full.plan" | grep -q '^decode .* 5 '
"$plan" show "$folder/none.plan" | grep -q '^decode .* 16 '
"$plan" show "$folder/none.plan" --launches --program decode | grep -q 'silu_mul .*gate=gate.0 up=up.0'
"$plan" show "$folder/full.plan" --arena --program decode | grep -q '^ *0 .*xxxx'
"$plan" show "$folder/full.plan" --json | python3 -c '
import json, sys
plan = json.load(sys.stdin)
decode = plan["programs"][0]
assert decode["name"] == "decode" and len(decode["launches"]) == decode["launch_count"]
assert decode["launches"][1]["kernel"] == "qkv" and decode["launches"][1]["args"]["q_layout"] == "rows16"'
"$plan" show "$folder/full.plan" --svg "$folder/plan.svg"
python3 -c '
import sys, xml.dom.minidom
assert len(xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("rect")) > 50' "$folder/plan.svg"

# Compares.
"$plan" diff "$folder/full.plan" "$folder/again.plan" >/dev/null
status=0
"$plan" diff "$folder/full.plan" "$folder/none.plan" >"$folder/out" || status=$?
[ "$status" -eq 1 ]
grep -q '^fuse: full, none' "$folder/out"
grep -q '^program prefill512: only in the first' "$folder/out"

# Refuses.
refused 1 'not a plan' "$plan" verify "$model"
refused 1 'cannot open' "$plan" show "$folder/missing.plan"
refused 2 'trained on' "$plan" build "$model" -o "$folder/x.plan" --ctx 1000000
refused 2 'no target' "$plan" build "$model" -o "$folder/x.plan" --target abacus
refused 2 '--kv' "$plan" build "$model" -o "$folder/x.plan" --kv f8
refused 1 'cannot write' "$plan" build "$model" -o "$folder/missing/x.plan"
ln -s nowhere "$folder/link"
mkfifo "$folder/pipe"
refused 1 'not a regular file' "$plan" build "$model" -o "$folder/link"
refused 1 'not a regular file' "$plan" build "$model" -o "$folder/pipe"
[ -L "$folder/link" ] && [ -p "$folder/pipe" ]
cp "$model" "$folder/model.gguf"
refused 2 'is the model' "$plan" build "$folder/model.gguf" -o "$folder/model.gguf"
cmp "$model" "$folder/model.gguf"
refused 2 'is the plan' "$plan" show "$folder/again.plan" --svg "$folder/again.plan"
cmp "$folder/full.plan" "$folder/again.plan"
for command in --help --version targets "verify $folder/full.plan" "diff $folder/full.plan $folder/again.plan"; do
	status=0
	# shellcheck disable=SC2086
	"$plan" $command >/dev/full 2>"$folder/err" || status=$?
	[ "$status" -eq 1 ] && grep -q 'cannot write' "$folder/err" || { echo "$command: a full disk goes unnoticed"; exit 1; }
done
refused 2 'no program' "$plan" show "$folder/full.plan" --program prefill7
refused 2 'no command' "$plan" plan
[ ! -e "$folder/x.plan" ]
head -c 5000 "$folder/full.plan" >"$folder/cut.plan"
refused 1 'damaged plan' "$plan" verify "$folder/cut.plan"
[ -z "$(find "$folder" -name '*.part')" ]
