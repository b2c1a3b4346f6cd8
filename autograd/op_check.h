#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ff/autograd/ops/op_table.h"

namespace ff {

/// What check_op() found: the worst over an op's samples.
struct OpReport {
  double gradient = 0;                ///< relative error against finite differences, in f64 (see gradcheck())
  double second = 0;                  ///< the same of the gradient's gradient
  double strided = 0;                 ///< difference between strided and dense inputs, of results and gradients
  double single = 0;                  ///< relative difference between f32 and f64
  std::vector<std::string> failures;  ///< what is over its limit, and where; empty: all is well

  static constexpr double gradient_limit = 1e-6, second_limit = 1e-5, strided_limit = 1e-13, single_limit = 1e-5;
};

/// Everything that is asked of an op, over its record's samples: gradients and gradients of gradients against finite
/// differences with random cotangents; strided inputs against dense ones; f32 against f64; the same bits at 1, 2 and 4
/// threads; and that an op without a derivative says so. For the library's own ops and for anybody's:
///   check_op({"cube", true, [](Sampler& s) {
///     return std::vector<OpSample>{{"matrix", {s.normal({2, 3})}, [](const auto& in) { return cube(in[0]); }}};
///   }});
OpReport check_op(const OpRecord& record, std::uint64_t seed = 1);

}  // namespace ff
