#!/bin/sh
# greta-synth as a user runs it: synth.sh GRETA-SYNTH.
tool=$(realpath "$1")
. "$(dirname "$0")/../tool.sh"

ends 0 --help
says "^Exit status: 0 written, 1 failed, 2 "
refused 2 "which shape" -o x.gguf
refused 2 "where to" tinyllama
refused 2 "name a file" --shape embd=256 -o -
refused 1 "cannot write /nonexistent/x.gguf: No such file" --shape embd=256 -o /nonexistent/x.gguf
[ ! -e - ] || fault "a file called -"

# What is there and no file is neither replaced nor followed.
: >target
ln -s target link
mkfifo pipe
refused 1 "link: it is there and a symbolic link" --shape embd=256 -o link
refused 1 "pipe: it is there and not a regular file" --shape embd=256 -o pipe
[ -L link ] && [ ! -s target ] && [ -p pipe ] || fault "a link or a pipe was written"

# A limit on file sizes is like a full disk.
(ulimit -f 8 && "$tool" --shape embd=256 -o big.gguf >out 2>err) && fault "a model beyond the limit"
says "^greta-synth: cannot write big.gguf: File too large" err

# Whatever stops it, nothing is left, and who waits is told by which signal.
for signal in HUP INT TERM; do
	env --default-signal=INT "$tool" llama-2-7b -l 4 -o stopped.gguf >out 2>err &
	process=$!
	sleep 0.2
	kill -$signal $process
	wait $process
	status=$?
	[ "$(kill -l $status)" = $signal ] || fault "SIG$signal ends with $status: $(cat err)"
	[ -z "$(find . -name 'stopped.gguf*')" ] || fault "SIG$signal leaves $(ls)"
done
exit 0
