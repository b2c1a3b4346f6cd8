#include "ff/core/pieces.h"

#include <algorithm>

namespace ff {

std::vector<Piece> cut_into_pieces(const std::vector<std::int64_t>& sizes, std::int64_t grain) {
  std::vector<Piece> pieces;
  for (std::size_t array = 0; array < sizes.size(); ++array)
    for (std::int64_t begin = 0; begin < sizes[array]; begin += grain)
      pieces.push_back({array, begin, std::min(sizes[array], begin + grain)});
  return pieces;
}

std::vector<Run> runs_within(const std::vector<Run>* runs, std::int64_t begin, std::int64_t end) {
  if (runs == nullptr) return {{begin, end}};
  std::vector<Run> within;
  auto run = std::partition_point(runs->begin(), runs->end(), [=](const Run& r) { return r.end <= begin; });
  for (; run != runs->end() && run->begin < end; ++run)
    within.push_back({std::max(begin, run->begin), std::min(end, run->end)});
  return within;
}

}  // namespace ff
