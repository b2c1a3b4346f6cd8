#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <doctest/doctest.h>

#include "ff/models/language/corpus.h"
#include "ff/models/language/token_file.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

namespace fs = std::filesystem;
using Tokens = std::vector<std::int64_t>;

// An environment variable as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// Lines of few words, some of them rare, with accents and no order.
std::string sample_text(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i)
    text += "line " + std::to_string(i * i % 97) + " says na\u00efve w" + std::to_string(i * 7 % 41) +
            (i % 5 == 0 ? " \u4e16\u754c" : " don't") + " stop .\n";
  return text;
}

// Everything of a corpus that there is to compare.
struct Contents {
  Tokens train, held_out, test;
  TextSize held_out_size, test_size;
  std::string vocabulary;
  std::int64_t before = 0;

  explicit Contents(const Corpus& corpus)
      : train(corpus.train.to_vector<std::int64_t>()),
        held_out(corpus.held_out.to_vector<std::int64_t>()),
        held_out_size(corpus.held_out_size),
        test_size(corpus.test_size),
        vocabulary(corpus.vocabulary.text()),
        before(corpus.before_held_out) {
    if (corpus.test.defined()) test = corpus.test.to_vector<std::int64_t>();
  }
  bool operator==(const Contents&) const = default;
};

// Whether texts were encoded on the way.
struct Readings {
  bool encoded = false;
  LoadListener listener() {
    return [this](std::string_view doing, double share) {
      CHECK(share >= 0);
      CHECK(share <= 1);
      encoded |= doing.starts_with("encoding");
    };
  }
};

LanguageDataConfig config_of(const std::string& path, const std::string& cache) {
  LanguageDataConfig data;
  data.path = path;
  data.held_out_fraction = 0.2;
  data.cache = cache;
  return data;
}

void touch(const std::string& path, int seconds) {
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(seconds));
}

std::string only_file(const std::string& folder) {
  std::string found;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    found = entry.path().string();
    ++count;
  }
  REQUIRE(count == 1);
  return found;
}

}  // namespace

TEST_CASE("text parts: pieces are cut in front of white space alone, and nothing is lost") {
  const TempDir dir;
  for (const std::string& unit : {std::string("na\u00efve words .  \n "), std::string("\u4e16\u754c\u3000\u00a0 x"),
                                  std::string("nospace"), std::string(" \n\t ")}) {
    std::string text;
    while (text.size() < 3'500'000) text += unit;
    for (const std::string& path : {dir.write("text", text), dir.write("text.gz", gzip(text))})
      for (const TextPart& part : {TextPart{path}, TextPart{path, 12, 2'500'001}, TextPart{path, 3'000'000}}) {
        std::string whole;
        TextSize size, size_of_whole;
        int pieces = 0;
        double last = 0;
        for_each_piece(
            part,
            [&](std::string_view piece) {
              if (pieces++ > 0) CHECK((piece[0] == ' ' || piece[0] == '\n' || piece[0] == '\t'));
              if (pieces > 1) CHECK(!std::isspace(static_cast<unsigned char>(whole.back())));
              whole += piece;
              size.count(piece);
            },
            "reading",
            [&](std::string_view doing, double share) {
              CHECK(doing == "reading");
              CHECK(share >= last);
              last = share;
            });
        const std::size_t end = std::min<std::size_t>(part.end, text.size());
        CHECK(whole == text.substr(part.begin, end - part.begin));
        CHECK(last == 1);
        size_of_whole.count(whole);
        CHECK(size == size_of_whole);
      }
  }
}

TEST_CASE("text parts: what there is to count in a text") {
  TextSize size;
  size.count("two w\u00f6rds\n\n  \u4e16 end");
  CHECK(size.bytes == 21);
  CHECK(size.characters == 18);
  CHECK(size.words == 6);  // with two ends of lines
  CHECK(size.unknown == 0);
}

