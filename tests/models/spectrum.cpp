#include "ff/models/spectrum.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

using Vector = std::vector<double>;

Vector sorted(Vector values) {
  std::sort(values.begin(), values.end());
  return values;
}

// Columns that are orthonormal: H = I - 2 v v^T / v^T v.
Tensor reflection(std::int64_t n) {
  const Tensor v = randn({n, 1}, {.dtype = f64});
  return eye(n, {.dtype = f64}) - matmul(v, transpose(v, 0, 1)) * (2 / sum(square(v)).item<double>());
}

}  // namespace

TEST_CASE("spectrum: eigenvalues of matrices that are made of them") {
  manual_seed(31);
  for (const std::int64_t n : {1, 2, 3, 16, 64}) {
    Vector want;
    for (std::int64_t i = 0; i < n; ++i)
      want.push_back(i % 3 == 2 ? 1e-6 * static_cast<double>(i) : static_cast<double>(i * i) - 5);
    const Tensor turn = matmul(reflection(n), reflection(n));
    const Tensor matrix = matmul(turn * Tensor::from(want, {n}), transpose(turn, 0, 1));
    const auto d = largest_difference(sorted(symmetric_eigenvalues(matrix.to_vector<double>(), n)), sorted(want));
    CHECK_MESSAGE(d.relative < 1e-13 * static_cast<double>(n), d.str());
  }
  CHECK(symmetric_eigenvalues({0, 0, 0, 0}, 2) == Vector{0, 0});
  const auto d = largest_difference(sorted(symmetric_eigenvalues({0, 1, 1, 0}, 2)), Vector{-1, 1});
  CHECK_MESSAGE(d.absolute < 1e-15, d.str());
}

TEST_CASE("spectrum: effective rank") {
  CHECK(effective_rank({4, 0, 0, 1e-9}, 2, 1e-8) == doctest::Approx(1));
  CHECK(effective_rank({1e-9, 0, 0, 1e-9}, 2, 1e-8) == 0);
  CHECK(effective_rank({0, 0, 0, 0}, 2) == 0);
  CHECK(effective_rank({7}, 1) == doctest::Approx(1));
  CHECK(effective_rank({1, 1, 1, 1}, 2) == doctest::Approx(1));
  CHECK(effective_rank({3, 0, 0, 0, 3, 0, 0, 0, 3}, 3) == doctest::Approx(3));
  // Singular values 3 and 1: shares of 3/4 and 1/4.
  CHECK(effective_rank({9, 0, 0, 1}, 2) == doctest::Approx(std::exp(-0.75 * std::log(0.75) - 0.25 * std::log(0.25))));
}
