#!/usr/bin/env python3
"""Lists the test cases of a doctest program as CTests. Usage: discover.py PROGRAM PREFIX TIMEOUT OUTPUT [SOURCE ...]

OUTPUT becomes a CMake file that CTest includes: a test PREFIX/name for each case that is not marked skip(). The cases of
a file that a SOURCE (pattern for the end of its path) matches are run again on each lesser instruction set that this
machine has, all in one test PREFIX@sse4/file. Unlike doctest's own CMake module, any name will do, and a name that
matches no case fails instead of passing with nothing run.
"""

import fnmatch
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path


def quoted(text):
    """text as a CMake argument that nothing in it can end or split."""
    return f"[======[{text}]======]"


def main():
    program, prefix, timeout, output, *sources = sys.argv[1:]

    def ask(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, check=True, text=True).stdout

    cases = xml.etree.ElementTree.fromstring(ask("--list-test-cases", "--reporters=xml")).iter("TestCase")
    cases = [case for case in cases if case.get("skipped") != "true"]
    names = [case.get("name") for case in cases]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            sys.exit(f"{program}: {names.count(name)} test cases are called {name!r}")

    # Of each test: its name, what chooses the cases, the environment. A comma would end a pattern.
    tests = [(f"{prefix}/{name}", "--test-case=" + name.replace(",", "\\,"), "") for name in names]
    files = {case.get("filename") for case in cases}
    again = sorted(file for file in files if any(fnmatch.fnmatch(file, "*/" + source) for source in sources))
    if sources and not again:
        sys.exit(f"{program}: no test case is in {' or '.join(sources)}")
    for target in ask("--simd-targets").lower().split()[1:] if again else []:
        tests += [(f"{prefix}@{target}/{Path(file).stem}", "--source-file=*/" + Path(file).name,
                   f"ENVIRONMENT FF_SIMD={target}") for file in again]

    lines = []
    for test, choice, environment in tests:
        # The working folder is where the program stands, as doctest's module has it.
        lines.append(f"add_test({quoted(test)} {quoted(program)} {quoted(choice)})\n")
        lines.append(f"set_tests_properties({quoted(test)} PROPERTIES TIMEOUT {timeout} {environment} "
                     f"WORKING_DIRECTORY {quoted(Path(program).parent)} FAIL_REGULAR_EXPRESSION \"test cases: +0 \")\n")
    Path(output).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
