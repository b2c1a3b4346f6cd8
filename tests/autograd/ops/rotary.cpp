#include "ff/autograd/ops/rotary.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

using namespace ff;

TEST_CASE("rotary_embedding turns pairs of features by angles that grow with the position") {
  manual_seed(1);
  const Tensor x = randn({2, 3, 5, 6}, {.dtype = f64});
  const auto xs = x.to_vector<double>();
  for (bool interleaved : {false, true}) {
    std::vector<double> want(xs.size());
    for (std::size_t row = 0; row < 30; ++row)
      for (std::size_t i = 0; i < 3; ++i) {
        const double angle = static_cast<double>(row % 5 + 11) * std::pow(100.0, -2.0 * static_cast<double>(i) / 6);
        const std::size_t a = row * 6 + (interleaved ? 2 * i : i), b = row * 6 + (interleaved ? 2 * i + 1 : i + 3);
        want[a] = xs[a] * std::cos(angle) - xs[b] * std::sin(angle);
        want[b] = xs[a] * std::sin(angle) + xs[b] * std::cos(angle);
      }
    const Tensor y = rotary_embedding(x, {.base = 100, .offset = 11, .interleaved = interleaved});
    const auto d = test::largest_difference(y.to_vector<double>(), want, y.shape());
    CHECK_MESSAGE(d.absolute < 1e-14, d.str());
  }
}

TEST_CASE("rotary_embedding: products depend on distances alone; an offset is rows that came before") {
  manual_seed(2);
  const Tensor q = broadcast_to(randn({1, 8}, {.dtype = f64}), {50, 8}),
               k = broadcast_to(randn({1, 8}, {.dtype = f64}), {50, 8});
  const Tensor products = matmul(rotary_embedding(q), transpose(rotary_embedding(k), 0, 1));
  const Tensor shifted = slice(slice(products, 0, 7), 1, 7), kept = slice(slice(products, 0, 0, 43), 1, 0, 43);
  const auto d = test::largest_difference(shifted.to_vector<double>(), kept.to_vector<double>(), kept.shape());
  CHECK_MESSAGE(d.absolute < 1e-12, d.str());
  CHECK(rotary_embedding(slice(q, 0, 9), {.offset = 9}).to_vector<double>() ==
        slice(rotary_embedding(q), 0, 9).to_vector<double>());
  // Position 0 stays as it is.
  CHECK(select(rotary_embedding(k), 0, 0).to_vector<double>() == select(k, 0, 0).to_vector<double>());
}

TEST_CASE("rotary_embedding gives the same bits at any thread count, and keeps its accuracy far out") {
  manual_seed(3);
  const Tensor x = randn({3, 700, 64});
  CHECK(test::same_at_any_thread_count([&] { return rotary_embedding(x).to_vector<float>(); }));
  const RotaryOptions far{.offset = 1000000};
  const auto d = test::largest_difference(rotary_embedding(x, far).to_vector<float>(),
                                          rotary_embedding(cast(x, f64), far).to_vector<double>(), x.shape());
  CHECK_MESSAGE(d.relative < 1e-6, d.str());
}

TEST_CASE("rotary_embedding: what is wrong is named") {
  CHECK_THROWS_WITH_AS(rotary_embedding(zeros({2, 3})),
                       doctest::Contains("[rotary_embedding] x must be (.., N, D) with D even: its shape is (2, 3)"),
                       Error);
  CHECK_THROWS_WITH_AS(rotary_embedding(zeros({4})), doctest::Contains("its shape is (4,)"), Error);
  CHECK_THROWS_WITH_AS(rotary_embedding(zeros({2, 4}), {.base = 0}), doctest::Contains("base must be larger than 0"),
                       Error);
  CHECK_THROWS_WITH_AS(rotary_embedding(zeros({2, 4}, {.dtype = i64})), doctest::Contains("a floating tensor"), Error);
}
