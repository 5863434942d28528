"""Runs the commands of figures, each within its limit and all within the whole one; keeps what they print."""
import os
import shlex
import signal
import subprocess
import time

PROMPT_BYTES = 155  # the first 44 tokens of the held-out text
SHAPES = {"tinyllama": "tinyllama", "llama7b": "llama-2-7b"}


class Result:
    def __init__(self, command, shown, status, seconds, out, err, base):
        self.command, self.shown, self.status, self.seconds, self.out, self.err = command, shown, status, seconds, out, err
        self.base = base        # of its files in the report: raw/NAME
        self.missing = None     # what this machine lacks for it
        self.fault = None       # why it is no good

    def judge(self):
        """Failed, or only not here?"""
        said = (self.err.strip().splitlines() or ["nothing on stderr"])[-1]
        if self.status == 77:
            self.missing = said if self.err.strip() else (self.out.strip().splitlines() or ["not here"])[-1]
        elif self.status is None:
            self.missing = "stopped: it had not ended after %.0f s" % self.seconds
        elif self.command.optional and self.status and "for this processor" in self.err:
            self.missing = "this processor has no such instructions"
        elif self.status:
            self.fault = "exit status %d: %s" % (self.status, said)
        if self.command.hash and not self.missing and not self.fault and self.logits_hash() != self.command.hash:
            self.fault = "hash %s, not %s" % (self.logits_hash() or "none", self.command.hash)
        return self

    def logits_hash(self):
        words = (self.err.strip().splitlines() or [""])[-1].split()
        return words[1] if len(words) == 2 and words[0] == "logits" else None


class Runner:
    def __init__(self, machine, folder, scratch, deadline):
        self.machine, self.folder, self.scratch, self.deadline = machine, folder, scratch, deadline
        self.done, self.models = {}, {"tiny": os.path.join("models", "tiny", "tiny.gguf")}
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(scratch, "cache"))
        os.makedirs(os.path.join(folder, "raw"))
        heldout = os.path.join(machine.root, "models", "tiny", "heldout.txt")
        self.prompt = os.path.join(folder, "raw", "prompt.txt")
        with open(heldout, "rb") as text, open(self.prompt, "wb") as prompt:
            prompt.write(text.read(PROMPT_BYTES))

    def left(self):
        """Seconds until the whole limit."""
        return self.deadline - time.monotonic()

    def model(self, name):
        """The path of a model; one of a known shape is written first."""
        if name not in self.models:
            path = os.path.join(self.machine.options.models, SHAPES[name] + ".gguf")
            if not os.path.exists(path):
                subprocess.run([self.machine.tool("models/greta-synth"), SHAPES[name], "--seed", "1", "-o", path], check=True,
                               stdout=subprocess.DEVNULL, timeout=max(60, self.left()))
            self.models[name] = path
        return self.models[name]

    def line(self, command, raw):
        options = self.machine.options
        values = {"build": self.machine.build, "scratch": self.scratch, "heldout": "models/tiny/heldout.txt", "prompt": self.prompt,
                  "raw": raw, "rocm_root": options.rocm_root, "threads": str(len(os.sched_getaffinity(0))),
                  "llama_bench": options.llama_bench or "", "tiny": self.models["tiny"],
                  "llama_perplexity": self.machine.beside_llama_bench("llama-perplexity") or ""}
        for name in SHAPES:
            if "{%s}" % name in command.line:
                values[name] = self.model(name)
        return command.line.format(**{name: shlex.quote(value) for name, value in values.items()})

    def run(self, figure, number, command, limit):
        """One command, or what the same one gave to another figure: there it had the same place."""
        base = os.path.join("raw", figure.name + ("-%d" % (number + 1) if number else ""))
        line = self.line(command, os.path.join(self.folder, base))
        if (line, number) in self.done:
            return self.done[line, number]
        start, status = time.monotonic(), None
        process = subprocess.Popen(shlex.split(line), cwd=self.machine.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment, start_new_session=True)
        try:
            out, err = process.communicate(timeout=max(1, min(limit, self.left())))
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        text = [self.shorten(piece.decode(errors="replace")) for piece in (out, err)]
        result = Result(command, self.shorten(line), status, time.monotonic() - start, *text, base).judge()
        self.done[line, number] = result
        if not command.hash:  # hashes stand together in one file
            self.keep(result)
        return result

    def shorten(self, text):
        """Without the folders of this machine that are gone, or elsewhere, when it is read."""
        for folder, name in ((self.folder, "REPORT"), (self.scratch, "SCRATCH"), (self.machine.root + os.sep, "")):
            text = text.replace(folder, name)
        return text

    def keep(self, result):
        """What a command printed, as it printed it."""
        ending = "json" if result.command.kind in ("bench", "parity") else "txt"
        with open(os.path.join(self.folder, result.base + "." + ending), "w") as file:
            file.write(result.out)
        if result.err.strip():
            with open(os.path.join(self.folder, result.base + ".stderr.txt"), "w") as file:
                file.write(result.err)
