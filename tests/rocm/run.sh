#!/bin/sh
# GRETA on AMD's own HIP runtime without an AMD GPU: makes a root with ROCm 7.2 (Debian's, 1.3 GB, kept), builds GRETA
# and the simulated device in it with its compilers, and runs there, on the real libamdhip64: the tests of the simulated
# device, the kernel checks, and greta-exec. tests/rocm/run.sh [ROOT-FOLDER [BUILD-FOLDER]]
# Ends with one line: N passed, N failed, N skipped. Status 77, with the reason, where the root cannot be made.
set -eu
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

# This builds what the tests of the suite need, and no other test.
# shellcheck disable=SC2086
in_root meson test -C "$build" --print-errorlogs ${GRETA_TEST_ARGS:---suite rocm} || true
count() { grep -c "\"result\": \"$1\"" "$build/meson-logs/testlog.json" || true; }
passed=$(count OK) skipped=$(count SKIP)
failed=$(($(count FAIL) + $(count TIMEOUT) + $(count ERROR) + $(count INTERRUPT) + $(count UNEXPECTEDPASS)))

# A few tokens of the bundled model, as a graph and launch by launch: the device's plan gives the processor's hash.
model=models/tiny/tiny.gguf
plan() {
	in_root "$build/planner/greta-plan" build $model --ctx 64 --prefill 8 --target "$1" -o "$build/$1.plan" \
		>"$build/plan.log" 2>&1
}
hash_with() {
	in_root "$build/runtime/exec/greta-exec" "$@" -m $model -p "The king" -n 4 --temp 0 --hash 2>&1 >/dev/null |
		tail -n 1 | sed -n 's/^logits //p'
}
if plan gfx942; then
	plan cpu
	expected=$(hash_with "$build/cpu.plan")
	for way in "" --eager; do
		# shellcheck disable=SC2086
		actual=$(hash_with "$build/gfx942.plan" --provider amd $way)
		if [ -n "$expected" ] && [ "$actual" = "$expected" ]; then
			passed=$((passed + 1))
		else
			echo "FAILED: greta-exec $way on the device: ${actual:-no hash}, the processor: ${expected:-no hash}"
			failed=$((failed + 1))
		fi
	done
else
	echo "not run: greta-exec on the device: $(tail -n 1 "$build/plan.log")"
	skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
