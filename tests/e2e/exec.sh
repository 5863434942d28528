#!/bin/sh
# greta-exec as a user meets it. exec.sh GRETA-EXEC GRETA-PLAN GRETA-SYNTH EXAMPLE
tool=$(realpath "$1") plan=$(realpath "$2") synth=$(realpath "$3") example=$(realpath "$4")
. "$(dirname "$0")/../tool.sh"

hash_of() {
	tail -n 1 err | sed -n 's/^logits \([0-9a-f]\{32\}\)$/\1/p'
}

shape=embd=256,layers=2,heads=4,kv=2,ffn=512,vocab=384,ctx=256
"$synth" --shape $shape -o a.gguf >/dev/null && "$synth" --shape $shape --seed 2 -o b.gguf >/dev/null || exit 1

# ---- The command line ----
ends 0 --help
says --activations
says "^Exit status: 0 done, 1 failed, 2 "
ends 0 --version
refused 2 "expected one model or plan, got nothing"
refused 2 "expected one model or plan, got 'b.gguf' too" a.gguf b.gguf
refused 2 "no option --nonsense" a.gguf --nonsense
refused 2 "-p: expected a value, got nothing" a.gguf -p
refused 2 "-n: expected a whole number, got '-5'" a.gguf -n -5
refused 2 "--tokens: expected a whole number, got '5x'" a.gguf --tokens 5x
refused 2 "--temp: expected a number, got 'hot'" a.gguf --temp hot
refused 2 "--prefill: expected up to 8 ascending whole numbers from 2 to 65536" a.gguf --prefill 128,32
refused 2 "--kv: expected one of f16, f32, got 'f8'" a.gguf --kv f8
refused 2 "--seed: expected a whole number or random, got 'dice'" a.gguf --seed dice
refused 2 "exclude each other" a.gguf -p x -f y
refused 2 "-n: expected a whole number from 0 to 4294967295, got '99999999999999999999'" a.gguf -n 99999999999999999999
refused 2 "from 0 to 18446744073709551615 or random, got '18446744073709551616'" a.gguf --seed 18446744073709551616
refused 2 "--temp: 1e+39 is more" a.gguf -p x --temp 1e39
refused 2 "--temp: expected a number that 64 bits hold, got '1e400'" a.gguf -p x --temp 1e400
refused 2 "--temp: expected 0 or more, got -1" a.gguf -p x --temp -1
refused 2 "--top-p: 1e-60 is less" a.gguf -p x --top-p 1e-60
refused 2 "--min-p: expected a number from 0 to below 1, got 1" a.gguf -p x --min-p 1
refused 2 "--kv: expected one value, got 'f16' and 'f32'" a.gguf -p x --kv f16 --kv f32
refused 2 "-n: expected one value, got '3' and '4'" a.gguf -p x --tokens 3 -n 4
ends 0 a.gguf -p x -n 1 --kv f16 --kv f16
refused 2 "leave out --echo" a.gguf -p x --json --echo
refused 2 "cache with --cache" a.gguf -p x --no-cache --cache somewhere
refused 2 "cache with --cache-limit" a.gguf -p x --no-cache --cache-limit 1G
refused 2 "cache with --check" a.gguf -p x --no-cache --check
refused 2 "name a file" a.gguf -p x --trace -
refused 2 "top-p" a.gguf -p x --top-p 2
refused 2 "abacus" a.gguf -p x --kernels abacus
refused 2 "abacus" a.gguf -p x --provider abacus
refused 1 "prompt.txt" a.gguf -f prompt.txt

