#!/bin/sh
# greta-stability as a user runs it: stability.sh GRETA-STABILITY GRETA-PARITY GRETA-PERPLEXITY GRETA-SYNTH MODEL TEXT CHECK_JSON.
# Stops at the first thing that is not as it should be.
set -eu
stability=$1 parity=$2 perplexity=$3 synth=$4 model=$5 text=$6 check=$7
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_CACHE_HOME="$folder/cache"

# ends CODE ARGUMENTS...: the output is in out, what it says beside in err.
ends() {
	code=$1
	shift
	status=0
	"$stability" "$@" >"$folder/out" 2>"$folder/err" || status=$?
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
	grep -q -- "$1" "$folder/$2" || { echo "no '$1' in:"; cat "$folder/$2"; exit 1; }
}

ends 0 --help
says '--markdown FILE' out
ends 0 --version
says '^greta-stability [0-9]' out
printf 'In the beginning' >"$folder/short.txt"
printf 'no model' >"$folder/bad.gguf"
refused 2 'one MODEL'
cp "$model" "$folder/copy.gguf"
refused 2 'would replace it' "$folder/copy.gguf" --html "$folder/copy.gguf"
refused 2 'would replace it' "$model" -f "$folder/short.txt" --json "$folder/short.txt"
refused 2 'two reports' "$model" --json "$folder/same" --html "$folder/same"
refused 2 'one MODEL' "$model" "$model"
refused 2 '"0"' "$model" --pieces 0
refused 2 '"4"' "$model" --ctx 4
refused 2 '"many"' "$model" --buckets many
refused 2 'longer than the model' "$model" -f "$text" --ctx 2048
refused 2 'use a longer text' "$model" -f "$folder/short.txt" --ctx 64
refused 2 'use a longer text' "$model" -f "$folder/short.txt"
refused 2 '17 ranges of positions' "$model" -f "$text" --ctx 16 --buckets 17
refused 2 'no kernels of form' "$model" --kernels sse9
refused 1 'cannot open' "$folder/none.gguf"
refused 1 'GGUF' "$folder/bad.gguf"
refused 1 'cannot open' "$model" -f "$folder/none.txt"
refused 1 "$folder/none" "$model" -f "$text" --json "$folder/none/report.json"

# Against two other tools on the same tokens.
set -- "$model" -f "$text" --ctx 50 --pieces 1
ends 0 "$@" --buckets 7 --json "$folder/a.json" --html "$folder/a.html" --markdown "$folder/a.md"
"$parity" "$model" -f "$text" -n 50 -a oracle -b cpu,decode,plain,x16,kv=f16 --top-k 5 --json >"$folder/parity.json"
"$perplexity" "$model" -f "$text" -c 50 --pieces 1 --activations x32,x24,x16,x8 --kv f16,f32 --oracle >"$folder/perplexity.txt"
python3 "$check" "$folder/a.json" "$folder/parity.json" "$folder/perplexity.txt"
says '^| x32 | f16 |' out
says '^| 42 to 49 |' a.md
head -n "$(wc -l <"$folder/out")" "$folder/a.md" | cmp - "$folder/out"
[ ! -s "$folder/err" ]

# The same again, and with other kernels and threads, but for their names.
ends 0 "$@" --buckets 7 --json "$folder/b.json"
cmp "$folder/a.json" "$folder/b.json"
ends 0 "$@" --buckets 7 --json "$folder/c.json" --kernels portable --threads 1
for report in a c; do
	grep -v '"kernels"' "$folder/$report.json" >"$folder/$report.rest"
done
cmp "$folder/a.rest" "$folder/c.rest"

# What is left out is told: a text shorter than the context. Another model, whose context is short.
ends 0 "$model"
says 'cut: the text has only [0-9]* tokens, the model.s context 1024' out
"$synth" --shape embd=256,layers=2,heads=4,kv=2,ffn=512,vocab=384,ctx=64 --type F16 -o "$folder/synthetic.gguf" >/dev/null
ends 0 "$folder/synthetic.gguf"
says '^- [0-9]* pieces of 64 tokens' out
