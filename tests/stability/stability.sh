#!/bin/sh
# greta-stability as a user runs it: stability.sh GRETA-STABILITY GRETA-PARITY GRETA-PERPLEXITY GRETA-SYNTH MODEL TEXT CHECK_JSON.
tool=$(realpath "$1") parity=$(realpath "$2") perplexity=$(realpath "$3") synth=$(realpath "$4")
model=$(realpath "$5") text=$(realpath "$6") check=$(realpath "$7")
. "$(dirname "$0")/../tool.sh"
set -e

ends 0 --help
says '--markdown FILE'
says '^Exit status: 0 every'
ends 0 --version
says '^greta-stability [0-9]'
printf 'In the beginning' >short.txt
printf 'no model' >bad.gguf
refused 2 'expected one model, got nothing'
cp "$model" copy.gguf
refused 2 'would replace it' copy.gguf --html copy.gguf
refused 2 'would replace it' "$model" -f short.txt --json short.txt
refused 2 'two reports' "$model" --json same --html same
refused 2 'expected one model' "$model" "$model"
refused 2 "--pieces: expected a whole number from 1 to 1048576, got '0'" "$model" --pieces 0
refused 2 "--ctx: expected a whole number from 8 to 1048576, got '4'" "$model" --ctx 4
refused 2 "--buckets: expected a whole number from 1 to 1024, got 'many'" "$model" --buckets many
refused 2 'longer than the model' "$model" -f "$text" --ctx 2048
refused 2 'use a longer text' "$model" -f short.txt --ctx 64
refused 2 'use a longer text' "$model" -f short.txt
mkdir reports
refused 2 'two reports' "$model" --json same --html ./same
refused 2 'two reports' "$model" --json reports/same --markdown ./reports/../reports/same
refused 2 'ask for fewer with --buckets' "$model" -f "$text" --ctx 8
printf RETAPLAN >torn.plan
refused 2 'torn.plan is a plan: name its model' torn.plan
refused 2 '17 ranges of positions' "$model" -f "$text" --ctx 16 --buckets 17
refused 2 'no kernels of form' "$model" --kernels sse9
refused 1 'cannot open' none.gguf
refused 1 'GGUF' bad.gguf
refused 1 'cannot open' "$model" -f none.txt
refused 1 none/report.json "$model" -f "$text" --json none/report.json

# Against two other tools on the same tokens.
set -- "$model" -f "$text" --ctx 50 --pieces 1
ends 0 "$@" --buckets 7 --json a.json --html a.html --markdown a.md
"$parity" "$model" -f "$text" -n 50 -a oracle -b cpu,decode,plain,x16,kv=f16 --top-k 5 --json >parity.json
"$perplexity" "$model" -f "$text" -c 50 --pieces 1 --activations x32,x24,x16,x8 --kv f16,f32 --oracle >perplexity.txt
"$perplexity" "$model" -f - -c 50 --pieces 1 <"$text" | grep -q ', standard input: .* 1 piece of 50'
"$perplexity" "$model" -f "$text" --kernels sse9 >head 2>err && exit 1
[ ! -s head ]
"$perplexity" "$model" -f "$text" -c 4 --pieces 1 --provider cpu >head
says '^| x32 | f16 | [0-9.]* | - |$' head
says ', 1 piece of 4, 1 token scored$' head
"$perplexity" "$model" -f "$text" --provider abacus >head 2>err && exit 1
says 'abacus' err
"$perplexity" torn.plan -f "$text" >head 2>err && exit 1
says 'torn.plan is a plan: name its model' err
"$perplexity" "$model" -f "$text" --activations x32,x32 >head 2>err && exit 1
says 'each once' err
: >err
python3 "$check" a.json parity.json perplexity.txt
says '^| x32 | f16 |'
says '^| 42 to 49 |' a.md
head -n "$(wc -l <out)" a.md | cmp - out
[ ! -s err ]

# What cannot be written is told; all else is written.
(ulimit -f 4; code=0; "$tool" "$@" --markdown full.md --html full.html --json full.json 2>err || code=$?; echo "status $code") | cat >out
says '^| x32 | f16 |'
says '^status 1$'
says '^greta-stability: cannot write full.html: File too large$' err
says '^greta-stability: cannot write full.json: File too large$' err
"$parity" "$model" -n 2 -b cpu --json >/dev/full 2>err && exit 1
says '^greta-parity: cannot write the result.*: No space left on device$' err

cp "$model" "$latin"
ends 0 "$latin" -f "$text" --ctx 16 --pieces 1 --json latin.json --html latin.html
tells_latin latin.json model

# The same again, and with other kernels and threads, but for their names.
ends 0 "$@" --buckets 7 --json b.json
cmp a.json b.json
ends 0 "$@" --buckets 7 --json c.json --kernels portable --threads 1
for report in a c; do
	grep -v '"kernels"' $report.json >$report.rest
done
cmp a.rest c.rest

# What is left out is told: a text shorter than the context. Another model, whose context is short.
ends 0 "$model"
says 'cut: the text has only [0-9]* tokens, the model.s context 1024' out
"$synth" --shape embd=256,layers=2,heads=4,kv=2,ffn=512,vocab=384,ctx=64 --type F16 -o synthetic.gguf >/dev/null
ends 0 synthetic.gguf
says '^- [0-9]* pieces of 64 tokens' out
