#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "ff/models/language/corpus.h"
#include "ff/models/language/data.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

using Tokens = std::vector<std::int64_t>;

Tensor counting(std::int64_t n) {
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < n; ++i) tokens.push_back(static_cast<std::int32_t>(1000 + i));
  return Tensor::from(tokens, {n});
}

LanguageDataConfig file_config(const std::string& path, double held_out) {
  LanguageDataConfig data;
  data.path = path;
  data.held_out_fraction = held_out;
  return data;
}

std::string decoded(const Vocabulary& vocabulary, const Tensor& tokens) {
  return vocabulary.decode(tokens.to_vector<std::int64_t>());
}

}  // namespace

TEST_CASE("vocabulary: bytes are their own numbers") {
  const Vocabulary bytes = Vocabulary::bytes();
  const std::string text("a\0\xff\n", 4);
  CHECK(bytes.size() == 256);
  CHECK(bytes.end_of_line() == '\n');
  CHECK(bytes.encode(text).dtype() == u8);
  CHECK(bytes.encode(text).to_vector<std::int64_t>() == Tokens{'a', 0, 255, '\n'});
  CHECK(decoded(bytes, bytes.encode(text)) == text);
  CHECK(bytes.encode("").numel() == 0);
  CHECK(contains(error_of([&] { bytes.decode(Tokens{256}); }), {"[decode]", "token 256 of a vocabulary of 256"}));
  CHECK(contains(error_of([&] { bytes.decode(Tokens{-1}); }), {"token -1"}));
}

TEST_CASE("vocabulary: words by frequency, equals as they first appear") {
  const Vocabulary words = Vocabulary::words("the cat the  dog\n\n a cat\tthe\r\nzoo");
  // <eos> 0, the 1, cat 2, dog 3, a 4, zoo 5, <unk> 6
  CHECK(words.size() == 7);
  CHECK(words.end_of_line() == 0);
  CHECK(words.encode("zoo a dog cat the\n\nbird").to_vector<std::int64_t>() == Tokens{5, 4, 3, 2, 1, 0, 0, 6});
  CHECK(words.encode("the").dtype() == i32);
  CHECK(words.decode(Tokens{1, 2, 0, 0, 6, 1}) == "the cat\n\n<unk> the");
  CHECK(contains(error_of([&] { words.decode(Tokens{7}); }), {"token 7 of a vocabulary of 7"}));
}

TEST_CASE("vocabulary: many words of one frequency keep the order of their appearance") {
  std::string text;
  Tokens want;
  for (std::int64_t i = 0; i < 200; ++i) {
    text += std::to_string(i * 7919 % 1009) + " ";
    want.push_back(i + 1);
  }
  CHECK(Vocabulary::words(text).encode(text).to_vector<std::int64_t>() == want);
}

TEST_CASE("vocabulary: a bounded one keeps the frequent words, and <unk> in its place where the text has it") {
  const Vocabulary two = Vocabulary::words("a b b c c c", 2);
  CHECK(two.size() == 4);
  CHECK(two.encode("a b c").to_vector<std::int64_t>() == Tokens{3, 2, 1});
  const Vocabulary own = Vocabulary::words("<unk> x <unk> <eos> x y <unk>");
  CHECK(own.size() == 4);
  CHECK(own.encode("<unk> <eos> x y z").to_vector<std::int64_t>() == Tokens{1, 0, 2, 3, 1});
  CHECK(Vocabulary::words("").size() == 2);
}

TEST_CASE("vocabulary: a saved one is read back") {
  const TempDir dir;
  const Vocabulary words = Vocabulary::words("the cat the dog \xc3\xa9t\xc3\xa9");
  words.save(dir.path("vocabulary.txt"));
  CHECK(slurp(dir.path("vocabulary.txt")) == "<eos>\nthe\ncat\ndog\n\xc3\xa9t\xc3\xa9\n<unk>\n");
  const Vocabulary again = Vocabulary::load(dir.path("vocabulary.txt"));
  CHECK(again.size() == words.size());
  CHECK(again.encode("dog bird\n").to_vector<std::int64_t>() == words.encode("dog bird\n").to_vector<std::int64_t>());
  CHECK(contains(error_of([&] { Vocabulary::bytes().save(dir.path("bytes")); }), {"[save_vocabulary]", "bytes"}));
}

