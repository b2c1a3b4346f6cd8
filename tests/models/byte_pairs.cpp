#include "ff/models/language/byte_pairs.h"

#include <map>

#include <doctest/doctest.h>

#include "ff/core/random.h"
#include "ff/models/data_random.h"
#include "ff/models/language/byte_alphabet.h"
#include "ff/models/language/pretokens.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

using Strings = std::vector<std::string>;
using StringPair = std::pair<std::string, std::string>;

Strings pretokens(std::string_view text) {
  Strings pieces;
  for_each_pretoken(text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

WordCounts counts_of(std::string_view text) {
  WordCounts counts;
  for_each_pretoken(text, [&](std::string_view piece) { counts.add(piece); });
  return counts;
}

// Joins each pair in tokens, from left to right.
Strings joined(const Strings& tokens, const StringPair& pair) {
  Strings result;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool here = i + 1 < tokens.size() && tokens[i] == pair.first && tokens[i + 1] == pair.second;
    result.push_back(here ? tokens[i] + tokens[i + 1] : tokens[i]);
    i += here;
  }
  return result;
}

Strings characters(std::string_view piece) {
  Strings all;
  for (const char c : piece) all.emplace_back(1, c);
  return all;
}

// Byte pairs of strings, as the definition says it, anew at each step.
struct PlainPairs {
  Strings tokens;  // in the order of their numbers
  std::vector<StringPair> merges;

  std::size_t number(const std::string& token) const {
    return static_cast<std::size_t>(std::find(tokens.begin(), tokens.end(), token) - tokens.begin());
  }

  PlainPairs(std::string_view text, std::size_t size) {
    for (const unsigned char byte : byte_order()) tokens.emplace_back(1, static_cast<char>(byte));
    std::vector<Strings> pieces;
    for (const std::string& piece : pretokens(text)) pieces.push_back(characters(piece));
    while (tokens.size() < size) {
      std::map<std::pair<std::size_t, std::size_t>, int> counts;
      for (const Strings& piece : pieces)
        for (std::size_t i = 0; i + 1 < piece.size(); ++i) ++counts[{number(piece[i]), number(piece[i + 1])}];
      auto best = counts.end();
      for (auto it = counts.begin(); it != counts.end(); ++it)
        if (best == counts.end() || it->second > best->second) best = it;
      if (best == counts.end() || best->second < 2) return;
      const StringPair pair{tokens[best->first.first], tokens[best->first.second]};
      if (std::find(merges.begin(), merges.end(), pair) == merges.end()) merges.push_back(pair);
      if (number(pair.first + pair.second) == tokens.size()) tokens.push_back(pair.first + pair.second);
      for (Strings& piece : pieces) piece = joined(piece, pair);
    }
  }

  // The pair of the lowest rank, wherever it is, until there is none.
  std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> numbers;
    for (const std::string& piece : pretokens(text)) {
      Strings now = characters(piece);
      for (bool found = true; found;) {
        found = false;
        for (const StringPair& pair : merges) {
          const Strings next = joined(now, pair);
          if (next.size() == now.size()) continue;
          now = next;
          found = true;
          break;
        }
      }
      for (const std::string& token : now) numbers.push_back(static_cast<std::int32_t>(number(token)));
    }
    return numbers;
  }
};

std::vector<std::int32_t> encode(const BytePairs& pairs, std::string_view text) {
  std::vector<std::int32_t> tokens;
  BytePairEncoder(pairs).encode(text, tokens);
  return tokens;
}

std::string decode(const BytePairs& pairs, const std::vector<std::int32_t>& tokens) {
  std::string text;
  for (const std::int32_t token : tokens) text += pairs.bytes_of(token);
  return text;
}

// Text of few letters, in which the same pairs come again and again, and of any bytes.
std::string random_text(std::uint64_t seed, std::int64_t length, std::string_view letters) {
  std::string text;
  const RandomKey key = data_key(seed, DataStream::windows, 0);
  for (std::int64_t i = 0; i < length; ++i) {
    const auto count = letters.empty() ? 256 : static_cast<std::int64_t>(letters.size());
    const std::int64_t drawn = random_below(key, static_cast<std::uint64_t>(i), count);
    text += letters.empty() ? static_cast<char>(drawn) : letters[static_cast<std::size_t>(drawn)];
  }
  return text;
}

}  // namespace