# ---- Files that are no model ----
rm -rf xdg
: >empty.gguf
head -c 100000 a.gguf >cut.gguf
head -c 20 a.gguf >short.gguf
echo "once upon a time" >text.gguf
refused 1 "missing.gguf" missing.gguf -p x
refused 1 "directory" "$folder" -p x
refused 1 "neither a GGUF model nor a plan" empty.gguf -p x
refused 1 "neither a GGUF model nor a plan" text.gguf -p x
refused 1 "cut.gguf" cut.gguf -p x
refused 1 "short.gguf" short.gguf -p x
mkfifo fifo
cat a.gguf >fifo 2>/dev/null &
writer=$!
refused 1 "fifo is neither a GGUF model nor a plan: it is not a regular file" fifo -p x
kill $writer 2>/dev/null
wait $writer 2>/dev/null
refused 1 "fifo is neither a GGUF model nor a plan" fifo -p x # that nobody writes to
refused 2 "expected one model or plan, got ''" ""
[ -z "$(find xdg -type f 2>/dev/null)" ] || fault "refused models left files in the cache: $(find xdg -type f)"

# ---- Plans are made once ----
ends 0 a.gguf -p "hello world" -n 12 --stats --hash
cp out first
hash=$(hash_of)
[ -n "$hash" ] || fault "no hash at the end of: $(cat err)"
grep -q "^plan .*reused" err && fault "a plan reused before it was made"
[ "$(find xdg -name '*.plan' | wc -l)" -eq 1 ] || fault "not one plan in the cache"
[ "$(find xdg -name '*.weights' | wc -l)" -eq 1 ] || fault "not one file of weights in the cache"
ends 0 a.gguf -p "hello world" -n 12 --stats --hash
grep -q "^plan .*reused" err || fault "the plan was not reused: $(cat err)"
grep -q "^weights .*reused" err || fault "the weights were not reused: $(cat err)"
same out first "the second run says something else"
[ "$(hash_of)" = "$hash" ] || fault "the second run has another hash"
for damage in 0 1000 cut; do
	cached=$(find xdg -name '*.plan')
	case $damage in
	cut) truncate -s 2000 "$cached" ;;
	*) printf 'X' | dd of="$cached" bs=1 seek=$damage conv=notrunc 2>/dev/null ;;
	esac
	ends 0 a.gguf -p "hello world" -n 12 --stats
	grep -q "^plan .*reused" err && fault "a damaged plan was reused ($damage)"
	same out first "a damaged cached plan changes the text ($damage)"
	says "^greta-exec: warning: planned again: .*$cached" err
done
weights=$(find xdg -name '*.weights')
for way in --hash "--check --stats"; do
	dd if="$weights" bs=1 skip=100000 count=64 2>/dev/null | tr '\000-\377' '\001-\377\000' >rotated
	dd if=rotated of="$weights" bs=1 seek=100000 conv=notrunc 2>/dev/null
	# shellcheck disable=SC2086
	ends 0 a.gguf -p "hello world" -n 12 $way
	says "^greta-exec: warning: $folder/$weights is damaged: packed again$" err
	same out first "damaged weights change the text ($way)"
	[ "$way" != --hash ] || [ "$(hash_of)" = "$hash" ] || fault "damaged weights change the hash"
done
grep -q "^weights .*reused" err && fault "damaged weights were reused: $(cat err)"
ends 0 a.gguf -p "hello world" -n 12 --hash --stats
grep -q warning err && fault "a warning of sound weights: $(cat err)"
grep -q "^weights .*reused" err || fault "weights packed again were not kept: $(cat err)"
ends 0 a.gguf -p "hello world" -n 12 --cache /dev/null/nowhere
same out first "no cache changes the text"
says "^greta-exec: warning: nothing is kept: cannot use the cache folder /dev/null/nowhere: Not a directory$" err
[ "$(wc -l <err)" -eq 1 ] || fault "more than a line about the cache: $(cat err)"
ends 0 a.gguf -p "hello world" -n 12 --no-cache
same out first "--no-cache changes the text"

# Neither does a limit on the size of files: what cannot be kept is made in memory.
(ulimit -f 1 && "$tool" a.gguf -p "hello world" -n 12 --cache limited 2>err | cat >out)
same out first "a limit on file sizes changes the text: $(cat err)"
says "^greta-exec: warning: cannot .* limited/.*: File too large$" err

ends 0 a.gguf -p "hello world" -n 12 --cache a.gguf
says "cannot use the cache folder a.gguf: Not a directory$" err