TEST_CASE("vocabulary: what is no such file is refused") {
  const TempDir dir;
  auto refused = [&](std::string_view contents) {
    const std::string path = dir.write("bad", contents);
    const std::string message = error_of([&] { Vocabulary::load(path); });
    CHECK_MESSAGE(contains(message, {"[load_vocabulary]", path}), message);
    return message;
  };
  CHECK(contains(refused("<eos>\n<unk>\na"), {"truncated: line 3"}));
  CHECK(contains(refused("<eos>\n\n<unk>\n"), {"line 2 must be one word, got \"\""}));
  CHECK(contains(refused("<eos>\na b\n<unk>\n"), {"line 2 must be one word, got \"a b\""}));
  CHECK(contains(refused("<eos>\na\nb\na\n<unk>\n"), {"line 4 repeats the word of line 2, \"a\""}));
  CHECK(contains(refused("<eos>\n"), {"<unk> is missing"}));
  CHECK(contains(refused(""), {"<eos> is missing"}));
  const std::string good = "<eos>\nthe\ncat\ndog\n<unk>\n";
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string path = dir.write("bad", damaged(good, i));
    CAPTURE(i);
    REQUIRE_NOTHROW(error_of([&] { Vocabulary::load(path); }));
  }
}

TEST_CASE("corpus: the end of a file is held out, nothing is lost") {
  const TempDir dir;
  const std::string text = "one two three\nfour five\nsix seven eight nine\nten\n";
  for (const std::string& path : {dir.write("text", text), dir.write("text.gz", gzip(text))}) {
    const Corpus bytes = load_corpus(file_config(path, 0.25), TokenKind::bytes);
    CHECK(bytes.held_out.numel() == static_cast<std::int64_t>(text.size() / 4));
    CHECK(decoded(bytes.vocabulary, bytes.train) + decoded(bytes.vocabulary, bytes.held_out) == text);
    CHECK(bytes.before_held_out == static_cast<unsigned char>(text[text.size() - text.size() / 4 - 1]));

    const Corpus words = load_corpus(file_config(path, 0.25), TokenKind::words);
    CHECK(decoded(words.vocabulary, words.train) == "one two three\nfour five\nsix seven eight nine\n");
    CHECK(words.held_out.to_vector<std::int64_t>() == words.vocabulary.encode("ten\n").to_vector<std::int64_t>());
    CHECK(decoded(words.vocabulary, words.held_out) == "<unk>\n");  // not a word of the training part
    CHECK(words.before_held_out == words.vocabulary.end_of_line());
  }
}

TEST_CASE("corpus: words are cut at a line where the cut falls on its beginning, too") {
  const TempDir dir;
  const Corpus corpus = load_corpus(file_config(dir.write("text", "a b\nc d\n"), 0.5), TokenKind::words);
  CHECK(decoded(corpus.vocabulary, corpus.train) == "a b\n");
  CHECK(corpus.held_out.numel() == 3);
}

TEST_CASE("corpus: a held-out file of its own, and a vocabulary from before") {
  const TempDir dir;
  LanguageDataConfig data = file_config(dir.write("train", "a a b\n"), 0.5);
  data.held_out_path = dir.write("test", "b a z\n");
  const Corpus corpus = load_corpus(data, TokenKind::words);
  CHECK(corpus.train.numel() == 4);
  CHECK(decoded(corpus.vocabulary, corpus.held_out) == "b a <unk>\n");
  CHECK(corpus.before_held_out == corpus.vocabulary.end_of_line());
  CHECK(load_corpus(data, TokenKind::bytes).before_held_out == '\n');

  const Corpus other = load_corpus(data, Vocabulary::words("z b"));
  CHECK(decoded(other.vocabulary, other.held_out) == "b <unk> z\n");
  data.max_vocabulary = 1;
  CHECK(load_corpus(data, TokenKind::words).vocabulary.size() == 3);
}

