#pragma once

#include <cstdint>
#include <vector>

#include "ff/autograd/ops/creation.h"
#include "ff/autograd/ops/shape.h"
#include "ff/core/tensor.h"

namespace ff::test {

/// The elements as integers, row-major.
inline std::vector<std::int64_t> integers(const Tensor& x) { return x.to_vector<std::int64_t>(); }

/// 0, 1, 2, ... in row-major order, i64.
inline Tensor counting(const Shape& shape) {
  return reshape(arange(0, static_cast<double>(shape.numel()), 1, {.dtype = i64}), shape);
}

}  // namespace ff::test