TEST_CASE("pretokens: a text is divided as GPT-2 divides it") {
  const std::vector<std::pair<std::string, Strings>> cases{
      {"", {}},
      {"Hello world", {"Hello", " world"}},
      {"don't we'll they've I'm you're he'd it's",
       {"don", "'t", " we", "'ll", " they", "'ve", " I", "'m", " you", "'re", " he", "'d", " it", "'s"}},
      {"DON'T", {"DON", "'", "T"}},  // the endings are small letters
      {"'tis 's 'sx", {"'t", "is", " '", "s", " '", "sx"}},
      {"!'t", {"!'", "t"}},
      {"rock'n'roll''s", {"rock", "'", "n", "'", "roll", "''", "s"}},
      {"  two spaces", {" ", " two", " spaces"}},
      {"a   b", {"a", "  ", " b"}},
      {"end  ", {"end", "  "}},
      {" ", {" "}},
      {"a\nb\n\nc\n", {"a", "\n", "b", "\n", "\n", "c", "\n"}},
      {"a \n b", {"a", " \n", " b"}},
      {"tab\there\t\tthere", {"tab", "\t", "here", "\t", "\t", "there"}},
      {"in 1984, 3.14", {"in", " 1984", ",", " 3", ".", "14"}},
      {"abc123def", {"abc", "123", "def"}},
      {"a<|endoftext|>", {"a", "<|", "endoftext", "|>"}},
      {"x_y @-@ z", {"x", "_", "y", " @-@", " z"}},
      {"\u00e9t\u00e9 na\u00efve", {"\u00e9t\u00e9", " na\u00efve"}},
      {"e\u0301 x", {"e", "\u0301", " x"}},  // a combining accent is no letter
      {"\u4f60\u597d\u4e16\u754c\u3002", {"\u4f60\u597d\u4e16\u754c", "\u3002"}},
      {"\u00b2\u00bd\u2167 \u0663", {"\u00b2\u00bd\u2167", " \u0663"}},
      {"hi \U0001f600\U0001f680!", {"hi", " \U0001f600\U0001f680!"}},
      {"a\u00a0b \u3000c", {"a", "\u00a0", "b", " ", "\u3000", "c"}},
      {"\u2003\u2003x", {"\u2003", "\u2003", "x"}},
      {"a\x1c"
       "b",
       {"a", "\x1c", "b"}},  // a separator that Unicode does not count as white space
      {"a\xff\xfe"
       "b\xe4\xbd",
       {"a", "\xff\xfe", "b", "\xe4\xbd"}},
  };
  for (const auto& example : cases) {
    CAPTURE(example.first);
    CHECK(pretokens(example.first) == example.second);
  }
}

TEST_CASE("pretokens: the pieces of any bytes are all of them") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string text = random_text(seed, 300, seed % 2 == 0 ? "" : " \n\t'sta1\xc3\xa9.\xe2\x80\x83");
    std::string whole;
    for (const std::string& piece : pretokens(text)) {
      CHECK(!piece.empty());
      whole += piece;
    }
    CHECK(whole == text);
  }
}

TEST_CASE("byte alphabet: GPT-2's characters for bytes") {
  CHECK(byte_order()[0] == '!');
  CHECK(byte_order()[93] == '~');
  CHECK(byte_order()[94] == 0xa1);
  CHECK(byte_order()[187] == 0xff);
  CHECK(byte_order()[188] == 0);
  CHECK(byte_order()[255] == 0xad);
  CHECK(shown_bytes(" a\n") == "\u0120a\u010a");
  CHECK(shown_bytes(std::string_view("\0\x7f\xa0\xad\xff", 5)) == "\u0100\u0121\u0142\u0143\u00ff");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(bytes_shown(shown_bytes(all)) == all);
  for (const std::string text : {" ", "\u0144", "\xc4", "\xff", "\u4f60", "a\n", "\xc0\xa1"}) CHECK(!bytes_shown(text));
}

