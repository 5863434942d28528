# What the shell tests of the tools share. `. tool.sh` in a script whose arguments are realpath'ed before: it goes to an empty
# folder, which disappears in the end, and makes it home and cache folder. The tool under test is $tool. The first thing that
# is not as it should be ends the script.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export HOME="$folder" XDG_CACHE_HOME="$folder/xdg"

fault() {
	echo "FAILED: $*"
	exit 1
}

# ends STATUS ARGUMENTS...: the tool ends with it; its output is in files out and err.
ends() {
	wanted=$1
	shift
	got=0
	"$tool" "$@" >out 2>err </dev/null || got=$?
	[ "$got" -eq "$wanted" ] || fault "$*: status $got, not $wanted: $(head -c 600 err) $(head -c 600 out)"
}

# refused STATUS WORDS ARGUMENTS...: one line on stderr, by the tool's name, with these words; nothing on stdout.
refused() {
	status=$1 words=$2
	shift 2
	ends "$status" "$@"
	[ "$(wc -l <err)" -eq 1 ] || fault "$*: not one line: $(cat err)"
	grep -q "^$(basename "$tool")[: ]" err || fault "$*: does not say who speaks: $(cat err)"
	grep -qF -- "$words" err || fault "$*: \"$words\" is not in: $(cat err)"
	[ ! -s out ] || fault "$*: output besides: $(head -c 600 out)"
}

# says PATTERN [FILE]: it is in the output, or in the file.
says() {
	grep -q -- "$1" "${2:-out}" || fault "no '$1' in: $(head -c 1000 "${2:-out}")"
}

# A name as an old disk has it, in Latin-1: no UTF-8. In JSON its last letter is U+FFFD.
latin=$(printf 'caf\351.gguf')

# tells_latin FILE KEY...: the JSON file has the name there, at the end of a path.
tells_latin() {
	python3 -c '
import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8"))
for key in sys.argv[2:]:
    value = value[int(key) if key.isdigit() else key]
assert value.endswith("caf\ufffd.gguf"), value' "$@" 2>why || fault "$*: $(tail -n 1 why)"
}

# same FILE FILE WHAT-IF-NOT
same() {
	cmp -s "$1" "$2" || fault "$3: $(head -c 300 "$1") against $(head -c 300 "$2")"
}
