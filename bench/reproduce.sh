#!/bin/sh
# Builds the tools, plans the bundled model, writes some text with it, compares graph with eager, and prints the tables.
# bench/reproduce.sh [BUILD-FOLDER]
set -eu
cd "$(dirname "$0")/.."
. tests/packages.sh
need_packages $BUILD_PACKAGES git

build=${1:-build}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
say() { printf '\n== %s\n' "$*"; }

say "building in $build"
{ [ -f "$build/build.ninja" ] || meson setup "$build" -Dtests=false; } >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
ninja -C "$build" --quiet planner/greta-plan runtime/exec/greta-exec bench/greta-bench
model=models/tiny/tiny.gguf
plan=$build/tiny.plan

say "planning: greta-plan build $model"
"$build/planner/greta-plan" build "$model" -o "$plan"
"$build/planner/greta-plan" show "$plan"

say "text: greta-exec $plan -p 'In the beginning' -n 120"
"$build/runtime/exec/greta-exec" "$plan" -p "In the beginning" -n 120 --stats

say "the same bits, whatever the way: greta-exec --temp 0 -n 64 --hash"
for way in "" "--eager" "--threads 1" "--threads 5" "--chunk 1" "--kernels portable" "--kernels ref"; do
	printf '%-20s ' "${way:-(default)}"
	# shellcheck disable=SC2086
	"$build/runtime/exec/greta-exec" "$plan" -p "In the beginning" -n 64 --temp 0 --hash $way 2>&1 >/dev/null | tail -n 1
done
printf '%-20s ' "--fuse none"
"$build/runtime/exec/greta-exec" "$model" -p "In the beginning" -n 64 --temp 0 --hash --fuse none 2>&1 >/dev/null | tail -n 1

say "graph against eager: greta-bench $model"
"$build/bench/greta-bench" "$model" -p 256 -n 128 -r 5
