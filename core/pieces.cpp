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

}  // namespace ff
