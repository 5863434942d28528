#!/bin/sh
# greta-plan as a user runs it: greta_plan.sh GRETA-PLAN MODEL.
tool=$(realpath "$1") model=$(realpath "$2")
. "$(dirname "$0")/../tool.sh"
set -e

# Builds, twice the same, and finds nothing wrong.
"$tool" build "$model" -o full.plan >out 2>err
[ ! -s err ] || { echo "build is not quiet:"; cat err; exit 1; }
"$tool" build "$model" -o again.plan --threads 1 >/dev/null
cmp full.plan again.plan
"$tool" build "$model" -o none.plan --fuse none --ctx 100 --prefill 16 --kv f32 --activations x16 >/dev/null
"$tool" build "$model" -o kept.plan --keep-all >/dev/null
"$tool" verify kept.plan -m "$model" >/dev/null
"$tool" verify full.plan -m "$model" >/dev/null
"$tool" verify none.plan -m "$model" >/dev/null

"$tool" build "$model" -o decode.plan --prefill '' >/dev/null
[ "$("$tool" show decode.plan --json | grep -c '"chunk_tokens"')" -eq 1 ]
refused 2 '--prefill: expected up to 8 ascending' build "$model" -o x.plan --prefill 2,3,4,5,6,7,8,9,10

# For every target.
"$tool" targets | while read -r target what; do
	[ -n "$what" ]
	"$tool" build "$model" -o "target.plan" --target "$target" >/dev/null
	"$tool" verify target.plan -m "$model" >/dev/null
	"$tool" show target.plan | grep -q "target *$target\b"
done

# Shows.
"$tool" show full.plan | grep -q '^decode .* 5 '
"$tool" show none.plan | grep -q '^decode .* 16 '
"$tool" show none.plan --launches --program decode | grep -q 'silu_mul .*gate=gate.0 up=up.0'
"$tool" show full.plan --arena --program decode | grep -q '^ *0 .*xxxx'
"$tool" show full.plan --json | python3 -c '
import json, sys
plan = json.load(sys.stdin)
decode = plan["programs"][0]
assert decode["name"] == "decode" and len(decode["launches"]) == decode["launch_count"]
assert decode["launches"][1]["kernel"] == "qkv" and decode["launches"][1]["args"]["q_layout"] == "rows16"'
"$tool" show full.plan --svg plan.svg
python3 -c '
import sys, xml.dom.minidom
assert len(xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("rect")) > 50' plan.svg

cp "$model" "$latin"
"$tool" build "$latin" -o latin.plan >/dev/null
"$tool" show latin.plan --json >out
tells_latin out model path
mv latin.plan "$latin"
"$tool" show "$latin" --json >out
tells_latin out plan

# A path that a plan cannot hold is told of.
odd=$(printf 'new\nline.gguf')
cp "$model" "$odd"
ends 0 build "$odd" -o odd.plan
[ "$(cat out)" = odd.plan ]
says '^greta-plan build: warning: the model.s path has control characters' err
[ "$(wc -l <err)" -eq 1 ]
"$tool" verify odd.plan -m "$odd" >/dev/null

# What is replaced keeps its permissions.
chmod 600 odd.plan
"$tool" build "$model" -o odd.plan >/dev/null
[ "$(stat -c %a odd.plan)" = 600 ]

# Compares.
"$tool" diff full.plan again.plan >/dev/null
status=0
"$tool" diff full.plan none.plan >out || status=$?
[ "$status" -eq 1 ]
grep -q '^fuse: full, none' out
grep -q '^program prefill512: only in the first' out

# Refuses.
refused 1 'not a plan' verify "$model"
refused 1 'cannot open' show missing.plan
refused 2 'trained on' build "$model" -o x.plan --ctx 1000000
refused 2 'no target' build "$model" -o x.plan --target abacus
refused 2 '--kv' build "$model" -o x.plan --kv f8
refused 1 'cannot write' build "$model" -o missing/x.plan
ln -s nowhere link
mkfifo pipe
refused 1 'link: it is there and a symbolic link' build "$model" -o link
refused 2 'name a file' build "$model" -o -
[ ! -e - ]
refused 1 'not a regular file' build "$model" -o pipe
refused 1 'not a regular file' build pipe
refused 1 'not a file' verify pipe
[ -L link ] && [ -p pipe ]
cp "$model" model.gguf
refused 2 'is the model' build model.gguf -o model.gguf
cmp "$model" model.gguf
# A picture appears whole or not at all, and is written as other files are, but that a pipe or a device will do.
cp plan.svg before.svg
(ulimit -f 1; "$tool" show full.plan --svg plan.svg 2>err) && exit 1
grep -q '^greta-plan show: cannot write plan.svg: File too large' err
cmp plan.svg before.svg
ln -s plan.svg linked.svg
refused 1 'linked.svg: it is there and a symbolic link' show full.plan --svg linked.svg
cmp plan.svg before.svg
"$tool" show full.plan --svg pipe &
cmp pipe before.svg
wait
"$tool" show full.plan --svg /dev/null
"$tool" show full.plan --svg - | cmp - before.svg
refused 2 'is the plan' show again.plan --svg again.plan
cmp full.plan again.plan
for command in --help --version targets "verify full.plan" "diff full.plan again.plan" "show full.plan --json"; do
	status=0
	# shellcheck disable=SC2086
	"$tool" $command >/dev/full 2>err || status=$?
	[ "$status" -eq 1 ] && grep -q 'cannot write.*No space left' err || { echo "$command: a full disk goes unnoticed"; exit 1; }
done
for view in --launches --arena --json; do
	status=0
	"$tool" show full.plan $view --svg late.svg >/dev/full 2>err || status=$?
	[ "$status" -eq 1 ] && grep -q '^greta-plan show: cannot write.*: No space left' err
	[ "$(wc -l <err)" -eq 1 ] && [ ! -e late.svg ]
	"$tool" show full.plan $view --svg late.svg >&- 2>err && exit 1
	grep -q '^greta-plan show: cannot write.*: Bad file descriptor' err
done
refused 2 'no program' show full.plan --program prefill7
refused 2 'no command' plan
refused 2 'would both go to standard output' show full.plan --json --svg -
for command in build show verify pack; do
	refused 2 "got ''" $command ""
done
refused 2 "expected two plans, got only 'full.plan'" diff full.plan
refused 1 'cannot open' diff full.plan missing.plan
for command in build show verify diff pack devices targets; do
	ends 0 $command --help
	says "^usage: greta-plan $command"
	says '^Exit status: 0 '
	refused 2 'no option --nonsense' $command --nonsense
done
refused 2 "expected no operand, got 'x' too" devices x
refused 2 "--effort: expected a whole number from 1 to" pack --effort 0 x.csv
refused 1 'cannot open' pack missing.csv
printf 'id,lower,upper,size\n1,0,2,100\n2,1,3,100\n' >two.csv
ends 1 pack --capacity 100 two.csv
says '^greta-plan pack: no packing exists' err
cp two.csv in.csv
refused 2 'is the input' pack in.csv -o ./in.csv
cmp two.csv in.csv
"$tool" pack two.csv -o out.csv 2>/dev/null
ends 0 pack --help
says 'alignment (bytes'
[ ! -e x.plan ]
head -c 5000 full.plan >cut.plan
refused 1 'damaged plan' verify cut.plan
[ -z "$(find "$folder" -name '*.part')" ]
