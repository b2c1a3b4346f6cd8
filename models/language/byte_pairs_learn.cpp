#include <algorithm>
#include <queue>

#include "ff/core/check.h"
#include "ff/models/language/byte_alphabet.h"
#include "ff/models/language/byte_pairs.h"

namespace ff::models {
namespace {

// The pieces as tokens, the pairs in them, and where they are.
class Learner {
 public:
  explicit Learner(const WordCounts& pieces) {
    std::array<std::int32_t, 256> byte_token{};
    for (const unsigned char byte : byte_order()) {
      byte_token[byte] = static_cast<std::int32_t>(tokens_.size());
      add_token(std::string(1, static_cast<char>(byte)));
    }
    for (const auto& [piece, count] : pieces.all()) {
      Piece& added = pieces_.emplace_back(Piece{{}, count});
      for (const char c : piece) added.tokens.push_back(byte_token[static_cast<unsigned char>(c)]);
      for (std::size_t i = 0; i + 1 < added.tokens.size(); ++i) {
        Pair& pair = pairs_[pair_key(added.tokens[i], added.tokens[i + 1])];
        pair.count += count;
        pair.pieces.push_back(static_cast<std::int32_t>(pieces_.size() - 1));
      }
    }
    for (const auto& [key, pair] : pairs_) frequent_.push({pair.count, key});
  }

  // Merges the most frequent pair; false if none comes twice.
  bool step() {
    while (!frequent_.empty()) {
      const Candidate best = frequent_.top();
      frequent_.pop();
      const std::int64_t count = pairs_[best.key].count;
      if (count == best.count && count >= 2) {
        merge(best.key);
        return true;
      }
      if (count != best.count && count >= 2) frequent_.push({count, best.key});  // it has become rarer since
    }
    return false;
  }

  std::vector<std::string> tokens_;
  std::vector<BytePairs::Merge> merges_;

 private:
  struct Piece {
    std::vector<std::int32_t> tokens;
    std::int64_t count = 0;
  };
  struct Pair {
    std::int64_t count = 0;
    std::vector<std::int32_t> pieces;  // that have it, or had it; some more than once
  };
  struct Candidate {
    std::int64_t count;
    std::uint64_t key;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : key > other.key;
    }
  };

  std::int32_t add_token(const std::string& bytes) {
    const auto [place, is_new] = numbers_.emplace(bytes, static_cast<std::int32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(bytes);
    return place->second;
  }

  void count_pairs(const Piece& piece, std::int64_t times) {
    for (std::size_t i = 0; i + 1 < piece.tokens.size(); ++i)
      pairs_[pair_key(piece.tokens[i], piece.tokens[i + 1])].count += times * piece.count;
  }

  // A token that is made in two ways may bring back a pair that was merged before: it is merged again.
  void merge(std::uint64_t key) {
    BytePairs::Merge merge{static_cast<std::int32_t>(key >> 32), static_cast<std::int32_t>(key), 0};
    merge.result =
        add_token(tokens_[static_cast<std::size_t>(merge.left)] + tokens_[static_cast<std::size_t>(merge.right)]);
    if (listed_.emplace(key, true).second) merges_.push_back(merge);
    std::vector<std::int32_t> places = std::move(pairs_[key].pieces);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    std::vector<std::uint64_t> made;  // pairs with the new token
    for (const std::int32_t place : places) {
      Piece& piece = pieces_[static_cast<std::size_t>(place)];
      count_pairs(piece, -1);
      replace(piece.tokens, merge);
      count_pairs(piece, 1);
      for (std::size_t i = 0; i + 1 < piece.tokens.size(); ++i) {
        if (piece.tokens[i] != merge.result && piece.tokens[i + 1] != merge.result) continue;
        made.push_back(pair_key(piece.tokens[i], piece.tokens[i + 1]));
        pairs_[made.back()].pieces.push_back(place);
      }
    }
    std::sort(made.begin(), made.end());
    made.erase(std::unique(made.begin(), made.end()), made.end());
    for (const std::uint64_t pair : made) frequent_.push({pairs_[pair].count, pair});
  }

  static void replace(std::vector<std::int32_t>& tokens, const BytePairs::Merge& merge) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tokens.size(); ++kept) {
      const bool here = i + 1 < tokens.size() && tokens[i] == merge.left && tokens[i + 1] == merge.right;
      tokens[kept] = here ? merge.result : tokens[i];
      i += here ? 2 : 1;
    }
    tokens.resize(kept);
  }

  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<Piece> pieces_;
  std::unordered_map<std::uint64_t, Pair> pairs_;
  std::unordered_map<std::uint64_t, bool> listed_;
  std::priority_queue<Candidate> frequent_;
};

}  // namespace

BytePairs BytePairs::learn(const WordCounts& pieces, std::int64_t size) {
  check(size >= 256 && size <= INT32_MAX, "byte_pairs", "the bytes alone are 256 tokens; {} are asked for", size);
  Learner learner(pieces);
  while (static_cast<std::int64_t>(learner.tokens_.size()) < size && learner.step()) {
  }
  return {std::move(learner.tokens_), std::move(learner.merges_)};
}

}  // namespace ff::models