# The same bytes under another name, or with another time, are the same model.
cp a.gguf copy.gguf
touch -d 2001-01-01 copy.gguf
ends 0 copy.gguf -p "hello world" -n 12 --stats
grep -q "^plan .*reused" err && grep -q "^weights .*reused" err || fault "a copy is planned or packed again: $(cat err)"
[ "$(find xdg -name '*.weights' | wc -l)" -eq 1 ] || fault "not one file of weights for the same bytes"

# An edited model has its own plan and weights, also where the edit is away from what the fingerprint looks at and its time is
# what it was.
cp copy.gguf edited.gguf
touch -r copy.gguf edited.gguf
ends 0 edited.gguf -p "hello world" -n 4 --hash
size=$(wc -c <edited.gguf)
head -c 64 /dev/zero | dd of=edited.gguf bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
touch -r copy.gguf edited.gguf
ends 0 edited.gguf -p "hello world" -n 4 --hash
tail -n 1 err >edited_hash
ends 0 edited.gguf -p "hello world" -n 4 --hash --no-cache
tail -n 1 err >fresh_hash
same edited_hash fresh_hash "an edited model runs with the weights of the one before"

# The cache's bound: the newest stay, and what is not the cache's.
echo mine >xdg/greta/my.plan
ends 0 b.gguf -p x -n 1 --cache-limit 1K
[ "$(find xdg -type f | wc -l)" -eq 2 ] && [ -n "$(find xdg -name "*.weights")" ] || fault "the cache is not trimmed: $(ls xdg/greta)"
[ -s xdg/greta/my.plan ] || fault "a file that is not the cache's is gone"
ends 0 b.gguf -p x -n 1 --stats
grep -q "^weights .*reused" err || fault "what was just made was trimmed: $(cat err)"
refused 2 "--cache-limit: expected a size in bytes, as in 800M or 20G, got 'lots'" b.gguf -p x --cache-limit lots
rm -r xdg

# ---- One text, however it is computed ----
ends 0 a.gguf -p "hello world" -n 12 --hash --prefill ""
same out first "no prefill changes the text"
[ "$(hash_of)" = "$hash" ] || fault "no prefill changes the hash"
for way in --eager "--threads 1" "--threads 3" "--chunk 0" "--chunk 1" "--chunk 3" "--fuse none" "--prefill 2,4" \
	--force-upload --guard "--kernels ref" "--kernels portable"; do
	# shellcheck disable=SC2086
	ends 0 a.gguf -p "hello world" -n 12 --hash $way
	same out first "$way changes the text"
	[ "$(hash_of)" = "$hash" ] || fault "$way changes the hash"
done
ends 0 a.gguf -p "hello world" -n 12 --hash --activations x16
[ "$(hash_of)" = "$hash" ] && fault "x16 has the numbers of x32"
ends 0 a.gguf -p "hello world" -n 12 --seed 7
cmp -s out first && fault "another seed says the same"
ends 0 b.gguf -p "hello world" -n 12
cmp -s out first && fault "another model says the same"

# ---- Prompts ----
printf 'hello world' >prompt
ends 0 a.gguf -f prompt -n 12
same out first "-f differs from -p"
"$tool" a.gguf -f - -n 12 <prompt >out 2>err || fault "-f -: $(cat err)"
same out first "-f - differs from -p"
for end in '' '\n'; do
	printf "hello world$end" | "$tool" a.gguf -n 12 >out 2>err || fault "a prompt from stdin: $(cat err)"
	same out first "stdin differs from -p"
done
ends 0 a.gguf -p "" -n 3
ends 0 a.gguf -p "hello world" -n 0 --hash
[ "$(wc -c <out)" -eq 1 ] || fault "-n 0 gives text"
[ -n "$(hash_of)" ] || fault "-n 0 gives no hash"
ends 0 a.gguf -p "hello world" -n 12 --echo
[ "$(head -c 11 out)" = "hello world" ] || fault "--echo does not echo"

