#!/usr/bin/env python3
"""Checks that every #include of the tree leads in an allowed direction.

    core  <-  autograd  <-  { nn, optim }  <-  models  <-  tools          tests sees everything

Prints one line a violation, `file:line: the include: the rule`, and exits with 1 if there is any.
Usage: check_layers.py [ROOT], default the tree this file is in.
"""

import re
import sys
from pathlib import Path

# What each room may include, besides itself.
SEES = {
    "core": set(),
    "autograd": {"core"},
    "nn": {"core", "autograd"},
    "optim": {"core", "autograd"},
    "models": {"core", "autograd", "nn", "optim"},
    "tools": {"core", "autograd", "nn", "optim", "models"},
    "tests": {"core", "autograd", "nn", "optim", "models", "tools"},
}
LIBRARY = ("core", "autograd", "nn", "optim", "models")  # rooms that are installed for others

# What kernels, which take pointers, may use of the rest of core.
KERNELS_SEE = {f"core/{name}.h" for name in ("allocator", "check", "dtype", "error", "parallel", "pieces", "random",
                                             "shape")}

# Third-party headers that only some files may include.
ONLY_IN = (
    (r"(oneapi/)?tbb/", ("core/parallel.cpp", "tests/optim/callers_threads.cpp"),
     "only core/parallel.cpp includes TBB, and the test of callers that use it"),
    (r"(openblas/)?(cblas|lapacke|openblas_config)", ("core/cpu/matmul.cpp", "tools/bench/"),
     "only core/cpu/matmul.cpp (and benchmarks) includes BLAS"),
)
# Third-party headers that a library header must not pull in. -inl.h files belong to sources, check.h says so itself.
HEAVY = (
    (r"hwy/", "Highway"),
    (r"nlohmann/json\.hpp", "the full json.hpp (json_fwd.hpp serves)"),
    (r"fmt/", "fmt"),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")')


def violation(source, target, quoted):
    """The rule that file `source` (a path from the root) breaks by including `target`, or None."""
    room = source.split("/")[0]
    library_header = room in LIBRARY and source.endswith(".h") and not source.endswith("-inl.h")

    if target.startswith(("ff/", "tools/", "tests/")):
        path = "models/ff.h" if target == "ff/ff.h" else target.removeprefix("ff/")
        other = path.split("/")[0]
        if not quoted:
            return 'the project\'s own headers are included with quotes: "ff/..."'
        if target.startswith("ff/") and other not in LIBRARY:
            return f"there is no folder ff/{other}"
        if other != room and other not in SEES[room]:
            sees = ", ".join(sorted(SEES[room], key=list(SEES).index)) or "nothing else"
            return f"{room} must not include {other}; it sees {sees}"
        if source.startswith("core/cpu/") and not path.startswith("core/cpu/") and path not in KERNELS_SEE:
            return f"kernels (core/cpu) take pointers and sizes, and must not include {path}"
        if library_header and path == "core/check.h":
            return "check.h is for sources: fmt is too heavy for headers"
        if library_header and path.endswith("-inl.h"):
            return "-inl.h files are for sources and for each other, and are not installed"
        return None

    for pattern, places, rule in ONLY_IN:
        if re.match(pattern, target):
            # A place that ends in / is a folder.
            return None if any(source == p or (p.endswith("/") and source.startswith(p)) for p in places) else rule
    if library_header and source != "core/check.h":
        for pattern, what in HEAVY:
            if re.match(pattern, target):
                return f"headers must not include {what}"
    if quoted and "/" not in target:
        return 'the project\'s own headers are included by their path from the root: "ff/..."'
    return None


def violations(root):
    """Lines `file:line: ...` for every violation below root, and the number of files read."""
    found, files = [], 0
    for room in SEES:
        for path in sorted(p for p in (root / room).rglob("*") if p.suffix in (".h", ".cpp")):
            source = path.relative_to(root).as_posix()
            files += 1
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if match := INCLUDE.match(line):
                    if rule := violation(source, match[1][1:-1], quoted=match[1][0] == '"'):
                        found.append(f"{source}:{number}: #include {match[1]}: {rule}")
    return found, files


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found, files = violations(root)
    if files == 0:
        found.append(f"{root}: no sources found")
    for line in found:
        print(line)
    print(f"{files} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
