#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

struct RotaryOptions {
  double base = 10000;
  std::int64_t offset = 0;   ///< position of the first row: how many were seen before
  bool interleaved = false;  ///< pairs are features (2 i, 2 i + 1), as in the paper; else (i, i + D / 2), as in LLaMA
};
/// Rotary position embedding (Su et al. 2021): x (.., N, D), D even, floating, each pair i of a row n turned by the
/// angle (offset + n) base^(-2 i / D), so that products of queries and keys depend on their distance alone.
Tensor rotary_embedding(const Tensor& x, const RotaryOptions& options = {}, Where site = {});

}  // namespace ff
