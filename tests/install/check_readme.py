#!/usr/bin/env python3
"""Checks that README.md shows the very program and CMakeLists.txt that the test install_consumer builds and runs."""

import difflib
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
README = HERE.parent.parent / "README.md"


def main():
    text = README.read_text(encoding="utf-8")
    failed = False
    for language, name in (("cpp", "main.cpp"), ("cmake", "CMakeLists.txt")):
        block = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        shown = block[1] if block else ""
        built = (HERE / name).read_text(encoding="utf-8")
        if shown != built:
            failed = True
            print(f"README.md's first ```{language} block is not tests/install/{name}:")
            sys.stdout.writelines(difflib.unified_diff(built.splitlines(True), shown.splitlines(True), name, "README.md"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
