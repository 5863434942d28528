#!/bin/sh
# Builds what the tests need and runs every test that can run here. tests/run.sh [BUILD-FOLDER [meson setup options]]
# Ends with one line: N passed, N failed, N skipped. Exit status 0 when none failed.
set -eu
case ${1:-} in
-h | --help)
	sed -n '2,3s/^# //p' "$0"
	exit 0
	;;
-*)
	echo "tests/run.sh: the first argument is the build folder, not $1" >&2
	exit 2
	;;
esac
cd "$(dirname "$0")/.."
. tests/packages.sh
need_packages $BUILD_PACKAGES $TEST_PACKAGES
need_packages $GPU_PACKAGES || echo "Without them kernels for AMD GPUs are neither built nor run in the simulator." >&2

build=${1:-build}
[ $# -eq 0 ] || shift
setup() {
	meson setup "$@" -Dtests=true >"/tmp/greta-setup.$$" 2>&1 || {
		cat "/tmp/greta-setup.$$" >&2
		rm -f "/tmp/greta-setup.$$"
		exit 1
	}
	rm -f "/tmp/greta-setup.$$"
}
if [ ! -f "$build/build.ninja" ]; then
	setup "$build" "$@"
elif [ $# -gt 0 ] || ! grep -q '"name"' "$build/meson-info/intro-tests.json"; then
	setup --reconfigure "$build" "$@" # bench/reproduce.sh makes the same folder without tests
fi
ninja -C "$build" --quiet

# shellcheck disable=SC2086
meson test -C "$build" --no-rebuild --print-errorlogs ${GRETA_TEST_ARGS:-} && status=0 || status=$?
log=$build/meson-logs/testlog.json
count() { grep -c "\"result\": \"$1\"" "$log" || true; }
failed=$(($(count FAIL) + $(count TIMEOUT) + $(count ERROR) + $(count INTERRUPT) + $(count UNEXPECTEDPASS)))
echo "$(count OK) passed, $failed failed, $(count SKIP) skipped"
exit "$status"
