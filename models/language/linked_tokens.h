#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ff::models {

/// Tokens of pieces of text while neighbours are merged. Each stays at its place, so that merging two takes the same
/// time however long a piece is.
class LinkedTokens {
 public:
  struct Link {
    std::int32_t token, before, after;  ///< -1: there is none (a token: it was merged into the one before)
  };

  /// At the next place: the first of a piece, or the one after the last.
  void append(std::int32_t token, bool is_first) {
    const auto place = static_cast<std::int32_t>(links_.size());
    if (!is_first) links_.back().after = place;
    links_.push_back({token, is_first ? -1 : place - 1, -1});
  }

  const Link& operator[](std::int32_t place) const { return links_[static_cast<std::size_t>(place)]; }
  /// The token after the one at a place; -1 where there is none.
  std::int32_t next(std::int32_t place) const {
    const std::int32_t after = (*this)[place].after;
    return after < 0 ? -1 : (*this)[after].token;
  }

  /// Puts a token in place of that at a place and the one after it, which there must be.
  void merge(std::int32_t place, std::int32_t token) {
    Link& left = links_[static_cast<std::size_t>(place)];
    Link& right = links_[static_cast<std::size_t>(left.after)];
    left.token = token;
    left.after = right.after;
    right.token = -1;
    if (left.after >= 0) links_[static_cast<std::size_t>(left.after)].before = place;
  }

 private:
  std::vector<Link> links_;
};

}  // namespace ff::models
