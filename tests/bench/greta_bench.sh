#!/bin/sh
# greta-bench as a user meets it. greta_bench.sh GRETA-BENCH GRETA-PLAN MODEL LLAMA-BENCH.json CHECK-FORMATS
tool=$(realpath "$1") plan=$(realpath "$2") model=$(realpath "$3") peer=$(realpath "$4") check=$(realpath "$5")
. "$(dirname "$0")/../tool.sh"

# good WHAT [ARGUMENTS...]: the output is what it should be.
good() {
	python3 "$check" "$1" out ${2:-} 2>why || fault "$1: $(tail -n 1 why) in: $(head -c 400 out)"
}

# ---- The command line ----
ends 0 --help
says --spawns
says "^Exit status: 0 measured, 1 failed, 2 "
ends 0 --version
refused 2 "expected one model or plan, got nothing"
refused 2 "expected one model or plan, got 'more.gguf' too" "$model" more.gguf
refused 2 "nonsense" "$model" --nonsense
for wrong in "-p x" "-n -1" "-d 512,0" "-d 1,,2" "-d 3x" "-r 0" "-o xml" "--spawns 0" "--spawns 101" "--modes slow" "--fuse some" \
	"--kv f8" "--activations x7" "-d 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"; do
	# shellcheck disable=SC2086
	refused 2 "${wrong% *}: expected " "$model" $wrong
	says "got '${wrong#* }'" err
done
refused 2 "--blocks: expected one of layers, launches, got 'most'" "$model" --blocks=most
refused 2 "-r: expected a whole number from 1 to 1000, got 'x'" "$model" -r x
refused 2 "nothing to measure" "$model" -p 0 -n 0
refused 2 "nothing to compare" --node-cost --against "$peer"
refused 2 "-o csv has the tests alone" --node-cost -o csv
refused 2 "-o jsonl has the tests alone" --node-cost -o jsonl
refused 2 "-o csv has no place for --blocks" "$model" -o csv --blocks
refused 2 "-o jsonl has no place for --node-cost" "$model" -o jsonl --node-cost
refused 2 "-o csv has no place for --against" "$model" -o csv --against "$peer"
cp "$model" copy.gguf
refused 2 "would replace it" copy.gguf -r 1 --html copy.gguf

# ---- What cannot be measured ----
refused 1 "missing.gguf" missing.gguf -r 1
mkfifo fifo # that nobody writes to
refused 1 "fifo is neither a GGUF model nor a plan" fifo -r 1
refused 2 "abacus" "$model" -r 1 --provider abacus
refused 2 "abacus" --node-cost --provider abacus
refused 2 "the tests need 130 positions, --ctx 8 has fewer" "$model" -r 1 -p 16 --ctx 8
refused 2 "the tests need 35 positions, --ctx 32 has fewer" "$model" -r 1 -p 0 -n 4 -d 0,30 --ctx 32
ends 1 missing.gguf -r 1 -p 16 --spawns 2
grep -q "missing.gguf" err && grep -q "process 1 of 2 failed (exit status 1)" err || fault "a failed process: $(cat err)"
[ ! -s out ] || fault "a failed process has a report"

# ---- A cache that cannot be written ----
XDG_CACHE_HOME=/dev/null/nowhere ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --spawns 2
says 'greta-bench: warning: nothing is kept: .*/dev/null/nowhere' err
[ "$(wc -l <err)" -eq 1 ] || fault "more than a line about the cache: $(cat err)"

# ---- Formats ----
few="-p 16 -n 4 -d 0,8 -r 2 -t 2 --provider cpu"
for format in csv json jsonl; do
	# shellcheck disable=SC2086
	ends 0 "$model" $few -o $format
	good $format "$peer"
done

# ---- Processes, empty launches, comparison ----
# shellcheck disable=SC2086
ends 0 "$model" $few -o json --spawns 2 --node-cost
good spawns
# Processes end with the one that started them, however that ends.
for signal in TERM KILL; do
	"$tool" "$model" -r 1000 -n 256 --provider cpu --spawns 2 >out 2>err </dev/null &
	process=$! child=
	while [ -z "$child" ] && kill -0 $process; do
		sleep 0.05
		child=$(cat /proc/$process/task/$process/children)
	done
	sleep 0.2
	kill -$signal $process
	wait $process 2>/dev/null
	tries=50
	while grep -q '^State:.[^Z]' "/proc/${child% }/status" 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { kill $child; fault "SIG$signal to greta-bench leaves process $child"; }
		sleep 0.1
	done
