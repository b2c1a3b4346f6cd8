#!/usr/bin/env python3
"""Runs the programs of tools/examples, and checks that a README shows what each prints, word for word.

Usage: examples.py FOLDER_OF_PROGRAMS. A program that changes files does so in a temporary folder.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OTHERS = ("train",)  # need data, and have a test of their own
READMES = ("README.md", "autograd/README.md")


def main():
    shown = "".join((ROOT / readme).read_text(encoding="utf-8") for readme in READMES)
    failures = []
    names = sorted(path.stem for path in (ROOT / "tools" / "examples").glob("*.cpp"))
    for name in names:
        if name in OTHERS:
            continue
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([Path(sys.argv[1]) / f"example_{name}"], cwd=folder, capture_output=True, text=True,
                                  timeout=300, check=False)
        if done.returncode != 0 or done.stderr:
            failures.append(f"{name}: exit status {done.returncode}: {done.stderr}")
        said = "".join(f"    {line}\n" for line in [f"$ build/bin/example_{name}", *done.stdout.splitlines()])
        if said not in shown:
            failures.append(f"{name}: no README shows that it prints\n{said}")
    print("\n".join(failures) or f"{len(names) - len(OTHERS)} examples")
    return 1 if failures or not names else 0


if __name__ == "__main__":
    sys.exit(main())
