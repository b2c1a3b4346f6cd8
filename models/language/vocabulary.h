#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ff/core/tensor.h"
#include "ff/models/language/config.h"

namespace ff::models {

/// What the numbers of tokens stand for: bytes as they are, or words between white space, where the end of a line is
/// the word <eos> and a word that is not known is <unk>.
class Vocabulary {
 public:
  /// The 256 bytes.
  static Vocabulary bytes();
  /// The words of a text: <eos>, then by falling frequency, equals as they first appear, at most max_words of them
  /// where that is not 0; <unk> last where it is not one of them.
  static Vocabulary words(std::string_view text, std::int64_t max_words = 0);
  /// Reads what save() wrote. Throws Error naming path and line where it is anything else.
  static Vocabulary load(const std::string& path);
  /// Writes the words, one a line in the order of their numbers, atomically. Throws Error for bytes, which need no
  /// file.
  void save(const std::string& path) const;

  TokenKind kind() const { return kind_; }
  std::int64_t size() const { return kind_ == TokenKind::bytes ? 256 : static_cast<std::int64_t>(words_.size()); }
  /// The token that a line ends with.
  std::int64_t end_of_line() const { return kind_ == TokenKind::bytes ? '\n' : end_of_line_; }
  /// The tokens of a text, 1-D: u8 for bytes, i32 for words. A last line without an end gets no <eos>.
  Tensor encode(std::string_view text) const;
  /// The text of tokens: words with spaces between, a new line for <eos>. Throws Error where one is none.
  std::string decode(std::span<const std::int64_t> tokens) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  explicit Vocabulary(TokenKind kind) : kind_(kind) {}
  explicit Vocabulary(std::vector<std::string> words);
  std::int32_t number_of(std::string_view word) const;

  TokenKind kind_;
  std::vector<std::string> words_;  // by number
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> numbers_;
  std::int32_t end_of_line_ = 0, unknown_ = 0;
};

}  // namespace ff::models
