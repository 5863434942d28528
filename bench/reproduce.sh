#!/bin/sh
# Builds the tools and redoes every figure in docs/ that this machine can redo, into one dated folder; says which it did not
# redo, and why. bench/reproduce.sh [options] [BUILD-FOLDER]; --help lists the options, --list the figures and their commands.
set -eu
started=$(date +%s)
here=$(cd "$(dirname "$0")" && pwd)
for word; do
	case $word in
	-h | --help | --list) exec python3 "$here/reproduce/main.py" "$@" ;;
	esac
done
. "$here/../tests/packages.sh"
# shellcheck disable=SC2086
need_packages $BUILD_PACKAGES git
# shellcheck disable=SC2086
need_packages $TEST_PACKAGES || echo "Without them what belongs to the tests is not measured." >&2
exec python3 "$here/reproduce/main.py" --started "$started" "$@"
