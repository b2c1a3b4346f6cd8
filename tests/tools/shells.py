#!/usr/bin/env python3
"""What shells and manual readers get of the fourierformer program: completion in bash and zsh, the manual page.

Usage: shells.py PROGRAM [TEST ...], as unittest's own. A shell that is not installed is left out.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from cli_case import LIMIT, Case, run_tests

# Sets the variables that readline sets, for a line given as words, and prints what it would offer.
BASH = """
source "$SCRIPT"
compopt() { :; }  # only while readline completes
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
$(complete -p fourierformer | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""

# Completes with Tab; Ctrl-X prints the line as it has become and empties it.
ZSH = """
PROMPT= RPROMPT=
fpath=("$FOLDER" $fpath)
autoload -Uz compinit && compinit -u -D
show() { print -r -- "<$BUFFER>"; BUFFER=; }
zle -N show && bindkey '^X' show && bindkey '^I' complete-word
print -r -- rea''dy
"""


class Shells(Case):
    def commands(self, *path):
        """The commands of the program, or of a command of it, as --help lists them."""
        listed = self.succeed(*path, "--help").partition("\nCommands:\n")[2].split("\n\n")[0]
        return re.findall(r"(?m)^  (\w+) ", listed)

    def all_commands(self, *path):
        """Those and theirs, each as the names that lead to it."""
        for name in self.commands(*path):
            yield path + (name,)
            yield from self.all_commands(*path, name)

    def options(self, path):
        """The options that a command's --help lists."""
        listed = re.findall(r"(?m)^  (-.*?)(?:  .*)?$", self.succeed(*path, "--help"))
        return {name for names in listed for name in re.findall(r"(?<![\w-])--?[a-z][\w-]*", names)}

    # -------------------------------------------------------------------------------------------------------- bash

    def bash(self, *words):
        done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", "fourierformer", *words], cwd=self.root, text=True,
                              capture_output=True, timeout=LIMIT, env={**os.environ, "SCRIPT": str(self.root / "script")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_bash(self):
        (self.root / "script").write_text(self.succeed("completion", "bash"))
        commands = self.commands()
        self.assertIn("completion", commands)
        self.assertEqual(set(self.bash("")), {*commands, "--help", "-h", "--version"})
        self.assertEqual(self.bash("tra"), ["train"])
        for path in self.all_commands():
            self.assertEqual(set(self.bash(*path, "-")), self.options(path), path)
            if commands := self.commands(*path):
                self.assertEqual(self.bash(*path, ""), commands)
        # Values: of a choice, of settings, a configuration that comes along, ops, files.
        self.assertEqual(set(self.bash("graph", "--format", "")), {"html", "dot", "json"})
        self.assertEqual(self.bash("graph", "--format", "=", "d"), ["dot"])
        self.assertEqual(set(self.bash("train", "--set", "train.l")),
                         {"train.label_smoothing=", "train.log_interval=", "train.lr="})
        self.assertEqual(set(self.bash("train", "--set", "model.attention", "=")), {"fourier", "softmax"})
        self.assertEqual(self.bash("train", "--set", "train.lr", "=", "1", "model.attention", "=", "s"), ["softmax"])
        self.assertIn("model.context=", self.bash("train", "--set", "model."))  # of language, too
        self.assertEqual(self.bash("train", "fash"), ["fashion_mnist"])
        self.assertEqual(self.bash("train", "visi"), ["vision.json"])
        self.assertEqual(self.bash("train", "--overwrite", "visi"), ["vision.json"])
        self.assertEqual(self.bash("train", "--out", "runs", "visi"), ["vision.json"])
        self.assertEqual(self.bash("train", "--out", ""), ["data"])  # folders alone
        self.assertEqual(self.bash("eval", ""), ["data"])
        self.assertEqual(self.bash("gradcheck", "softmax", "matm"), ["matmul"])
        self.assertEqual(self.bash("train", "--steps", ""), [])
        self.assertEqual(self.bash("nonsense", ""), [])

    # --------------------------------------------------------------------------------------------------------- zsh

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        folder = self.root / "functions"
        folder.mkdir()
        (folder / "_fourierformer").write_text(self.succeed("completion", "zsh"))
        terminal, inner = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen(["zsh", "-f", "-i"], cwd=self.root, stdin=inner, stdout=inner, stderr=inner,
                                   start_new_session=True, env={**os.environ, "TERM": "dumb", "FOLDER": str(folder)})
        os.close(inner)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.seen = ""

        def read_until(pattern):
            until = time.monotonic() + LIMIT
            while not (found := re.search(pattern, self.seen)):
                self.assertLess(time.monotonic(), until, self.seen)
                if select.select([terminal], [], [], 0.1)[0]:
                    self.seen += os.read(terminal, 65536).decode()
            self.seen = self.seen[found.end():]
            return found

        def complete(line):
            os.write(terminal, line.encode() + b"\t\x18")
            return read_until(r"<(fourierformer [^>\r\n]*)>")[1].removeprefix("fourierformer ").rstrip()

        os.write(terminal, ZSH.encode())
        read_until(r"(?<!rea'')ready\r?\n")
        for line, completed in (("tra", "train"), ("--vers", "--version"), ("train --ov", "train --overwrite"),
                                ("train fash", "train fashion_mnist"), ("train visi", "train vision.json"),
                                ("graph --format h", "graph --format html"), ("eval da", "eval data/"),
                                ("train --out da", "train --out data/"), ("train --set train.lr", "train --set train.lr="),
                                ("train --set model.attention=so", "train --set model.attention=softmax"),
                                ("train --set train.lr=1 model.attention=so", "train --set train.lr=1 model.attention=softmax"),
                                ("gradcheck softmax_attention_", "gradcheck softmax_attention_composed"),
                                ("completion z", "completion zsh"), ("nonsense tra", "nonsense tra")):
            self.assertEqual(complete("fourierformer " + line), completed)

    # --------------------------------------------------------------------------------------------------------- man

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_man(self):
        done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-cbou"], input=self.succeed("man"), text=True,
                              capture_output=True, timeout=LIMIT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = done.stdout
        for section in ("NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT"):
            self.assertRegex(page, rf"(?m)^{section}$")
        for path in self.all_commands():
            start = page.index(f"\n   {' '.join(path)}\n")
            for option in self.options(path):
                self.assertRegex(page[start:], rf"(?<![\w-]){option}\b")
        self.assertIn("--set model.attention=softmax", page)  # an example, as it is to be typed
        self.assertNotIn("\\", page)


if __name__ == "__main__":
    run_tests()
