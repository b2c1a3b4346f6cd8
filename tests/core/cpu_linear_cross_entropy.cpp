#include <cmath>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/linear_cross_entropy.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"

#include "tests/support/compare.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr std::int64_t ignored = -1;

// Inputs and results, in T.
template <class T>
struct Case {
  std::int64_t rows, inner, classes;
  bool biased;
  std::vector<T> x, weight, bias, loss, dx, dweight, dbias;
  std::vector<std::int64_t> target;

  Case(std::int64_t r, std::int64_t k, std::int64_t c, bool with_bias)
      : rows(r), inner(k), classes(c), biased(with_bias) {
    Generator random(7);
    const auto fill = [&](std::vector<T>& values, std::int64_t n) {
      values.resize(static_cast<std::size_t>(n));
      fill_normal(values.data(), n, random.next(static_cast<std::uint64_t>(4 * n)));
    };
    fill(x, r * k);
    fill(weight, c * k);
    fill(bias, c);
    loss.resize(static_cast<std::size_t>(r));
    dx.resize(x.size());
    dweight.resize(weight.size());
    dbias.resize(bias.size());
    for (std::int64_t i = 0; i < r; ++i) target.push_back(i % 7 == 3 ? ignored : i * 7919 % c);
  }
  void run(double scale, double smoothing, bool gradients = true) {
    cpu::LinearCrossEntropyGradients to;
    if (gradients) to = {dx.data(), dweight.data(), dbias.data()};
    cpu::linear_cross_entropy({.dtype = dtype_of<T>(),
                               .rows = rows,
                               .inner = inner,
                               .classes = classes,
                               .x = x.data(),
                               .weight = weight.data(),
                               .bias = biased ? bias.data() : nullptr,
                               .target = target.data(),
                               .ignore_index = ignored,
                               .smoothing = smoothing},
                              scale, loss.data(), to);
  }
};

// The definition, in double.
struct Reference {
  std::vector<double> loss, dx, dweight, dbias;

  template <class T>
  Reference(const Case<T>& c, double scale, double smoothing)
      : loss(c.loss.size()), dx(c.dx.size()), dweight(c.dweight.size()), dbias(c.dbias.size()) {
    const auto k = static_cast<std::size_t>(c.inner), n = static_cast<std::size_t>(c.classes);
    std::vector<double> logits(n);
    for (std::size_t r = 0; r < loss.size(); ++r) {
      if (c.target[r] == ignored) continue;
      double total = 0, mean = 0;
      for (std::size_t j = 0; j < n; ++j) {
        logits[j] = c.biased ? static_cast<double>(c.bias[j]) : 0;
        for (std::size_t i = 0; i < k; ++i)
          logits[j] += static_cast<double>(c.x[r * k + i]) * static_cast<double>(c.weight[j * k + i]);
        total += std::exp(logits[j]);
        mean += logits[j] / static_cast<double>(n);
      }
      const double lse = std::log(total);
      const auto t = static_cast<std::size_t>(c.target[r]);
      loss[r] = (1 - smoothing) * (lse - logits[t]) + smoothing * (lse - mean);
      for (std::size_t j = 0; j < n; ++j) {
        const double d =
            scale * (std::exp(logits[j] - lse) - (j == t ? 1 - smoothing : 0) - smoothing / static_cast<double>(n));
        dbias[j] += d;
        for (std::size_t i = 0; i < k; ++i) {
          dx[r * k + i] += d * static_cast<double>(c.weight[j * k + i]);
          dweight[j * k + i] += d * static_cast<double>(c.x[r * k + i]);
        }
      }
    }
  }
};

template <class T>
void check_case(std::int64_t rows, std::int64_t inner, std::int64_t classes, bool biased, double smoothing,
                double limit) {
  Case<T> c(rows, inner, classes, biased);
  c.run(0.5, smoothing);
  const Reference want(c, 0.5, smoothing);
  const auto check_equal = [&](const char* what, const auto& got, const std::vector<double>& wanted) {
    const Difference d = largest_difference(got, wanted);
    CHECK_MESSAGE(d.relative <= limit, fmt::format("{} of ({}, {}, {}): {}", what, rows, inner, classes, d.str()));
  };
  check_equal("loss", c.loss, want.loss);
  check_equal("dx", c.dx, want.dx);
  check_equal("dweight", c.dweight, want.dweight);
  if (biased || rows > 0) check_equal("dbias", c.dbias, want.dbias);
}

}  // namespace

TEST_CASE("linear_cross_entropy: loss and gradients as the plain loop's, one block of rows or several") {
  for (const double smoothing : {0.0, 0.1}) {
    check_case<double>(5, 3, 7, true, smoothing, 1e-13);
    check_case<double>(1, 1, 1, true, smoothing, 1e-13);
    check_case<float>(20, 6, 33, false, smoothing, 2e-6);
  }
  check_case<float>(150, 2, 40'000, true, 0, 1e-5);  // blocks of 64 rows
  check_case<double>(150, 2, 33'000, true, 0.1, 1e-12);
  check_case<float>(9, 0, 4, true, 0, 2e-6);
}

TEST_CASE("linear_cross_entropy: no rows give zeros, and the loss alone is the same") {
  Case<float> none(0, 3, 4, true);
  std::fill(none.dweight.begin(), none.dweight.end(), 9.0f);
  std::fill(none.dbias.begin(), none.dbias.end(), 9.0f);
  none.run(1, 0);
  CHECK(none.dweight == std::vector<float>(12));
  CHECK(none.dbias == std::vector<float>(4));
  Case<float> with(10, 3, 4, true), without(10, 3, 4, true);
  with.run(1, 0.2);
  without.run(1, 0.2, false);
  CHECK(with.loss == without.loss);
}

TEST_CASE("linear_cross_entropy: the same bits at any number of threads") {
  const int threads = num_threads();
  std::vector<Case<float>> results;
  for (const int n : {1, 2, 4}) {
    set_num_threads(n);
    results.emplace_back(200, 32, 20'000, true);
    results.back().run(1, 0);
  }
  set_num_threads(threads);
  for (std::size_t i : {1u, 2u}) {
    CHECK(same_bits(results[0].loss, results[i].loss));
    CHECK(same_bits(results[0].dx, results[i].dx));
    CHECK(same_bits(results[0].dweight, results[i].dweight));
    CHECK(same_bits(results[0].dbias, results[i].dbias));
  }
}