TEST_CASE("corpus: a file that leaves nothing for one part is refused") {
  const TempDir dir;
  auto error = [&](const LanguageDataConfig& data, TokenKind kind) {
    return error_of([&] { load_corpus(data, kind); });
  };
  const std::string line = dir.write("line", "one line without end");
  CHECK(contains(error(file_config(line, 0.5), TokenKind::words),
                 {"[load_corpus]", line, "no text to evaluate on", "0.5"}));
  CHECK(contains(error(file_config(line, 0.001), TokenKind::bytes), {line, "no text to evaluate on"}));
  CHECK(contains(error(file_config(dir.write("empty", ""), 0.5), TokenKind::bytes), {"empty", "no text to train on"}));
  LanguageDataConfig data = file_config(line, 0.5);
  data.held_out_path = dir.path("empty");
  CHECK(contains(error(data, TokenKind::bytes), {dir.path("empty"), "no text to evaluate on"}));
  CHECK(contains(error(file_config(dir.path("none"), 0.5), TokenKind::bytes), {"none", "cannot be opened"}));
}

TEST_CASE("text windows: stretches of the text with the tokens that follow") {
  const std::int64_t n = 50, context = 8, batch = 5;
  TextWindows windows(counting(n), context, batch, 3);
  CHECK(windows.batches_per_epoch() == 2);
  std::vector<int> begins(static_cast<std::size_t>(n));
  for (std::int64_t epoch = 0; epoch < 400; ++epoch)
    for (std::int64_t b = 0; b < 2; ++b) {
      const Batch drawn = windows.make({epoch, b});
      REQUIRE(drawn.inputs.shape() == Shape{batch, context});
      CHECK(drawn.count == batch * context);
      const Tokens inputs = drawn.inputs.to_vector<std::int64_t>(), targets = drawn.targets.to_vector<std::int64_t>();
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        REQUIRE(targets[i] == inputs[i] + 1);
        if (i % context == 0)
          ++begins[static_cast<std::size_t>(inputs[i] - 1000)];
        else
          REQUIRE(inputs[i] == inputs[i - 1] + 1);
      }
    }
  // 4000 windows begin at any of the 42 tokens that have room, equally often.
  for (std::size_t i = 0; i < begins.size(); ++i)
    CHECK(std::abs(begins[i] - (i < 42 ? 4000 / 42 : 0)) < (i < 42 ? 50 : 1));
}

TEST_CASE("text windows: seed and position decide") {
  TextWindows a(counting(500), 8, 4, 3), b(counting(500), 8, 4, 3), c(counting(500), 8, 4, 4);
  auto inputs = [](TextWindows& windows, DataPosition at) { return windows.make(at).inputs.to_vector<std::int64_t>(); };
  CHECK(inputs(a, {2, 1}) == inputs(b, {2, 1}));
  CHECK(inputs(a, {2, 1}) != inputs(a, {2, 2}));
  CHECK(inputs(a, {2, 1}) != inputs(a, {1, 1}));
  CHECK(inputs(a, {2, 1}) != inputs(c, {2, 1}));
  TextWindows only(counting(9), 8, 1, 1);
  CHECK(inputs(only, {0, 0}).front() == 1000);
  CHECK(contains(error_of([] { TextWindows(counting(8), 8, 1, 1); }), {"[text_windows]", "8 tokens", "window of 8"}));
  CHECK(contains(error_of([] { TextWindows(Tensor::from({1.0f}), 8, 1, 1); }), {"tokens must be u8 or i32"}));
}

