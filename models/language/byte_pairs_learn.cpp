#include <algorithm>
#include <queue>

#include "ff/core/check.h"
#include "ff/models/language/byte_alphabet.h"
#include "ff/models/language/byte_pairs.h"
#include "ff/models/language/linked_tokens.h"

namespace ff::models {
namespace {

// The pieces as tokens, the pairs in them, and where they are: a merge takes as long as it has places.
class Learner {
 public:
  explicit Learner(const WordCounts& pieces) {
    std::array<std::int32_t, 256> byte_token{};
    for (const unsigned char byte : byte_order()) {
      byte_token[byte] = static_cast<std::int32_t>(tokens_.size());
      add_token(std::string(1, static_cast<char>(byte)));
    }
    for (const auto& [piece, count] : pieces.all()) {
      check(piece_of_.size() + piece.size() <= INT32_MAX, "byte_pairs", "pieces to learn from of more than {} bytes",
            INT32_MAX);
      for (std::size_t i = 0; i < piece.size(); ++i) {
        pieces_.append(byte_token[static_cast<unsigned char>(piece[i])], i == 0);
        piece_of_.push_back(static_cast<std::int32_t>(counts_.size()));
      }
      counts_.push_back(count);
    }
    for (std::int32_t place = 0; place < static_cast<std::int32_t>(piece_of_.size()); ++place) add_pair(place);
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
  struct Pair {
    std::int64_t count = 0;
    std::vector<std::int32_t> places;  // where it is, or was
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

  std::uint64_t key_at(std::int32_t place) const { return pair_key(pieces_[place].token, pieces_.next(place)); }
  std::int64_t count_at(std::int32_t place) const {
    return counts_[static_cast<std::size_t>(piece_of_[static_cast<std::size_t>(place)])];
  }

  // The pair of the token at a place and the next; the place or the next may be none.
  void add_pair(std::int32_t place) {
    if (place < 0 || pieces_[place].after < 0) return;
    Pair& pair = pairs_[key_at(place)];
    pair.count += count_at(place);
    pair.places.push_back(place);
  }
  void remove_pair(std::int32_t place) {
    if (place >= 0 && pieces_[place].after >= 0) pairs_[key_at(place)].count -= count_at(place);
  }

  // A token that is made in two ways may bring back a pair that was merged before: it is merged again.
  void merge(std::uint64_t key) {
    BytePairs::Merge merge{static_cast<std::int32_t>(key >> 32), static_cast<std::int32_t>(key), 0};
    merge.result =
        add_token(tokens_[static_cast<std::size_t>(merge.left)] + tokens_[static_cast<std::size_t>(merge.right)]);
    if (listed_.emplace(key, true).second) merges_.push_back(merge);
    std::vector<std::int32_t> places = std::move(pairs_[key].places);
    std::sort(places.begin(), places.end());  // of overlapping ones, the left goes first
    std::vector<std::uint64_t> made;          // pairs with the new token
    for (const std::int32_t place : places) {
      if (pieces_[place].token != merge.left || pieces_.next(place) != merge.right) continue;  // merged since
      const std::int32_t before = pieces_[place].before;
      for (const std::int32_t changed : {before, place, pieces_[place].after}) remove_pair(changed);
      pieces_.merge(place, merge.result);
      for (const std::int32_t changed : {before, place}) {
        add_pair(changed);
        if (changed >= 0 && pieces_[changed].after >= 0) made.push_back(key_at(changed));
      }
    }
    std::sort(made.begin(), made.end());
    made.erase(std::unique(made.begin(), made.end()), made.end());
    for (const std::uint64_t pair : made) frequent_.push({pairs_[pair].count, pair});
  }

  std::unordered_map<std::string, std::int32_t> numbers_;
  LinkedTokens pieces_;
  std::vector<std::int32_t> piece_of_;  // by place
  std::vector<std::int64_t> counts_;    // of pieces
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