done
ends 0 --node-cost --provider cpu -o json
good nodes
ends 0 "$model" -p 64 -n 16 -d 64 -r 1 --fuse full --provider cpu -o json --against "$peer"
good against
ends 0 "$model" -p 64 -n 4 -d 0,8 -r 1 -t 2 --provider cpu --node-cost --against "$peer"
good md
cp out ours.md
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu -o json
cp out ours.json
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --against ours.json -o json
good own ours.json
ends 0 "$model" -p 16 -n 4 -r 1 --provider cpu --fuse full --against ours.json -o json
good own_alone
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --against ours.json
grep -q "2 threads, eager/none |" out || [ "$(nproc)" -ne 2 ] || fault "greta-bench does not read its own: $(cat out)"
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --fuse none --modes graph -o json
cp out few.json
refused 2 "it has pp16, graph/none; choose by" "$model" -p 16 -n 0 -r 1 --fuse full --against few.json
refused 1 "is no JSON: line 1" "$model" --against ours.md
refused 1 "cannot read .: Is a directory" "$model" --against .
refused 2 "--modes: expected one or more of graph, eager, each once" "$model" --modes graph,graph
echo '[{"n_prompt": 16, "n_gen": 0, "avg_ts": -1}]' >below.json
refused 1 "row 1 has an avg_ts of -1" "$model" -p 16 --against below.json
echo '[{"n_prompt": 16, "n_gen": 0, "avg_ts": 10}]' >little.json
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --fuse full --modes graph --against little.json -o json
python3 - <<'END' || fault "rows that say little: $(cat out)"
import json
against = json.load(open("out"))["against"]
assert [row["peer"] for row in against["rows"]] == ["does not say what it is"] and against["notes"] == [], against
END
# What the file says of itself cannot break the table, nor speak to the terminal.
printf '[{"n_prompt": 16, "n_gen": 0, "avg_ts": 10, "build_commit": "a|b\\n\\u001b[31m", "type_k": "\\u001b]x"}]' >rude.json
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --fuse full --modes graph --against rude.json
says 'build a\\|b??\\\[31m |$'
says "keeps K as ?"
ends 0 "$model" -p 16 -n 0 -r 1 --provider cpu --fuse full --modes graph -t 1
says ", 1 thread$"
refused 1 "missing.json" "$model" --against missing.json
refused 2 "it has pp64; tg16; pp64 @ d64; tg16 @ d64" "$model" -p 32 -n 8 --against "$peer"

# ---- A name that is no UTF-8 ----
cp "$model" "$latin"
ends 0 "$latin" -p 4 -n 0 -r 1 --provider cpu -o json --html latin.html
tells_latin out results 0 model_filename
mv out "$latin"
ends 0 "$model" -p 4 -n 0 -r 1 --provider cpu -o json --against "$latin"
tells_latin out against file

# ---- Plans and pages ----
"$plan" build "$model" -o a.plan --ctx 64 --activations x16 >/dev/null 2>err || fault "greta-plan build: $(cat err)"
ends 0 a.plan -p 16 -n 4 -r 1 --provider cpu --html page.html -o json
good plan
refused 2 "plan a.plan was made with --fuse full" a.plan --fuse none
refused 2 "made with context 64, not 32" a.plan -p 16 -n 4 --provider cpu --ctx 32
refused 2 "made with activations x16, not x32" a.plan -p 16 -n 4 --provider cpu --activations x32
refused 2 "--blocks plans anew" a.plan -p 16 -n 4 --blocks
refused 2 "the tests need 512 positions, plan a.plan has a context of 64" a.plan
head -c 9000 a.plan >cut.plan
refused 1 "cut.plan" cut.plan
cp "$model" model.gguf
"$plan" build model.gguf -o b.plan --ctx 64 --fuse none >/dev/null
mv model.gguf moved.gguf
refused 1 "say with -m where it is now" b.plan -p 16 -n 4 --provider cpu
ends 0 b.plan -m moved.gguf -p 16 -n 4 -r 1 --provider cpu --spawns 2
refused 2 "is a model itself" moved.gguf -m "$model"
head -n 1 page.html | grep -q '^<!DOCTYPE html>' || fault "the page is none"
refused 1 "nowhere/page.html" "$model" -p 1 -n 0 -r 1 --html nowhere/page.html
"$tool" "$model" -p 1 -n 0 -r 1 >/dev/full 2>err && fault "a full disk is no error"
grep -q "cannot write" err || fault "a full disk is not told: $(cat err)"
# What was measured is printed though the page cannot be written, and the other way round.
"$tool" "$model" -p 1 -n 0 -r 1 --html whole.html >/dev/full 2>err && fault "a full disk is no error"
[ -s whole.html ] || fault "a page is lost with the output: $(cat err)"
(ulimit -f 1; "$tool" "$model" -p 1 -n 0 -r 1 --html cut.html 2>err; echo "status $?") | cat >out
says "^| .*pp1"
says "^status 1$"
says "^greta-bench: cannot write cut.html: File too large$" err
[ ! -e cut.html ] || fault "half a page"