TEST_CASE("text segments: every token is a target exactly once, after those before it") {
  const std::int64_t before = 7;
  for (std::int64_t n : {1, 3, 8, 9, 16, 17, 50})
    for (std::int64_t stride : {0, 1, 3, 8})
      for (std::int64_t batch : {1, 4}) {
        CAPTURE(n);
        CAPTURE(stride);
        CAPTURE(batch);
        const std::int64_t context = 8, shared = stride == 0 ? 0 : context - stride;
        TextSegments segments(counting(n), before, context, stride, batch);
        Tokens scored;
        std::int64_t count = 0;
        for (std::int64_t b = 0; b < segments.batches_per_epoch(); ++b) {
          const Batch made = segments.make({0, b});
          count += made.count;
          const Tokens inputs = made.inputs.to_vector<std::int64_t>(), targets = made.targets.to_vector<std::int64_t>();
          for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (targets[i] == -100) continue;
            scored.push_back(targets[i]);
            CHECK(inputs[i] == (targets[i] == 1000 ? before : targets[i] - 1));
            const auto place = static_cast<std::int64_t>(i) % context;
            if (targets[i] - 1000 >= context) CHECK(place >= shared);  // it sees at least what the windows share
          }
        }
        CHECK(count == n);
        CHECK(scored == counting(n).to_vector<std::int64_t>());
      }
  CHECK(contains(error_of([] { TextSegments(counting(9), 0, 8, 9, 1); }), {"[text_segments]", "stride", "8, got 9"}));
  CHECK(contains(error_of([] { TextSegments(counting(0), 0, 8, 0, 1); }), {"empty"}));
  TextSegments segments(counting(9), 0, 8, 0, 1);
  CHECK(contains(error_of([&] { segments.make({0, 2}); }), {"no batch 2 of 2"}));
}

TEST_CASE("corpus: the Jargon File as Debian ships it") {
  LanguageDataConfig data;
  data.cache = "none";
  if (!std::filesystem::exists(data.path)) {
    MESSAGE("skipped: ", data.path, " is not there (package jargon-text)");
    return;
  }
  const Corpus corpus = load_corpus(data, TokenKind::bytes);
  const std::int64_t n = corpus.train.numel() + corpus.held_out.numel();
  CHECK(n > 1'000'000);
  CHECK(corpus.held_out.numel() == n / 10);
  CHECK(load_corpus(data, TokenKind::words).vocabulary.size() > 10000);
}

TEST_CASE("corpus: a folder laid out as WikiText is") {
  const TempDir dir;
  LanguageDataConfig data;
  data.path = dir.path("");
  const auto error = [&] { return error_of([&] { load_corpus(data, TokenKind::words); }); };
  CHECK(contains(error(), {"[load_corpus]", dir.path(""), "neither train.txt nor wiki.train.tokens"}));
  dir.write("wiki.train.tokens", " a b \n \n a c \n");
  dir.write("wiki.valid.tokens", " b z \n");
  CHECK(contains(error(), {"neither test.txt nor wiki.test.tokens"}));
  dir.write("test.txt", "");
  CHECK(contains(error(), {"/test.txt: no text to test on"}));
  dir.write("test.txt", " c a a \n");
  const Corpus corpus = load_corpus(data, TokenKind::words);
  CHECK(corpus.vocabulary.size() == 5);
  CHECK(corpus.train.to_vector<std::int64_t>() == Tokens{1, 2, 0, 0, 1, 3, 0});
  CHECK(corpus.held_out.to_vector<std::int64_t>() == Tokens{2, 4, 0});
  CHECK(corpus.before_held_out == corpus.vocabulary.end_of_line());
  CHECK(corpus.test.to_vector<std::int64_t>() == Tokens{3, 1, 1, 0});
  // Of 7 tokens and 5 more, one each: c has 2, a 3, <eos> 4.
  const double want = std::pow(2.0 / 12 * 3 / 12 * 3 / 12 * 4 / 12, -0.25);
  CHECK(unigram_perplexity(corpus.train, corpus.test, 5) == doctest::Approx(want).epsilon(1e-12));
}

TEST_CASE("corpus: WikiText-2 where it is there") {
  LanguageDataConfig data;
  data.path = "data/wikitext-2";
  data.cache = "none";
  if (const char* path = std::getenv("FF_WIKITEXT2")) data.path = path;
  if (!std::filesystem::exists(data.path)) {
    MESSAGE("skipped: ", data.path, " is not there (FF_WIKITEXT2 may name another folder)");
    return;
  }
  const Corpus corpus = load_corpus(data, TokenKind::words);
  CHECK(corpus.vocabulary.size() == 33'278);
  CHECK(corpus.train.numel() == 2'088'628);
  CHECK(corpus.held_out.numel() == 217'646);
  CHECK(corpus.test.numel() == 245'569);
}
