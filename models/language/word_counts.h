#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ff::models {

/// How often each word of a text comes, whatever a word is.
class WordCounts {
 public:
  struct Count {
    std::string word;
    std::int64_t count = 0;
  };

  void add(std::string_view word) {
    const auto place = places_.find(word);
    if (place != places_.end()) {
      ++place->second->count;
      return;
    }
    Count& added = counts_.emplace_back(Count{std::string(word), 1});
    places_.emplace(added.word, &added);
  }
  /// In the order of their first appearance.
  const std::deque<Count>& all() const { return counts_; }

 private:
  std::deque<Count> counts_;  // they stay where they are, so that places_ may point at them
  std::unordered_map<std::string_view, Count*> places_;
};

}  // namespace ff::models
