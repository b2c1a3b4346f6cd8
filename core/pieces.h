#pragma once

#include <cstdint>
#include <vector>

namespace ff {

/// Elements [begin, end) of an array.
struct Run {
  std::int64_t begin, end;

  bool operator==(const Run&) const = default;
};

/// Elements [begin, end) of one of several arrays.
struct Piece {
  std::size_t array;
  std::int64_t begin, end;
};

/// Arrays of these sizes cut into pieces of at most grain elements, array by array, by the sizes alone: one
/// parallel_for over the pieces, with a grain of 1, works on all arrays at once.
std::vector<Piece> cut_into_pieces(const std::vector<std::int64_t>& sizes, std::int64_t grain);

/// What of runs, ascending and apart, lies in [begin, end): all of it where runs is null.
std::vector<Run> runs_within(const std::vector<Run>* runs, std::int64_t begin, std::int64_t end);

}  // namespace ff