TEST_CASE("byte pairs: learnt and used as the definition says") {
  const std::string text =
      "low low low low low lower lower newest newest newest newest newest newest widest widest widest\n"
      "the cat's caps can't; the cats sat, the mat's flat. 1984 1985 1986 198419851986\n";
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    const std::string letters = seed % 3 == 0 ? "ab" : seed % 3 == 1 ? "abc  " : "aabbc'st 1\n";
    const std::string learnt_on = seed == 0 ? text : random_text(seed, 600, letters);
    const std::int64_t size = 256 + 10 * static_cast<std::int64_t>(seed + 1);
    const BytePairs pairs = BytePairs::learn(counts_of(learnt_on), size);
    const PlainPairs plain(learnt_on, static_cast<std::size_t>(size));
    REQUIRE(static_cast<std::size_t>(pairs.size()) == plain.tokens.size());
    for (std::size_t i = 0; i < plain.tokens.size(); ++i)
      REQUIRE(pairs.bytes_of(static_cast<std::int64_t>(i)) == plain.tokens[i]);
    REQUIRE(pairs.merges().size() == plain.merges.size());
    for (std::size_t i = 0; i < plain.merges.size(); ++i) {
      const BytePairs::Merge& merge = pairs.merges()[i];
      REQUIRE(StringPair{pairs.bytes_of(merge.left), pairs.bytes_of(merge.right)} == plain.merges[i]);
    }
    for (const std::string& said :
         {learnt_on, text, random_text(seed + 100, 200, letters), random_text(seed, 200, "")}) {
      REQUIRE(encode(pairs, said) == plain.encode(said));
      REQUIRE(decode(pairs, encode(pairs, said)) == said);
    }
  }
}

TEST_CASE("byte pairs: end where no pair comes twice") {
  const BytePairs pairs = BytePairs::learn(counts_of("abab cd"), 1000);
  CHECK(pairs.size() == 257);
  CHECK(pairs.bytes_of(256) == "ab");
  CHECK(BytePairs::learn(counts_of("abab"), 256).merges().empty());
  CHECK(contains(error_of([] { BytePairs::learn(counts_of("abab"), 255); }), {"[byte_pairs]", "256", "255"}));
}

TEST_CASE("byte pairs: a merge that makes a pair of a lower rank waits for those of its own") {
  // (abc ab) is merged before (ab c), which makes abc: of "abcabc", both (ab c) go first.
  std::string encoder = "{";
  int number = 0;
  for (const unsigned char byte : byte_order()) {
    const std::string shown = shown_bytes(std::string(1, static_cast<char>(byte)));
    encoder += (shown == "\""   ? "\"\\\"\""
                : shown == "\\" ? "\"\\\\\""
                                : "\"" + shown + "\"") +
               ": " + std::to_string(number++) + ", ";
  }
  encoder += R"("ab": 256, "bc": 257, "abc": 258, "abcab": 259, "abcabc": 260})";
  const BytePairs pairs = BytePairs::parse(encoder, "e", "abc ab\na b\nab c\n", "m");
  CHECK(encode(pairs, "abcabc") == std::vector<std::int32_t>{258, 258});
  CHECK(encode(pairs, "abcab") == std::vector<std::int32_t>{259});
}

TEST_CASE("byte pairs: a long piece takes no square of its length, nor as long for each merge") {
  const std::string text = random_text(3, 1 << 20, "ab");
  const BytePairs pairs = BytePairs::learn(counts_of(text), 8000);
  CHECK(pairs.size() == 8000);
  CHECK(decode(pairs, encode(pairs, text)) == text);
}

