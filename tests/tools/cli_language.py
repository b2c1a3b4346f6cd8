"""Tests of the fourierformer program with texts: byte pairs, kept tokens, what figures say of a text."""

import json
import math
import subprocess

from cli_case import LIMIT, Case, run_tests


class Language(Case):
    def learn(self, size=300, out="pairs"):
        self.succeed("tokenizer", "train", self.data / "text", "--size", size, "--out", self.root / out)
        return self.root / out

    def encode(self, pairs, data):
        done = subprocess.run([self.program, "tokenizer", "encode", str(pairs)], input=data, capture_output=True,
                              timeout=LIMIT, check=True)
        return done.stdout

    def decode(self, pairs, data):
        done = subprocess.run([self.program, "tokenizer", "decode", str(pairs)], input=data, capture_output=True,
                              timeout=LIMIT, check=True)
        return done.stdout

    def test_tokenizer(self):
        pairs = self.learn()
        encoder = json.loads((pairs / "encoder.json").read_text())
        merges = (pairs / "vocab.bpe").read_text().splitlines()
        self.assertEqual(sorted(encoder.values()), list(range(300)))
        self.assertEqual(merges[0], "#version: 0.2")
        self.assertEqual(len(merges), 1 + 300 - 256)
        for merge in merges[1:]:
            left, right = merge.split(" ")
            self.assertIn(left + right, encoder)
        text = (self.data / "text").read_bytes()
        for data in (text, b"", bytes(range(256)) * 3, "na\u00efve \u4f60\u597d \U0001f600\n".encode()):
            tokens = self.encode(pairs, data)
            self.assertEqual(self.decode(pairs, tokens), data)
        self.assertLess(len(self.encode(pairs, text).split()), len(text) // 2)
        self.assertEqual(self.encode(pairs, text).decode(),
                         self.succeed("tokenizer", "encode", pairs, self.data / "text"))
        # Two texts, and the same byte pairs for the same text.
        again = self.learn(out="again")
        self.assertEqual((again / "vocab.bpe").read_bytes(), (pairs / "vocab.bpe").read_bytes())
        self.succeed("tokenizer", "train", self.data / "text", self.language, "--size", 300, "--out", self.root / "two")
        self.assertNotEqual((self.root / "two/vocab.bpe").read_bytes(), (pairs / "vocab.bpe").read_bytes())

    def test_tokenizer_errors(self):
        pairs = self.learn()
        (self.root / "tokens").write_text("1 2 x")
        self.fail_with(1, "tokenizer", "decode", pairs, self.root / "tokens", said=["x", "no number"])
        (self.root / "tokens").write_text("1 300")
        self.fail_with(1, "tokenizer", "decode", pairs, self.root / "tokens", said=["300"])
        self.fail_with(1, "tokenizer", "encode", self.root / "none", self.root / "tokens", said=["none", "folder"])
        self.fail_with(1, "tokenizer", "train", self.root / "none", "--out", self.root / "x", said=["none"])
        self.fail_with(2, "tokenizer", "train", self.data / "text", said=["--out"])
        self.fail_with(2, "tokenizer", "train", self.data / "text", "--out", self.root / "x", "--size", 255,
                       said=["--size", "255"])
        self.fail_with(2, "tokenizer", said=["subcommand"])
        (pairs / "vocab.bpe").write_text("#version: 0.2\na b c\n")
        self.fail_with(1, "tokenizer", "encode", pairs, self.root / "tokens", said=["vocab.bpe", "line 2"])

    def test_byte_pairs_run(self):
        """Learnt on the way and learnt before are the same; what was learnt goes with the run."""
        pairs, one, other = self.learn(), self.runs / "one", self.runs / "other"
        # What is held out is not learnt from.
        lines = (self.data / "text").read_text().splitlines(keepends=True)
        (self.data / "held_out").write_text("".join(lines[100:]))
        settings = ["--set", "model.vocabulary=bpe", f"data.held_out_path={self.data / 'held_out'}"]
        self.succeed("train", self.language, "--out", one, *settings, "model.vocabulary_size=300", "--quiet")
        self.succeed("train", self.language, "--out", other, *settings, f"data.tokenizer={pairs}", "--quiet")
        for name in ("vocab.bpe", "encoder.json"):
            self.assertEqual((one / name).read_bytes(), (pairs / name).read_bytes())
        for name in ("vocab.bpe", "encoder.json", "model.safetensors"):
            self.assertEqual((one / name).read_bytes(), (other / name).read_bytes())
        summary = json.loads((one / "summary.json").read_text())
        figures = json.loads(self.succeed("eval", one, "--json"))
        for key in ("test_loss", "perplexity", "bits_per_byte", "bits_per_character", "word_perplexity"):
            self.assertEqual(figures[key], summary[key])
        held_out = (self.data / "held_out").read_bytes()
        tokens = len(self.encode(pairs, held_out).split())
        nats = figures["test_loss"] * tokens
        self.assertAlmostEqual(figures["bits_per_byte"], nats / math.log(2) / len(held_out), places=9)
        words = len(held_out.split()) + held_out.count(b"\n")
        self.assertAlmostEqual(math.log(figures["word_perplexity"]), nats / words, places=9)
        text = self.succeed("generate", one, "--prompt", "line 3", "--tokens", 8, "--seed", 2)
        self.assertTrue(text.startswith("line 3"))
        self.assertIn("300", self.succeed("info", one))
        (one / "vocab.bpe").unlink()
        self.fail_with(1, "generate", one, "--prompt", "x", said=["vocab.bpe"])

    def test_byte_pairs_configuration(self):
        out = ["--out", self.runs / "a"]
        bpe = ["--set", "model.vocabulary=bpe"]
        self.fail_with(2, "train", self.language, *out, *bpe, said=["model.vocabulary_size", "data.tokenizer"])
        self.fail_with(2, "train", self.language, *out, *bpe, "model.vocabulary_size=255", said=["vocabulary_size", "255"])
        self.fail_with(2, "train", self.language, *out, "--set", "data.tokenizer=x", said=["data.tokenizer", "bpe"])
        self.fail_with(2, "train", self.language, *out, *bpe, "model.vocabulary_size=300", "model.cutoffs=100",
                       said=["cutoffs"])
        self.fail_with(1, "train", self.language, *out, *bpe, "model.vocabulary_size=90000",
                       said=["90000", "tokens"])

    def test_kept_tokens(self):
        """A run with kept tokens is the run without, and a vocabulary of another run is refused."""
        words = ["--set", "model.vocabulary=words"]
        for name, cache in (("none", "none"), ("first", self.root / "cache"), ("second", self.root / "cache")):
            self.succeed("train", self.language, "--out", self.runs / name, *words, f"data.cache={cache}", "--quiet")
        kept = list((self.root / "cache").iterdir())
        self.assertEqual(len(kept), 1)
        self.assertTrue(kept[0].name.endswith(".words.tokens"), kept)
        model = (self.runs / "none/model.safetensors").read_bytes()
        for name in ("first", "second"):
            self.assertEqual((self.runs / name / "model.safetensors").read_bytes(), model)
        kept[0].write_bytes(kept[0].read_bytes()[:-3])
        figures = self.succeed("eval", self.runs / "first", "--json")
        self.assertEqual(figures, self.succeed("eval", self.runs / "none", "--json"))
        vocabulary = self.runs / "first/vocabulary.txt"
        vocabulary.write_text(vocabulary.read_text() + "another\n")
        self.fail_with(1, "generate", self.runs / "first", "--prompt", "x", said=["vocabulary", "not of one run"])

    def test_bits_of_words(self):
        """Words say how many bits a byte takes where the vocabulary has them all."""
        (self.data / "known").write_text("line 3 says that 4 and 4 make 8\n" * 3)
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run, "--set", "model.vocabulary=words",
                     f"data.held_out_path={self.data / 'known'}", "--quiet")
        figures = json.loads(self.succeed("eval", run, "--json"))
        nats = figures["test_loss"] * 3 * 10
        self.assertAlmostEqual(figures["bits_per_byte"], nats / math.log(2) / (3 * 32), places=9)
        (self.data / "known").write_text("line 3 says that 4 and 4 make nobody\n")
        self.assertNotIn("bits_per_byte", self.succeed("eval", run, "--json"))


if __name__ == "__main__":
    run_tests()
