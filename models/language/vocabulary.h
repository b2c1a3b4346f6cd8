#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ff/core/tensor.h"
#include "ff/models/language/byte_pairs.h"
#include "ff/models/language/config.h"
#include "ff/models/language/text_hash.h"
#include "ff/models/language/word_counts.h"

namespace ff::models {

/// What the numbers of tokens stand for: bytes as they are; words between white space, where the end of a line is the
/// word <eos> and a word that is not known is <unk>; or what byte pairs were merged to.
class Vocabulary {
 public:
  /// The 256 bytes.
  static Vocabulary bytes();
  /// The words of a text: <eos>, then by falling frequency, equals as they first appear, at most max_words of them
  /// where that is not 0; <unk> last where it is not one of them.
  static Vocabulary words(std::string_view text, std::int64_t max_words = 0);
  static Vocabulary byte_pairs(BytePairs pairs);
  /// What is learnt from the counts of count_units(): words as above, or byte pairs, `size` tokens in all.
  static Vocabulary learn(TokenKind kind, const WordCounts& counts, std::int64_t size);
  /// Reads the words that save() wrote. Throws Error naming path and line where it is anything else.
  static Vocabulary load(const std::string& path);
  /// Writes the words, one a line in the order of their numbers, atomically. Throws Error where there are none: bytes
  /// need no file, byte pairs have their own.
  void save(const std::string& path) const;
  /// All that there is to it in one text, which is the same for equal vocabularies alone; parse() gives it back. name
  /// is what errors call the text.
  std::string text() const;
  static Vocabulary parse(TokenKind kind, std::string_view text, const std::string& name);

  TokenKind kind() const { return kind_; }
  std::int64_t size() const;
  /// The token that a line ends with.
  std::int64_t end_of_line() const { return end_of_line_; }
  /// The tokens of a text, 1-D: u8 for bytes, else i32. A last line without an end gets no <eos>.
  Tensor encode(std::string_view text) const;
  /// The text of tokens: words with spaces between, a new line for <eos>. Throws Error where one is none.
  std::string decode(std::span<const std::int64_t> tokens) const;
  /// The byte pairs; null where tokens are anything else.
  const BytePairs* pairs() const { return pairs_.get(); }

 private:
  friend class TextEncoder;

  explicit Vocabulary(TokenKind kind, std::int32_t end_of_line) : kind_(kind), end_of_line_(end_of_line) {}
  explicit Vocabulary(std::vector<std::string> words);

  TokenKind kind_;
  std::vector<std::string> words_;  // by number
  std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>> numbers_;
  std::shared_ptr<const BytePairs> pairs_;
  std::int32_t end_of_line_ = 0, unknown_ = 0;
};

/// Counts what a vocabulary is learnt from: words, or the pieces that byte pairs are merged within. A text may come in
/// pieces, each cut in front of white space that follows something else.
void count_units(TokenKind kind, std::string_view text, WordCounts& counts);

/// Encodes a text that comes in pieces, cut as for count_units().
class TextEncoder {
 public:
  /// vocabulary must live as long.
  explicit TextEncoder(const Vocabulary& vocabulary);
  /// Adds the tokens of the next piece.
  void encode(std::string_view text, std::vector<std::int32_t>& tokens);
  /// How many words so far have become <unk> that are not spelt so.
  std::int64_t unknown() const { return unknown_; }

 private:
  std::int32_t number_of(std::string_view word);

  const Vocabulary& vocabulary_;
  std::optional<BytePairEncoder> pairs_;
  std::int64_t unknown_ = 0;
};

}  // namespace ff::models
