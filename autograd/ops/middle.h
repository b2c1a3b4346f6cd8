#pragma once

#include <cstdint>

#include "ff/core/shape.h"

namespace ff {

/// A shape seen as (outer, n, inner) around one of its dimensions.
struct Middle {
  int dim;
  std::int64_t outer = 1, n, inner = 1;
  /// Throws Error naming op where there is no such dimension.
  Middle(const char* op, const Shape& shape, int along);
};

/// shape with another size of dimension dim.
Shape with_size(Shape shape, int dim, std::int64_t size);

}  // namespace ff
