#include "ff/nn/init.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/core/parallel.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

struct Moments {
  double mean = 0, std = 0, low = 0, high = 0;
};

Moments moments(const Tensor& tensor) {
  const auto x = tensor.to_vector<double>();
  const double n = static_cast<double>(x.size());
  Moments m;
  m.low = *std::min_element(x.begin(), x.end());
  m.high = *std::max_element(x.begin(), x.end());
  for (double v : x) m.mean += v / n;
  for (double v : x) m.std += (v - m.mean) * (v - m.mean) / n;
  m.std = std::sqrt(m.std);
  return m;
}

// Five standard errors of a mean of n numbers of standard deviation std; the error of a standard deviation is smaller.
double tolerance(double std, double n) { return 5 * std / std::sqrt(n); }

constexpr double n = 200 * 300;

}  // namespace

TEST_CASE("init: constants") {
  const Tensor x = rand({3, 4});
  const auto version = x.version();
  nn::init::ones_(x);
  CHECK(x.to_vector<float>() == std::vector<float>(12, 1));
  nn::init::constant_(x, -2);
  CHECK(x.to_vector<float>() == std::vector<float>(12, -2));
  nn::init::zeros_(x);
  CHECK(x.to_vector<float>() == std::vector<float>(12, 0));
  CHECK(x.version() > version);
}

TEST_CASE("init: uniform_ and normal_ have the moments asked for, in both dtypes") {
  manual_seed(3);
  for (DType dtype : {f32, f64}) {
    const Tensor x = zeros({200, 300}, {.dtype = dtype});
    nn::init::uniform_(x, -1, 3);
    Moments m = moments(x);
    const double std = 4 / std::sqrt(12.0);
    CHECK(m.low >= -1);
    CHECK(m.high <= 3);
    CHECK(m.low < -0.99);
    CHECK(m.high > 2.99);
    CHECK(std::abs(m.mean - 1) < tolerance(std, n));
    CHECK(std::abs(m.std - std) < tolerance(std, n));

    nn::init::normal_(x, 5, 0.5);
    m = moments(x);
    CHECK(std::abs(m.mean - 5) < tolerance(0.5, n));
    CHECK(std::abs(m.std - 0.5) < tolerance(0.5, n));
    CHECK(m.high > 5 + 3.5 * 0.5);
  }
}

TEST_CASE("init: trunc_normal_ keeps to its interval and has the truncated distribution's deviation") {
  manual_seed(4);
  const Tensor x = zeros({200, 300});
  nn::init::trunc_normal_(x, 0, 0.02);  // the bounds, 100 deviations off, cut nothing
  CHECK(std::abs(moments(x).std - 0.02) < tolerance(0.02, n));
  CHECK(moments(x).high > 3.5 * 0.02);

  nn::init::trunc_normal_(x, 0, 1, -1, 1);
  Moments m = moments(x);
  CHECK(m.low >= -1);
  CHECK(m.high <= 1);
  CHECK(std::abs(m.mean) < tolerance(1, n));
  CHECK_MESSAGE(std::abs(m.std - 0.539560) < tolerance(0.54, n), m.std);  // sqrt(1 - 2 phi(1) / (2 Phi(1) - 1))

  nn::init::trunc_normal_(x, 0, 1, 2, 10);  // a tail: the mean is phi(2) / (1 - Phi(2))
  m = moments(x);
  CHECK(m.low >= 2);
  CHECK_MESSAGE(std::abs(m.mean - 2.373216) < tolerance(0.34, n), m.mean);
  CHECK_THROWS_AS(nn::init::trunc_normal_(x, 0, 1, 5, 10), Error);
  CHECK_THROWS_AS(nn::init::trunc_normal_(x, 0, 1, 1, 1), Error);
}

TEST_CASE("init: fans of matrices and kernels, and the bounds that follow from them") {
  manual_seed(5);
  const Tensor kernel = zeros({200, 30, 5, 2});
  CHECK(nn::init::fan_in(kernel) == 300);
  CHECK(nn::init::fan_out(kernel) == 2000);
  auto bounded_by = [&](double bound) {
    const Moments m = moments(kernel);
    CHECK_MESSAGE((m.high <= bound && m.low >= -bound && m.high > 0.999 * bound && m.low < -0.999 * bound),
                  fmt::format("[{}, {}] against {}", m.low, m.high, bound));
  };
  nn::init::xavier_uniform_(kernel, 2);
  bounded_by(2 * std::sqrt(6.0 / 2300));
  nn::init::kaiming_uniform_(kernel);
  bounded_by(std::sqrt(6.0 / 300));
  nn::init::kaiming_uniform_(kernel, std::sqrt(5.0));
  bounded_by(1 / std::sqrt(300.0));
  CHECK_THROWS_AS(nn::init::kaiming_uniform_(zeros({3})), Error);
  CHECK_THROWS_AS(nn::init::xavier_uniform_(zeros({3})), Error);
  CHECK_NOTHROW(nn::init::xavier_uniform_(zeros({0, 0})));
}

TEST_CASE("init: the seed decides, not the number of threads nor the layout") {
  auto draw = [](const Tensor& x) {
    manual_seed(6);
    nn::init::trunc_normal_(x, 0.5, 1, -0.5, 2);
    return x.to_vector<float>();
  };
  const int threads = num_threads();
  set_num_threads(1);
  const auto one = draw(zeros({300, 200}));
  set_num_threads(4);
  CHECK(test::same_bits(one, draw(zeros({300, 200}))));
  set_num_threads(threads);
  const Tensor strided = transpose(zeros({200, 300}), 0, 1);
  CHECK(test::same_bits(one, draw(strided)));
  manual_seed(7);
  const Tensor other = zeros({300, 200});
  nn::init::normal_(other);
  CHECK(other.to_vector<float>() != one);
}

TEST_CASE("init: only floating tensors are drawn") {
  CHECK_THROWS_AS(nn::init::normal_(zeros({2}, {.dtype = i64})), Error);
  CHECK_THROWS_AS(nn::init::normal_(zeros({2}), 0, -1), Error);
  CHECK_THROWS_AS(nn::init::uniform_(zeros({2}), 1, 0), Error);
  CHECK_NOTHROW(nn::init::normal_(zeros({0, 3})));
}
