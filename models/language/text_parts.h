#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ff/models/language/config.h"
#include "ff/models/load_listener.h"

namespace ff::models {

/// A text that is a stretch of a file, plain or gzip: its bytes [begin, end), uncompressed; end may be beyond the
/// file's.
struct TextPart {
  std::string path;
  std::uint64_t begin = 0, end = UINT64_MAX;
};

/// The texts that a configuration names.
struct TextParts {
  TextPart train, held_out;
  std::optional<TextPart> test;  ///< of a folder alone

  /// All that there are, in this order.
  std::vector<TextPart> all() const;
};

/// Which they are: of one file, the end is held out, from the beginning of a line on unless tokens are bytes. Throws
/// Error where a folder has not the files it should have, or a file cannot be read.
TextParts text_parts(const LanguageDataConfig& data, TokenKind kind);

/// Calls use(piece) for the pieces of a text in their order, none of which is cut but in front of white space that
/// follows something else, so that they can be counted and encoded one by one. They are about 1 MiB, or as long as the
/// text has no such place. listener is told what share of the text is read, of `doing`.
void for_each_piece(const TextPart& part, const std::function<void(std::string_view)>& use, std::string_view doing,
                    const LoadListener& listener);

/// What there is to count in a text.
struct TextSize {
  std::int64_t bytes = 0;
  std::int64_t characters = 0;  ///< of UTF-8
  std::int64_t words = 0;       ///< between white space, and the ends of lines
  std::int64_t unknown = 0;     ///< words that a vocabulary does not tell from each other

  /// Adds the first three of the next piece of a text, cut as for_each_piece() does.
  void count(std::string_view piece);
  bool operator==(const TextSize&) const = default;
};

}  // namespace ff::models
