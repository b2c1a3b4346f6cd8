#include "ff/autograd/ops/middle.h"

#include "ff/core/check.h"

namespace ff {

Middle::Middle(const char* op, const Shape& shape, int along) : dim(normalize_dim(op, along, shape.rank())) {
  check(shape.rank() > 0, op, "a scalar has no entries to choose from");
  n = shape[dim];
  for (int i = 0; i < dim; ++i) outer *= shape[i];
  for (int i = dim + 1; i < shape.rank(); ++i) inner *= shape[i];
}

Shape with_size(Shape shape, int dim, std::int64_t size) {
  shape[dim] = size;
  return shape;
}

}  // namespace ff
