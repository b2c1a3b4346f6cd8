#!/usr/bin/env python3
"""Lists the test cases of a doctest program as CTests. Usage: discover.py PROGRAM PREFIX TIMEOUT OUTPUT

OUTPUT becomes a CMake file that CTest includes: a test PREFIXname for each case that is not marked skip(). Unlike
doctest's own CMake module, any name will do, and a name that matches no case fails instead of passing with nothing run.
"""

import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path


def quoted(text):
    """text as a CMake argument that nothing in it can end or split."""
    return f"[======[{text}]======]"


def main():
    program, prefix, timeout, output = sys.argv[1:]
    listed = subprocess.run([program, "--list-test-cases", "--reporters=xml"], capture_output=True, check=True)
    cases = xml.etree.ElementTree.fromstring(listed.stdout).iter("TestCase")
    names = [case.get("name") for case in cases if case.get("skipped") != "true"]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            sys.exit(f"{program}: {names.count(name)} test cases are called {name!r}")

    lines = []
    for name in names:
        # A comma would end the pattern. The working folder is where the program stands, as doctest's module has it.
        pattern = name.replace(",", "\\,")
        lines.append(f"add_test({quoted(prefix + name)} {quoted(program)} {quoted('--test-case=' + pattern)})\n")
        lines.append(f"set_tests_properties({quoted(prefix + name)} PROPERTIES TIMEOUT {timeout} "
                     f"WORKING_DIRECTORY {quoted(Path(program).parent)} FAIL_REGULAR_EXPRESSION \"test cases: +0 \")\n")
    Path(output).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