TEST_CASE("byte pairs: files as GPT-2's are written, and read back") {
  const TempDir dir;
  const BytePairs pairs =
      BytePairs::learn(counts_of("the cat \"and\" the \\hat\\ \xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9"), 270);
  pairs.save(dir.path(""));
  const std::string merges = slurp(dir.path("vocab.bpe")), encoder = slurp(dir.path("encoder.json"));
  CHECK(merges.starts_with("#version: 0.2\n"));
  CHECK(contains(merges, {"h e\n", "t he\n"}));
  CHECK(contains(encoder, {R"({"!": 0, "\"": 1, "#": 2,)", R"("\u0120": 220, )"}));
  const BytePairs again = BytePairs::load(dir.path(""));
  CHECK(again.merges() == pairs.merges());
  CHECK(again.encoder_text() == encoder);
  CHECK(again.merges_text() == merges);
  // A token that nothing is merged to.
  const std::string size = std::to_string(pairs.size());
  dir.write("encoder.json", encoder.substr(0, encoder.size() - 1) + ", \"<|endoftext|>\": " + size + "}");
  CHECK(BytePairs::load(dir.path("")).bytes_of(pairs.size()) == "<|endoftext|>");
  CHECK(contains(error_of([&] { BytePairs::load(dir.path("none")); }), {"[load_tokenizer]", "none", "no such folder"}));
}

TEST_CASE("byte pairs: files that are anything else are refused") {
  const BytePairs pairs = BytePairs::learn(counts_of("abc abc abc abd"), 259);
  const std::string encoder = pairs.encoder_text(), merges = pairs.merges_text();
  auto refused = [](const std::string& e, const std::string& m) {
    const std::string message = error_of([&] { BytePairs::parse(e, "encoder", m, "merges"); });
    CHECK_MESSAGE(contains(message, {"[load_tokenizer]"}), message);
    return message;
  };
  const std::string body = encoder.substr(0, encoder.size() - 1);
  CHECK(contains(refused("", merges), {"encoder", "not JSON"}));
  CHECK(contains(refused("[1]", merges), {"encoder", "an object"}));
  CHECK(contains(refused("3", merges), {"an object"}));
  CHECK(contains(refused("{}", merges), {"the token of byte 33, \"!\", is missing"}));
  CHECK(contains(refused(R"({"a": {"b": 1}})", merges), {"an object"}));
  CHECK(contains(refused(R"({"a": 0, "b": 0})", merges), {"two tokens have the number 0"}));
  CHECK(contains(refused(body + ", \"a\": 259}", merges), {"\"a\"", "comes twice"}));
  CHECK(contains(refused(body + ", \"xy\": 260}", merges), {"\"xy\"", "0 to 259", "260"}));
  CHECK(contains(refused(body + ", \"xy\": -1}", merges), {"\"xy\"", "-1"}));
  CHECK(contains(refused(body + ", \"xy\": 1.5}", merges), {"1.5"}));
  CHECK(contains(refused(body + ", \"xy\": \"259\"}", merges), {"\"259\""}));
  CHECK(contains(refused(body + ", \"x y\": 259}", merges), {"\"x y\"", "stand for bytes"}));
  CHECK(contains(refused(body + ", \"\": 259}", merges), {"stand for bytes"}));
  CHECK(contains(refused(body + ", \"\xe4\xbd\xa0\": 259}", merges), {"stand for bytes"}));
  CHECK(contains(refused(encoder, merges + "a b"), {"merges: line 5 has no end"}));
  CHECK(contains(refused(encoder, merges + "a b c\n"), {"merges: line 5", "two tokens"}));
  CHECK(contains(refused(encoder, merges + "\n"), {"merges: line 5", "two tokens"}));
  CHECK(contains(refused(encoder, merges + "a zz\n"), {"merges: line 5", "\"zz\" is no token"}));
  CHECK(contains(refused(encoder, merges + "a z\n"), {"merges: line 5", "\"az\" is no token"}));
  CHECK(contains(refused(encoder, merges + "a \n"), {"merges: line 5", "\"\" is no token"}));
  CHECK(contains(refused(encoder, merges + "a b\n"), {"merges: line 5 repeats line 2"}));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    CAPTURE(i);
    REQUIRE_NOTHROW(error_of([&] { BytePairs::parse(damaged(encoder, i), "encoder", merges, "merges"); }));
    REQUIRE_NOTHROW(error_of([&] { BytePairs::parse(encoder, "encoder", damaged(merges, i), "merges"); }));
  }
}
