#include "tests/support/strided_arrays.h"

#include <algorithm>

namespace ff::test {

const std::vector<Shape>& trying_shapes() {
  static const std::vector<Shape> shapes{{},
                                         {1},
                                         {7},
                                         {16},
                                         {0},
                                         {3, 0, 2},
                                         {1, 1, 1},
                                         {5, 1, 4},
                                         {2, 3},
                                         {4, 1, 1, 3},
                                         {3, 257},
                                         {257, 3},
                                         {2, 2, 1030},
                                         {2, 3, 4, 5},
                                         {33, 31},
                                         {70000},
                                         {300, 301},
                                         {40000, 2},
                                         {2, 1, 300, 1, 2}};
  return shapes;
}

std::vector<Strides> readings(const Shape& shape) {
  const int rank = shape.rank();
  std::vector<Strides> all{contiguous_strides(shape)};
  Strides transposed = Shape::filled(rank, 1);
  for (int i = 1; i < rank; ++i) transposed[i] = transposed[i - 1] * std::max<std::int64_t>(shape[i - 1], 1);
  all.push_back(transposed);
  Strides sliced = contiguous_strides(shape);
  for (int i = 0; i < rank; ++i) sliced[i] *= 2;
  all.push_back(sliced);
  for (int repeated = 0; repeated < rank; ++repeated) {
    Shape smaller = shape;
    smaller[repeated] = 1;
    Strides strides = contiguous_strides(smaller);
    strides[repeated] = 0;
    all.push_back(strides);
  }
  all.push_back(Shape::filled(rank, 0));
  return all;
}

std::int64_t extent(const Shape& shape, const Strides& strides) {
  if (shape.numel() == 0) return 0;
  std::int64_t last = 0;
  for (int i = 0; i < shape.rank(); ++i) last += (shape[i] - 1) * strides[i];
  return last + 1;
}

std::int64_t offset(const Shape& index, const Strides& strides) {
  std::int64_t sum = 0;
  for (int i = 0; i < index.rank(); ++i) sum += index[i] * strides[i];
  return sum;
}

}  // namespace ff::test