# ---- The context ----
refused 1 "context of 32" a.gguf -p "hello world" -c 32 -n 100
refused 1 "100 to generate" a.gguf -p "hello world" -c 32 -n 100
refused 1 "tokens of the prompt do not fit into the context of 32: shorten it" a.gguf -p "a b c d e f g h i j k l m n o p q r s t u v w x y z" -c 32
refused 1 "context of 256, which is all that the model has: ask for fewer with -n" a.gguf -p "hello world" -n 256
grep -q -e --ctx err && fault "a larger context than the model's is proposed: $(cat err)"
ends 0 a.gguf -p "hello world" -c 32 --stats --ignore-end
grep -q "^stopped .*context" err || fault "a default length does not end with the context: $(cat err)"

# ---- Plans by name ----
"$plan" build a.gguf -o a.plan >/dev/null 2>err || fault "greta-plan build: $(cat err)"
ends 0 a.plan -p "hello world" -n 12
same out first "the plan says something else than the model"
refused 1 "not the model of plan a.plan" a.plan -m b.gguf -p x
refused 2 "context" a.plan -c 100 -p x
refused 2 "made with KV cache type f16, not f32" a.plan --kv f32 -p x
refused 2 "made with activations x32, not x8" a.plan --activations x8 -p x
refused 2 "made with fusion full, not none" a.plan --fuse none -p x
refused 2 "has prefill programs" a.plan --prefill "" -p x
refused 2 "is a model itself" a.gguf -m b.gguf -p x
mv a.gguf moved.gguf
refused 1 "-m" a.plan -p x
ends 0 a.plan -m moved.gguf -p "hello world" -n 12
same out first "the moved model says something else"
mv moved.gguf a.gguf
cp a.plan bad.plan
printf 'X' | dd of=bad.plan bs=1 seek=700 conv=notrunc 2>/dev/null
refused 1 "bad.plan" bad.plan -p x
cp a.plan old.plan
printf '\377' | dd of=old.plan bs=1 seek=8 conv=notrunc 2>/dev/null
refused 1 "version" old.plan -p x
head -c 1000 a.plan >cut.plan
refused 1 "cut.plan" cut.plan -p x

# ---- Output ----
cp a.gguf "$latin"
ends 0 "$latin" -p x -n 1 --json
tells_latin out model model
ends 0 a.gguf -p "hello world" -n 12 --json --hash
python3 - "$hash" <<'END' || fault "--json: $(head -c 300 out)"
import json, sys
j = json.load(open("out", encoding="utf-8"))
text = open("first", encoding="utf-8", newline="").read()
assert j["text"] == text or j["text"] + "\n" == text
assert len(j["tokens"]) == 12 and j["stop"] == "limit"
assert j["logits_hash"] == sys.argv[1]
assert j["stats"]["decode_tokens"] == 11 and j["stats"]["prefill_tokens"] == len(j["prompt_tokens"])
assert j["model"]["context"] == 256
END
"$tool" a.gguf -p "hello world" -n 12 >/dev/full 2>err && fault "a full disk is no error"
grep -q "cannot write" err || fault "a full disk is not told: $(cat err)"
mkfifo pipe
"$tool" a.gguf -p "hello world" -n 240 --ignore-end --kernels ref >pipe 2>err &
process=$!
head -c 1 <pipe >/dev/null
wait $process && fault "a closed pipe went unnoticed"
"$tool" a.gguf -p "hello world" -n 240 --ignore-end --kernels ref --stats >pipe 2>err &
process=$!
{
	head -c 1 >/dev/null
	kill -INT $process
	cat >/dev/null
} <pipe
wait $process
[ $? -eq 130 ] || fault "Ctrl-C ends with another status: $(cat err)"
grep -q "^stopped .*interrupted" err || fault "Ctrl-C loses the statistics: $(cat err)"

# ---- The library's example ----
"$example" a.gguf "hello world" >out 2>err || fault "the example: $(cat err)"
[ -s out ] || fault "the example says nothing"
"$example" missing.gguf >out 2>err && fault "the example takes a missing model"

[ -z "$(find . -name '*.part')" ] || fault "unfinished files are left: $(find . -name '*.part')"
