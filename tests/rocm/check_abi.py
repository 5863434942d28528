#!/usr/bin/env python3
"""Holds runtime/hip.h against the HIP headers of this machine: every number and the type of every function.

    check_abi.py HIP_H COMPILER...

Our header and theirs declare the same names and cannot meet in one file. So the lists and numbers are taken from the
text of ours, and a file that includes only theirs asserts them. Exit status 77 (skipped) without HIP headers."""
import re
import subprocess
import sys
import tempfile

THEIRS = "#define __HIP_PLATFORM_AMD__ 1\n#define __HIP_PLATFORM_HCC__ 1\n#include <hip/hip_runtime_api.h>\n"

SINCE = {"hipDeviceAttributeWallClockRate": 504}  # the first HIP, major * 100 + minor, that has a name; others: all


def macro(text, name):
    return re.search(r"#define %s\(X\).*?[^\\]\n" % name, text, re.S).group(0)


def assertions(text):
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    numbers = re.findall(r"^\t(hip\w+) = (\d+),", bare, re.M)
    numbers += re.findall(r"^#define (hip\w+)\s+(0x[0-9a-f]+)u", bare, re.M)
    if len(numbers) < 40:
        sys.exit("check_abi: found only %d numbers in the header" % len(numbers))
    lines = [macro(bare, name) for name in ("GRETA_HIP_ERRORS", "GRETA_HIP_STATUS_CALLS", "GRETA_HIP_TEXT_CALLS")]
    lines += ['#if HIP_VERSION_MAJOR * 100 + HIP_VERSION_MINOR >= %d\n_Static_assert((unsigned)%s == %su, "%s");\n#endif\n'
              % (SINCE.get(name, 0), name, value, name) for name, value in numbers]
    lines += ["#define X(name, value, text) _Static_assert(name == value, #name);\nGRETA_HIP_ERRORS(X)\n#undef X\n"]
    for result, calls in ("hipError_t", "GRETA_HIP_STATUS_CALLS"), ("const char *", "GRETA_HIP_TEXT_CALLS"):
        lines += ["#define X(name, parameters, arguments) %s (*p_##name) parameters = name;\n%s(X)\n#undef X\n"
                  % (result, calls)]
    return "".join(lines)


def compiles(compiler, source):
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(source)
        file.flush()
        return subprocess.run(compiler + ["-std=gnu11", "-fsyntax-only", "-Werror=incompatible-pointer-types", file.name],
                              capture_output=True, text=True)


def main():
    header, compiler = sys.argv[1], sys.argv[2:]
    if compiles(compiler, THEIRS).returncode:
        print("no HIP headers (Debian: libamdhip64-dev)")
        sys.exit(77)
    result = compiles(compiler, THEIRS + assertions(open(header, encoding="utf-8").read()))
    print(result.stderr or "runtime/hip.h agrees with the HIP headers")
    sys.exit(1 if result.returncode else 0)


main()
