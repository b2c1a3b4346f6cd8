#include "ff/models/language/byte_pairs.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "ff/core/check.h"
#include "ff/models/language/linked_tokens.h"
#include "ff/models/language/pretokens.h"

namespace ff::models {

BytePairs::BytePairs(std::vector<std::string> tokens, std::vector<Merge> merges)
    : tokens_(std::move(tokens)), merges_(std::move(merges)) {
  for (std::size_t token = 0; token < tokens_.size(); ++token)
    if (tokens_[token].size() == 1)
      byte_tokens_[static_cast<unsigned char>(tokens_[token][0])] = static_cast<std::int32_t>(token);
  ranks_.reserve(merges_.size());
  for (std::size_t rank = 0; rank < merges_.size(); ++rank)
    ranks_.emplace(pair_key(merges_[rank].left, merges_[rank].right), static_cast<std::int32_t>(rank));
}

std::int32_t BytePairs::rank(std::int32_t left, std::int32_t right) const {
  const auto found = ranks_.find(pair_key(left, right));
  return found == ranks_.end() ? -1 : found->second;
}

namespace {

// A piece of text while pairs in it are merged, which takes n log n.
class Merging {
 public:
  Merging(const BytePairs& pairs, std::string_view piece) : pairs_(pairs) {
    for (std::size_t i = 0; i < piece.size(); ++i)
      tokens_.append(pairs.token_of(static_cast<unsigned char>(piece[i])), i == 0);
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(piece.size()); ++i) offer(i);
  }

  // All places of the lowest rank at once, from left to right: a merge may make a pair of a lower rank (where two
  // merges make the same token), and that one has to wait.
  void run() {
    std::vector<std::int32_t> places;
    while (!offers_.empty()) {
      const std::int32_t rank = offers_.top().first;
      places.clear();
      for (; !offers_.empty() && offers_.top().first == rank; offers_.pop()) places.push_back(offers_.top().second);
      for (const std::int32_t place : places) apply(rank, place);
    }
  }

  std::vector<std::int32_t> tokens() const {
    std::vector<std::int32_t> all;
    for (std::int32_t i = 0; i >= 0; i = tokens_[i].after) all.push_back(tokens_[i].token);
    return all;
  }

 private:
  void offer(std::int32_t place) {
    if (place < 0 || tokens_[place].after < 0) return;
    const std::int32_t rank = pairs_.rank(tokens_[place].token, tokens_.next(place));
    if (rank >= 0) offers_.emplace(rank, place);
  }

  void apply(std::int32_t rank, std::int32_t place) {
    const BytePairs::Merge& merge = pairs_.merges()[static_cast<std::size_t>(rank)];
    if (tokens_[place].token != merge.left || tokens_.next(place) != merge.right) return;  // merged since
    tokens_.merge(place, merge.result);
    offer(tokens_[place].before);
    offer(place);
  }

  using Offer = std::pair<std::int32_t, std::int32_t>;  // rank and place
  const BytePairs& pairs_;
  LinkedTokens tokens_;
  std::priority_queue<Offer, std::vector<Offer>, std::greater<>> offers_;
};

}  // namespace

std::vector<std::int32_t> BytePairEncoder::merged(std::string_view piece) const {
  Merging merging(pairs_, piece);
  merging.run();
  return merging.tokens();
}

void BytePairEncoder::encode(std::string_view text, std::vector<std::int32_t>& tokens) {
  constexpr std::size_t longest = 64, most = 1 << 20;  // pieces worth remembering, some 100 MB of them
  check(text.size() <= INT32_MAX, "encode", "a text of {} bytes at once", text.size());
  for_each_pretoken(text, [&](std::string_view piece) {
    const auto known = known_.find(piece);
    if (known != known_.end()) {
      tokens.insert(tokens.end(), known->second.begin(), known->second.end());
      return;
    }
    std::vector<std::int32_t> made = merged(piece);
    tokens.insert(tokens.end(), made.begin(), made.end());
    if (piece.size() > longest) return;
    if (known_.size() >= most) known_.clear();
    known_.emplace(piece, std::move(made));
  });
}

}  // namespace ff::models
