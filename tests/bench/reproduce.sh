#!/bin/sh
# bench/reproduce.sh as far as no measuring goes: its list and docs/ are in step; a report appears whole, under a new name; a
# wrong hash is a failure. reproduce.sh MAIN.py CHECK-LIST.py DOCS GRETA-EXEC GRETA-PLAN
main=$(realpath "$1") check=$(realpath "$2") docs=$(realpath "$3") exec_=$(realpath "$4") plan=$(realpath "$5")
. "$(dirname "$0")/../tool.sh"

# run STATUS ARGUMENTS...: the program ends with it; its output is in files out and err.
run() {
	wanted=$1
	shift
	python3 "$main" "$@" >out 2>err </dev/null
	got=$?
	[ "$got" -eq "$wanted" ] || fault "$*: status $got, not $wanted: $(cat out err)"
}

# ---- The list and the documents ----
python3 "$check" "$docs" >out || fault "$(cat out)"
cp -r "$docs" other
printf '\n## News\n\n| a | b |\n|---|---|\n| 1 | 2 |\n' >>other/performance.md
python3 "$check" other >out && fault "a table without an entry is not seen"
grep -q '"News": 1 tables, 0 listed' out || fault "a table without an entry is not named: $(cat out)"
rm -r other && cp -r "$docs" other
sed -i 's/^## Starting$/## Setting out/' other/performance.md
python3 "$check" other >out && fault "a section that is gone is not seen"

run 0 --list
grep -q '^hashes: numbers.md, "Hashes to expect", 1 tables$' out || fault "--list does not list: $(head -n 3 out)"
grep -q 'greta-bench {tinyllama} -p 64 -n 16' out || fault "--list has no commands"
run 0 --list --full --only graph-eager
grep -q 'greta-bench {tinyllama} -p 64 -n 32' out || fault "--full changes nothing: $(cat out)"
run 2 --only beside-llama-cpp --llama-bench /nonexistent/llama-bench
grep -q 'no program at /nonexistent/llama-bench' err || fault "a wrong path is not named: $(cat err)"
run 2 --list --llama-bench .
run 2 --only nonsense
grep -q nonsense err || fault "an unknown figure is not named: $(cat err)"
run 2 --list --only ""
grep -q "no figure is called ''" err || fault "an empty list is not refused: $(cat err)"

# ---- A report, from a build folder of two tools ----
mkdir -p build/planner build/runtime/exec reports
ln -s "$plan" build/planner/greta-plan
ln -s "$exec_" build/runtime/exec/greta-exec
run 0 build --no-build -o reports --only plan,text,products,continuations,rocm-launches
report=$(echo reports/report-*)
for file in report.md index.html report.json environment.json environment.md models.json raw/plan.txt raw/text.txt; do
	[ -s "$report/$file" ] || fault "$file is not in the report: $(find reports)"
done
grep -q '^2 redone, 0 failed, 3 not redone' "$report/report.md" || fault "the summary is wrong: $(sed -n 3p "$report/report.md")"
grep -q 'greta-accuracy is not built' "$report/report.md" || fault "it does not say why: $(cat "$report/report.md")"
python3 -m json.tool "$report/report.json" >/dev/null || fault "report.json is no JSON"
grep -Eq "<script|src=|url\(" "$report/index.html" && fault "the page loads something"
run 0 build --no-build -o reports --only plan
[ "$(find reports -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ] || fault "not two reports: $(ls -a reports)"
mkdir -p build/kernels/gpu
touch build/kernels/gpu/gfx942.image
run 0 build --no-build -o waiting --only gfx942-simulated
grep -q 'simulator: --full' waiting/report-*/report.md || fault "what waits for --full has another reason: $(cat waiting/report-*/report.md)"
rm -r build/kernels waiting

# ---- A hash that is wrong, a time that is too short ----
rm build/runtime/exec/greta-exec
printf '#!/bin/sh\necho logits 00000000000000000000000000000000 >&2\n' >build/runtime/exec/greta-exec
chmod +x build/runtime/exec/greta-exec
run 1 build --no-build -o wrong --only hashes
grep -q 'hash 00000000000000000000000000000000, not 1519cf55' wrong/report-*/report.md || fault "the wrong hash is not told"
printf '#!/bin/sh\nexec sleep 60\n' >build/runtime/exec/greta-exec
run 0 build --no-build -o slow --limit 15 --only text
grep -q 'stopped: it had not ended after' slow/report-*/report.md || fault "what was stopped is not told"
run 0 build --no-build -o none --limit 4 --only hashes
grep -q 'of the limit were left' none/report-*/report.md || fault "what had no time is not told"
[ -z "$(find . -name '.report-*')" ] || fault "something half-made is left"
