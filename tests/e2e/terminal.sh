#!/bin/sh
# What the tools say on a terminal and in a pipe while they work, and where a device or its maker's library is missing.
# terminal.sh GRETA-EXEC GRETA-PLAN GRETA-SYNTH GRETA-BENCH GRETA-PARITY GRETA-PERPLEXITY GRETA-STABILITY
tool=$(realpath "$1") plan=$(realpath "$2") synth=$(realpath "$3")
bench=$(realpath "$4") parity=$(realpath "$5") perplexity=$(realpath "$6") stability=$(realpath "$7")
. "$(dirname "$0")/../tool.sh"

# check WORDS COMMAND...: the command succeeds.
check() {
	words=$1
	shift
	"$@" || fault "$words: $(tr '\r' '\n' <err | head -c 600)"
}
silent() { ! grep -q "$(printf '\r')" err; }
tells() { grep -qE -- "$1" err; }
one_line() { [ "$(wc -l <err)" -eq 1 ]; }

"$synth" --shape embd=256,layers=2,heads=4,kv=2,ffn=512,vocab=384,ctx=256 -o a.gguf >/dev/null || exit 1

# ---- Progress ----
command="'$tool' a.gguf -p 'hello world' -n 3 --provider cpu --threads 1 --no-cache --stats"
script -qec "$command --force-upload" err >/dev/null </dev/null
check "no progress of an upload on a terminal" tells 'uploading weights: +[0-9]+%'
check "no progress of planning on a terminal" tells 'planning: +[0-9]+%'
check "no rate of the upload" tells 'uploading [0-9.]+ ms \([0-9.]+ MB, [0-9.]+ GB/s\)'
script -qec "$command" err >/dev/null </dev/null
check "no progress of packing on a terminal" tells 'packing weights: +[0-9]+%'
check "a rate without an upload" sh -c '! grep -q "GB/s)" err'
sh -c "$command --force-upload" 2>err >out
check "progress in a pipe" silent
check "no rate of the upload in a pipe" tells 'uploading [0-9.]+ ms \([0-9.]+ MB, [0-9.]+ GB/s\)'

sh -c "$command" 2>err >out
check "progress in a pipe" silent

# watches WORDS COMMAND: on a terminal something with these words, at least, and nothing of it left at the end; else nothing.
watches() {
	script -qec "$2" err >/dev/null </dev/null
	check "no '$1' on a terminal" tells "$1"
	tail -n 1 err | grep -q '[0-9]%$' && fault "progress left on the terminal: $2"
	sh -c "$2" 2>err >out
	check "not silent in a pipe" [ ! -s err ]
}
watches 'reading the prompt: +0%' "'$tool' a.gguf -p 'hello world' -n 3 --provider cpu"
watches 'depth 0, run 1 of 1: decode of graph/full' "'$bench' a.gguf -p 4 -n 2 -r 1 --provider cpu"
watches 'how fast memory can be read' "'$bench' a.gguf -p 4 -n 0 -r 1 --provider cpu"
watches 'packing weights: ' "XDG_CACHE_HOME=$folder/new '$bench' a.gguf -p 4 -n 0 -r 1 --provider cpu; rm -r $folder/new"
watches 'comparing: +[0-9]+%' "'$parity' a.gguf -p 'hello world' -b cpu"
for i in 1 2 3 4 5 6 7 8 9; do echo "the quick brown fox jumps over the lazy dog $i"; done >text
watches 'x32, KV f16: +[0-9]+%' "'$perplexity' a.gguf -f text -c 16"
watches 'fp64: +0%' "'$perplexity' a.gguf -f text -c 16 --oracle"
watches 'fp64 model: 0 of [0-9]* tokens' "'$stability' a.gguf -f text --ctx 16"

# A seed that was drawn can be had again.
watches '^seed [0-9]+' "'$tool' a.gguf -p 'hello world' -n 3 --provider cpu --seed random"

# ---- Memory, as planned ----
"$plan" build a.gguf --target cpu -o a.plan >/dev/null
announced=$("$plan" show a.plan | sed -n 's/^device  *\([0-9]*\) bytes:.*/\1/p')
"$tool" a.plan -p x -n 1 --no-cache --stats >out 2>err
check "the plan's memory is not told: $announced" tells "^memory .*\(planned $announced\)"

# ---- What is not there ----
for pair in amd=libamdhip64.so.7 nvidia=libcuda.so.1; do
	provider=${pair%%=*} library=${pair#*=}
	"$plan" devices 2>/dev/null | grep -q "^$provider: not here: .*cannot be opened" || continue
	"$tool" a.gguf -p x --provider "$provider" >out 2>err && check "$provider runs without its library" false
	check "not one line" one_line
	check "what was tried is not said" tells "cannot be opened; tried $library.*or take the provider cpu"
done
for target in gfx942 sm_90; do
	"$plan" build a.gguf --target $target -o $target.plan >/dev/null
	"$tool" $target.plan -p x --provider cpu >out 2>err && check "a plan for $target runs on the processor" false
	check "not one line" one_line
	check "no remedy" tells "$target.plan is for target $target, .* target cpu: plan again with greta-plan build --target cpu"
done
