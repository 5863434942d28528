#!/bin/sh
# GRETA on AMD's own HIP runtime without an AMD GPU: makes a root with ROCm 7.2 (Debian's, 1.3 GB, kept), builds GRETA
# and the simulated device in it with its compilers, and runs there, on the real libamdhip64: the tests of the simulated
# device, the kernel checks, and greta-exec. tests/rocm/run.sh [--launch-cost MODEL]... [ROOT-FOLDER [BUILD-FOLDER]]
# Ends with one line: N passed, N failed, N skipped. Status 77, with the reason, where the root cannot be made.
# With --launch-cost no test is run; instead it prints what a step of each model costs the host there (launch_cost.c).
set -eu
models=
while [ "${1:-}" = --launch-cost ]; do
	models="$models $(realpath "$2")"
	shift 2
done
cd "$(dirname "$0")/../.."
rocm=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/greta/rocm}
build=${2:-build-rocm}
PACKAGES="meson ninja-build pkg-config libxxhash-dev libjansson-dev libcmocka-dev"

if ! [ -x "$rocm/usr/bin/hipcc" ] || ! [ -x "$rocm/usr/bin/meson" ]; then
	. tests/packages.sh
	if [ "$(id -u)" != 0 ] || ! need_packages debootstrap; then
		echo "skipped: making a root with ROCm takes root's rights and debootstrap"
		exit 77
	fi
	echo "making a root with ROCm in $rocm"
	PACKAGES=$PACKAGES tests/sim942/hsa/setup.sh "$rocm" >"/tmp/greta-rocm.$$" 2>&1 || {
		tail -n 5 "/tmp/greta-rocm.$$"
		rm -f "/tmp/greta-rocm.$$"
		echo "skipped: the root could not be made"
		exit 77
	}
	rm -f "/tmp/greta-rocm.$$"
fi

mkdir -p "$build"
build=$(cd "$build" && pwd)
export SIMHSA_LIB="$build/tests/sim942/hsa" SIMHSA_BIND="$build"
in_root() {
	tests/sim942/hsa/run.sh "$rocm" "$@"
}
[ -f "$build/build.ninja" ] || in_root meson setup "$build" -Dsim942_hsa=true -Dgpu_targets=gfx942 -Dwerror=false
mkdir -p "$SIMHSA_LIB"
in_root meson compile -C "$build" greta-exec greta-plan >"$build/compile.log" 2>&1 || {
	tail -n 20 "$build/compile.log"
	exit 1
}

if [ -n "$models" ]; then
	in_root meson compile -C "$build" launch-cost hsa-runtime64 >"$build/compile.log" 2>&1 || {
		tail -n 20 "$build/compile.log"
		exit 1
	}
	plans=
	for model in $models; do
		for fuse in full none; do
			plan="$build/$(basename "$model").$fuse.plan"
			SIMHSA_BIND="$build:$(dirname "$model")" in_root "$build/planner/greta-plan" build "$model" --ctx 512 \
				--fuse $fuse --target gfx942 -o "$plan" >/dev/null
			plans="$plans $plan"
		done
	done
	# shellcheck disable=SC2086
	in_root "$build/tests/rocm/launch-cost" $plans
	exit
fi

# This builds what the tests of the suite need, and no other test.
rm -f "$build/meson-logs/testlog.json"
# shellcheck disable=SC2086
in_root meson test -C "$build" --print-errorlogs ${GRETA_TEST_ARGS:---suite rocm} || true
if ! [ -f "$build/meson-logs/testlog.json" ]; then
	echo "the tests could not be built or run"
	exit 1
fi
count() { grep -c "\"result\": \"$1\"" "$build/meson-logs/testlog.json" || true; }
passed=$(count OK) skipped=$(count SKIP)
failed=$(($(count FAIL) + $(count TIMEOUT) + $(count ERROR) + $(count INTERRUPT) + $(count UNEXPECTEDPASS)))

# The bundled model, fused and not, as a graph and launch by launch: the device's plan gives the processor's hash. Memory of
# the device starts as nonsense, so that what is read without having been written shows.
model=models/tiny/tiny.gguf
prompt="And it came to pass in those days, that the king of the land called his servants"
plan() {
	in_root "$build/planner/greta-plan" build $model --ctx 96 --prefill 8 --target "$1" --fuse "$2" \
		-o "$build/$1-$2.plan" >"$build/plan.log" 2>&1
}
hash_with() {
	in_root env SIMHSA_POISON=165 "$build/runtime/exec/greta-exec" "$@" -m $model -p "$prompt" -n 8 --temp 0.8 --seed 5 \
		--hash 2>&1 >/dev/null | tail -n 1 | sed -n 's/^logits //p'
}
if plan gfx942 full && plan gfx942 none && plan cpu full; then
	expected=$(hash_with "$build/cpu-full.plan")
	for fuse in full none; do
		for way in "" --eager; do
			# shellcheck disable=SC2086
			actual=$(hash_with "$build/gfx942-$fuse.plan" --provider amd $way)
			if [ -n "$expected" ] && [ "$actual" = "$expected" ]; then
				passed=$((passed + 1))
			else
				echo "FAILED: greta-exec $way of plan $fuse on the device: ${actual:-no hash}, the processor:" \
					"${expected:-no hash}"
				failed=$((failed + 1))
			fi
		done
	done
else
	echo "not run: greta-exec on the device: $(tail -n 1 "$build/plan.log")"
	skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