TEST_CASE("corpus: kept tokens are those of the text, read piece by piece or as a whole") {
  const TempDir dir;
  const std::string text = sample_text(40'000);  // several pieces
  for (const std::string& path : {dir.write("text", text), dir.write("text.gz", gzip(text))})
    for (const TokenKind kind : {TokenKind::words, TokenKind::bpe}) {
      const std::int64_t size = kind == TokenKind::bpe ? 400 : 0;
      const Contents want(load_corpus(config_of(path, "none"), kind, size));
      const LanguageDataConfig data = config_of(path, dir.path("cache"));
      Readings first, second;
      CHECK(Contents(load_corpus(data, kind, size, first.listener())) == want);
      CHECK(Contents(load_corpus(data, kind, size, second.listener())) == want);
      CHECK(first.encoded);
      CHECK(!second.encoded);

      // Against the text as it stands: cut at the first line behind 4/5 of it.
      const std::size_t cut =
          text.find('\n', text.size() - static_cast<std::size_t>(0.2 * double(text.size())) - 1) + 1;
      const Vocabulary vocabulary = Vocabulary::parse(kind, want.vocabulary, "");
      CHECK(vocabulary.encode(text.substr(0, cut)).to_vector<std::int64_t>() == want.train);
      CHECK(vocabulary.encode(text.substr(cut)).to_vector<std::int64_t>() == want.held_out);
      CHECK(want.before == want.train.back());
      CHECK(want.held_out_size.bytes == std::ssize(text) - static_cast<std::int64_t>(cut));
      if (kind == TokenKind::words) CHECK(want.vocabulary == Vocabulary::words(text.substr(0, cut)).text());
    }
}

TEST_CASE("corpus: tokens are made anew where the text, its cut or its vocabulary is another") {
  const TempDir dir;
  const std::string path = dir.write("text", sample_text(200));
  LanguageDataConfig data = config_of(path, dir.path("cache"));
  const auto encoded = [&](const LanguageDataConfig& how) {
    Readings readings;
    const Contents kept(load_corpus(how, TokenKind::words, 0, readings.listener()));
    LanguageDataConfig plain = how;
    plain.cache = "none";
    CHECK(kept == Contents(load_corpus(plain, TokenKind::words)));
    return readings.encoded;
  };
  CHECK(encoded(data));
  CHECK(!encoded(data));
  touch(path, 1);
  CHECK(encoded(data));
  dir.write("text", sample_text(201));
  CHECK(encoded(data));
  CHECK(!encoded(data));
  data.held_out_fraction = 0.3;
  CHECK(encoded(data));
  data.max_vocabulary = 5;
  CHECK(encoded(data));
  CHECK(!encoded(data));
  data.max_vocabulary = 0;
  CHECK(!encoded(data));  // in a file of its own
  CHECK(std::distance(fs::directory_iterator(dir.path("cache")), {}) == 2);
}

TEST_CASE("corpus: a given vocabulary finds the tokens that were learnt with it, and no others") {
  const TempDir dir;
  const LanguageDataConfig data = config_of(dir.write("text", sample_text(200)), dir.path("cache"));
  for (const TokenKind kind : {TokenKind::words, TokenKind::bpe}) {
    const Corpus learnt = load_corpus(data, kind, 300);
    Readings again, other, back;
    CHECK(Contents(load_corpus(data, learnt.vocabulary, again.listener())) == Contents(learnt));
    CHECK(!again.encoded);
    WordCounts counts;
    count_units(kind, "other words, other pairs, other words", counts);
    const Vocabulary others = Vocabulary::learn(kind, counts, kind == TokenKind::bpe ? learnt.vocabulary.size() : 0);
    const Corpus with_others = load_corpus(data, others, other.listener());
    CHECK(other.encoded);
    CHECK(with_others.vocabulary.text() == others.text());
    CHECK(with_others.train.to_vector<std::int64_t>() != learnt.train.to_vector<std::int64_t>());
    CHECK((with_others.held_out_size.unknown > 0) == (kind == TokenKind::words));
    CHECK(Contents(load_corpus(data, kind, 300, back.listener())) == Contents(learnt));  // not the others' file
  }
}

TEST_CASE("corpus: byte pairs from a folder") {
  const TempDir dir;
  LanguageDataConfig data = config_of(dir.write("text", sample_text(100)), "none");
  WordCounts counts;
  count_units(TokenKind::bpe, sample_text(50), counts);
  const BytePairs pairs = BytePairs::learn(counts, 280);
  fs::create_directory(dir.path("pairs"));
  pairs.save(dir.path("pairs"));
  data.tokenizer = dir.path("pairs");
  CHECK(load_corpus(data, TokenKind::bpe).vocabulary.text() == Vocabulary::byte_pairs(pairs).text());
  data.tokenizer = dir.path("none");
  CHECK(contains(error_of([&] { load_corpus(data, TokenKind::bpe); }), {"[load_tokenizer]", "none"}));
}

TEST_CASE("corpus: damaged tokens are made anew") {
  const TempDir dir;
  const LanguageDataConfig data = config_of(dir.write("text", sample_text(30)), dir.path("cache"));
  const Contents want(load_corpus(data, TokenKind::words));
  const std::string path = only_file(dir.path("cache")), good = slurp(path);
  for (std::uint64_t i = 0; i < 60; ++i) {
    CAPTURE(i);
    const std::string bad = damaged(good, i);
    dir.write("cache/" + fs::path(path).filename().string(), bad);
    if (bad != good) CHECK(contains(error_of([&] { read_token_file(path); }), {"[token_file]", path}));
    CHECK(Contents(load_corpus(data, TokenKind::words)) == want);
    CHECK(slurp(path) == good);
  }
}

TEST_CASE("corpus: where tokens are kept") {
  const TempDir dir;
  const Variable cache("XDG_CACHE_HOME", dir.path("home"));
  const std::string small = dir.write("small", sample_text(10)), large = dir.write("large", sample_text(30'000));
  load_corpus(config_of(small, ""), TokenKind::words);
  CHECK(dir.count() == 2);  // not worth it
  load_corpus(config_of(large, ""), TokenKind::words);
  CHECK(fs::exists(dir.path("large.words.tokens")));
  LanguageDataConfig folder = config_of(dir.path("folder"), "");
  fs::create_directory(folder.path);
  for (const char* part : {"train", "valid", "test"}) fs::copy(large, folder.path + "/" + part + ".txt");
  const Corpus corpus = load_corpus(folder, TokenKind::bpe, 270);
  CHECK(fs::exists(folder.path + "/bpe-270.tokens"));
  CHECK(corpus.test_size.bytes == static_cast<std::int64_t>(fs::file_size(large)));

  // Nothing is left of a corpus that is refused, and an explicit place that cannot be is an error.
  dir.write("folder/test.txt", "");
  fs::remove(folder.path + "/bpe-270.tokens");
  CHECK(contains(error_of([&] { load_corpus(folder, TokenKind::bpe, 270); }), {"test.txt", "no text to test on"}));
  CHECK(!fs::exists(folder.path + "/bpe-270.tokens"));
  CHECK(contains(error_of([&] { load_corpus(config_of(small, dir.path("large/x")), TokenKind::words); }),
                 {"[load_corpus]", "data.cache", "large/x"}));

  dir.write("folder/test.txt", "a test\n");
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  load_corpus(folder, TokenKind::words);
  fs::permissions(folder.path, fs::perms::owner_all);
  CHECK(only_file(dir.path("home/fourierformer")).ends_with(".words.tokens"));
}

TEST_CASE("token file: what is none, or describes what cannot be, is refused") {
  const TempDir dir;
  const std::string path = dir.path("tokens");
  const std::vector<std::int32_t> tokens{3, 1, 4, 1, 5};
  const auto write = [&](std::int64_t vocabulary_size) {
    TokenFileWriter writer(path);
    writer.append(std::span(tokens).first(2));
    writer.append(std::span(tokens).last(3));
    writer.end_text({.bytes = 9, .characters = 8, .words = 5, .unknown = 1});
    writer.end_text({});
    writer.commit({.sources = "a text", .learnt = "words", .vocabulary = "v", .vocabulary_size = vocabulary_size});
  };
  write(6);
  const TokenFile file = read_token_file(path);
  CHECK(file.sources == "a text");
  CHECK(file.learnt == "words");
  CHECK(file.vocabulary == "v");
  CHECK(file.vocabulary_size == 6);
  REQUIRE(file.texts.size() == 2);
  CHECK(file.texts[0].tokens.to_vector<std::int64_t>() == Tokens{3, 1, 4, 1, 5});
  CHECK(file.texts[0].size == TextSize{9, 8, 5, 1});
  CHECK(file.texts[1].tokens.numel() == 0);
  file.texts[0].tokens.fill(0);  // the file does not hear of it
  CHECK(read_token_file(path).texts[0].tokens.to_vector<std::int64_t>() == Tokens{3, 1, 4, 1, 5});
  write(5);
  CHECK(
      contains(error_of([&] { read_token_file(path); }), {"[token_file]", "tokens from 1 to 5 of a vocabulary of 5"}));
  dir.write("tokens", "");
  CHECK(contains(error_of([&] { read_token_file(path); }), {path, "not a file of tokens"}));
  CHECK(contains(error_of([&] { read_token_file(dir.path("none")); }), {"none", "cannot be opened"}));
}
