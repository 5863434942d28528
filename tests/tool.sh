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

# same FILE FILE WHAT-IF-NOT
same() {
	cmp -s "$1" "$2" || fault "$3: $(head -c 300 "$1") against $(head -c 300 "$2")"
}
