"""What this machine is, and what of it a figure could need."""
import datetime
import os
import platform
import re
import shutil
import socket
import subprocess


def output(*command, cwd=None):
    """What a command prints, or "" where it is missing or fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=cwd, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def first_line(*command):
    return output(*command).partition("\n")[0]


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def processor():
    info = read("/proc/cpuinfo")
    field = lambda name: (re.search(r"^%s\s*: (.*)$" % name, info, re.M) or ["", ""])[1]
    wanted = ("avx2", "avx512f", "avx512_vnni", "amx_int8")
    return {"name": field("model name") or platform.machine(), "processors": len(os.sched_getaffinity(0)),
            "instructions": [flag for flag in wanted if flag in field("flags").split()],
            "hypervisor": "hypervisor" in field("flags").split()}


class Machine:
    """Tools of a build folder, GPUs that answer, and options that name what is not part of the project."""

    def __init__(self, root, build, options):
        self.root, self.build, self.options = root, build, options
        self.devices = output(self.tool("planner/greta-plan"), "devices")
        self.providers = [name for name in ("amd", "nvidia", "cpu") if re.search(r"^%s: driver" % name, self.devices, re.M)]

    def tool(self, path):
        return os.path.join(self.build, path)

    def built_for(self, target):
        """Whether this build has kernels for a GPU target."""
        return os.path.exists(self.tool("kernels/gpu/%s.image" % target))

    def beside_llama_bench(self, name):
        """Another of llama.cpp's programs, from llama-bench's folder."""
        path = self.options.llama_bench and os.path.join(os.path.dirname(self.options.llama_bench), name)
        return path if path and os.access(path, os.X_OK) else None

    def lacks(self, need):
        """Why a figure that needs this cannot be redone here; None if it can."""
        kind, _, what = need.partition(":")
        if kind == "gpu":
            names = {"nvidia": "an NVIDIA GPU", "amd": "an AMD GPU"}
            return None if what in self.providers else "needs %s; none answers here" % names[what]
        if kind == "tool":
            if os.access(self.tool(what), os.X_OK):
                return None
            tests = " (tests need libcmocka-dev)" if what.startswith("tests/") else ""
            return "%s is not built%s" % (os.path.basename(what), tests)
        if kind == "kernels":
            return None if self.built_for(what) else "this build has no kernels for %s; README says what compiles them" % what
        if kind == "llama":
            if not self.options.llama_bench:
                return "needs llama.cpp: --llama-bench PATH"
            return None if self.beside_llama_bench(what) else "%s is not beside %s" % (what, self.options.llama_bench)
        if kind == "rocm":
            return None if os.access(os.path.join(self.options.rocm_root, "usr/bin/hipcc"), os.X_OK) else \
                "needs a root with ROCm (%s is none): tests/rocm/run.sh makes one, --rocm-root names one" % self.options.rocm_root
        if kind == "root":
            return None if os.geteuid() == 0 else "needs root's rights"
        if kind == "disk":
            free = shutil.disk_usage(self.options.models).free / 1e9
            return None if free > float(what) else "needs %s GB of disk; %.1f are free" % (what, free)
        if kind == "memory":
            free = (re.search(r"MemAvailable: *(\d+)", read("/proc/meminfo")) or [0, "0"])[1]
            return None if int(free) * 1024 > float(what) * 1e9 else "needs %s GB of memory" % what
        raise ValueError(need)


def environment(machine):
    """All that a reader would ask about where these numbers come from."""
    git = lambda *words: output("git", *words, cwd=machine.root)
    system = dict(line.split("=", 1) for line in read("/etc/os-release").splitlines() if "=" in line)
    versions = {name: line for name, line in (
        ("gcc", first_line("gcc", "--version")), ("clang", first_line("clang-19", "--version")),
        ("nvcc", (output("nvcc", "--version").splitlines() or [""])[-1]), ("meson", first_line("meson", "--version")),
        ("python", platform.python_version()),
        ("rocm", read("/opt/rocm/.info/version").strip()),
        ("nvidia-smi", output("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"))) if line}
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "host": socket.gethostname(),
            "commit": git("rev-parse", "HEAD") or "unknown: no git repository",
            "changed_files": git("diff", "--name-only", "HEAD").splitlines(),
            "system": system.get("PRETTY_NAME", "").strip('"'), "kernel": platform.release(), "cpu": processor(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "load": [round(x, 2) for x in os.getloadavg()], "versions": versions, "devices": machine.devices.splitlines(),
            "providers": machine.providers}
