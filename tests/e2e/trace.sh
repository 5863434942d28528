#!/bin/sh
# greta-exec --trace: the trace is one (check-trace), and the text and its logits are the same with and without.
#
#     trace.sh GRETA_EXEC GRETA_PLAN CHECK_TRACE MODEL
tool=$(realpath "$1") plan=$(realpath "$2") check=$(realpath "$3") model=$(realpath "$4")
. "$(dirname "$0")/../tool.sh"

# run TOKENS STEPS_KEPT OPTIONS...: twice, once traced
run() {
	tokens=$1 kept=$2
	shift 2
	"$tool" "$model" -p "Once upon a time" -n "$tokens" --ignore-end --hash "$@" >plain.txt 2>plain.err || fault "plain $*"
	"$tool" "$model" -p "Once upon a time" -n "$tokens" --ignore-end --hash --trace trace.json "$@" >traced.txt \
		2>traced.err || fault "traced $*: $(cat traced.err)"
	cmp -s plain.txt traced.txt || fault "another text with --trace $*"
	[ "$(tail -n 1 plain.err)" = "$(tail -n 1 traced.err)" ] || fault "other logits with --trace $*"
	"$check" trace.json $((tokens + 1)) "$kept" || # with the last logits one more is sampled
		 fault "the trace of $*"
	rm -f trace.json
}

run 12 13
run 12 13 --eager
run 12 13 --fuse none --temp 0
run 300 257 --ctx 400

# Several replays ahead, as without --hash.
"$tool" "$model" -p "Once upon a time" -n 20 --ignore-end --trace trace.json >ahead.txt || fault "several ahead"
"$check" trace.json 20 20 || fault "the trace of several ahead"

# A plan must have been made for it; one with stamps after blocks has no launches to show but is as good otherwise.
"$plan" build "$model" -o plain.plan >/dev/null && "$plan" build "$model" --stamps launches -o stamped.plan >/dev/null ||
	fault "planning"
refused 2 "--stamps launches" plain.plan -p x -n 2 --trace trace2.json
[ ! -e trace2.json ] || fault "a trace of nothing"
"$tool" stamped.plan -p x -n 2 --ignore-end --trace trace.json >/dev/null || fault "a plan with stamps"
"$check" trace.json 2 || fault "the trace of a plan"

# What cannot be written is told before anything is generated.
refused 1 nowhere "$model" -p x -n 2 --trace nowhere/trace.json

# What is read is not replaced.
cp "$model" copy.gguf && echo "a prompt" >prompt.txt
refused 2 "would replace it" copy.gguf -p x -n 2 --trace copy.gguf
same "$model" copy.gguf "a trace replaced the model"
refused 2 "would replace it" copy.gguf -f prompt.txt -n 2 --trace prompt.txt
grep -q "a prompt" prompt.txt || fault "the prompt is another"

# The checker can fail.
sed 's/"ph":"E"/"ph":"B","name":"x","cat":"y","args":{}/' trace.json >broken.json
"$check" broken.json 2 >/dev/null 2>&1 && fault "ranges that are not balanced were taken"
sed 's/"dur":[0-9.]*/"dur":-1/' trace.json >broken.json
"$check" broken.json 2 >/dev/null 2>&1 && fault "negative durations were taken"
exit 0
