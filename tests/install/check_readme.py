#!/usr/bin/env python3
"""Checks that README.md shows the very programs that tests build and run: in its code blocks, in this order."""

import difflib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHOWN = (("cpp", "tests/install/main.cpp"), ("cmake", "tests/install/CMakeLists.txt"),
         ("cpp", "tools/examples/custom_op.cpp"))


def main():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    failed = [language for language, _ in blocks] != [language for language, _ in SHOWN]
    if failed:
        print("README.md's code blocks are", [language for language, _ in blocks])
    for (_, shown), (_, name) in zip(blocks, SHOWN):
        built = (ROOT / name).read_text(encoding="utf-8")
        if shown != built:
            failed = True
            print(f"README.md's code block is not {name}:")
            sys.stdout.writelines(difflib.unified_diff(built.splitlines(True), shown.splitlines(True), name, "README.md"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
