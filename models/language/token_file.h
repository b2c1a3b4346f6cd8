#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ff/core/io/file.h"
#include "ff/core/tensor.h"
#include "ff/models/language/text_parts.h"

namespace ff::models {

/// A text as tokens, 1-D u8 or i32.
struct TokenText {
  Tensor tokens;
  TextSize size;
};

/// Texts that were turned into tokens before, as a file keeps them.
struct TokenFile {
  std::string sources;               ///< what the texts were, to tell whether they have changed
  std::string learnt;                ///< how the vocabulary was learnt from them; empty: it was there already
  std::string vocabulary;            ///< Vocabulary::text()
  std::int64_t vocabulary_size = 0;  ///< tokens are below it
  std::vector<TokenText> texts{};    ///< i32; when read, over the mapped file
};

/// Reads a file of TokenFileWriter's. Throws Error where a byte of it is not as it was written, or a token is none of
/// the vocabulary.
TokenFile read_token_file(const std::string& path);

/// Writes such a file, atomically, without holding what it writes:
///   "fftokens"; the texts, i32; the vocabulary; a description (JSON); its length (8 bytes); CRC-32 of all before (4)
/// Integers are as the machine has them, little-endian.
class TokenFileWriter {
 public:
  explicit TokenFileWriter(const std::string& path);
  /// Adds tokens to the text that is being written.
  void append(std::span<const std::int32_t> tokens);
  /// Ends this text; the next one begins.
  void end_text(const TextSize& size);
  /// Adds the rest, and has the file appear. file.texts counts for nothing.
  void commit(const TokenFile& file);

 private:
  struct Text {
    std::int64_t tokens = 0;
    TextSize size;
  };

  void write(std::string_view bytes);

  io::OutputFile file_;
  std::uint32_t checksum_ = 0;
  std::int64_t tokens_ = 0;  // of the text that is being written
  std::vector<Text> texts_;
};

}  // namespace ff::models
