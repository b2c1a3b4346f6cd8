#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ff/models/language/text_hash.h"
#include "ff/models/language/word_counts.h"

namespace ff::models {

/// A byte-pair encoding of bytes, GPT-2's (Sennrich et al. 2016; Radford et al. 2019): a text is divided by
/// for_each_pretoken(), and within each piece, at first a token a byte, pairs of neighbours are merged, the pair that
/// was learnt first before the others, until none is left that was learnt. Any bytes can be encoded, and come back.
class BytePairs {
 public:
  struct Merge {
    std::int32_t left = 0, right = 0, result = 0;
    bool operator==(const Merge&) const = default;
  };

  /// Learns from pieces of text and how often each comes: the 256 bytes, in GPT-2's order, then the pair of neighbours
  /// that comes most often (of equals the one of lower numbers), merged everywhere, and so on until there are `size`
  /// tokens, or no pair comes twice. Throws Error where size is below 256.
  static BytePairs learn(const WordCounts& pieces, std::int64_t size);
  /// Reads GPT-2's files of a folder, encoder.json (the number of each token) and vocab.bpe (the merges). Numbers may
  /// be in any order, and there may be tokens that no merge makes ("<|endoftext|>"): they are decoded alone. Throws
  /// Error naming file and place where they are anything else.
  static BytePairs load(const std::string& folder);
  /// The same from the texts of both files; the names are for errors.
  static BytePairs parse(std::string_view encoder, const std::string& encoder_name, std::string_view merges,
                         const std::string& merges_name);
  /// Writes both files, each atomically.
  void save(const std::string& folder) const;
  /// What they hold.
  std::string encoder_text() const;
  std::string merges_text() const;

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  /// The bytes that a token stands for.
  std::string_view bytes_of(std::int64_t token) const { return tokens_[static_cast<std::size_t>(token)]; }
  /// The token of a byte.
  std::int32_t token_of(unsigned char byte) const { return byte_tokens_[byte]; }
  /// The merges in the order that they were learnt.
  const std::vector<Merge>& merges() const { return merges_; }
  /// The place in merges() of the one of left and right; -1 where there is none.
  std::int32_t rank(std::int32_t left, std::int32_t right) const;

 private:
  BytePairs(std::vector<std::string> tokens, std::vector<Merge> merges);

  std::vector<std::string> tokens_;  // their bytes, by number
  std::array<std::int32_t, 256> byte_tokens_{};
  std::vector<Merge> merges_;
  std::unordered_map<std::uint64_t, std::int32_t> ranks_;  // by pair_key()
};

/// Both numbers in one.
inline std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

/// Encodes texts by byte pairs, remembering the pieces that it has met: a text has the same words again and again.
class BytePairEncoder {
 public:
  /// pairs must live as long.
  explicit BytePairEncoder(const BytePairs& pairs) : pairs_(pairs) {}

  /// Adds the tokens of a text. What is divided into several texts is encoded as a whole where none is cut but in front
  /// of white space that follows something else.
  void encode(std::string_view text, std::vector<std::int32_t>& tokens);

 private:
  std::vector<std::int32_t> merged(std::string_view piece) const;

  const BytePairs& pairs_;
  std::unordered_map<std::string, std::vector<std::int32_t>, TextHash, std::equal_to<>> known_;
};

}  // namespace ff::models
