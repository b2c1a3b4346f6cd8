#include "ff/autograd/ops/random.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

namespace {

// How often each of n numbers occurs.
std::vector<double> shares(const Tensor& x, std::size_t n) {
  std::vector<double> result(n);
  for (std::int64_t v : integers(x)) result[static_cast<std::size_t>(v)] += 1 / static_cast<double>(x.numel());
  return result;
}

}  // namespace

TEST_CASE("random: the same seed, the same numbers, at any thread count") {
  auto draw = [] {
    manual_seed(3);
    const Tensor p = full({5000}, 0.3), weights = reshape(arange(0, 300), {3, 100});
    return concatenate({bernoulli(p), bernoulli({70000}, 0.5), normal(1, 2, {70000}),
                        cast(flatten(multinomial(weights, 50)), f32),
                        cast(flatten(multinomial(weights, 500, true)), f32)})
        .to_vector<float>();
  };
  const int before = num_threads();
  set_num_threads(1);
  const auto one = draw();
  for (int threads : {2, 4}) {
    set_num_threads(threads);
    CHECK(draw() == one);
  }
  set_num_threads(before);
  manual_seed(4);
  CHECK(bernoulli({70000}, 0.5).to_vector<float>() != std::vector<float>(one.begin() + 5000, one.begin() + 75000));
}

TEST_CASE("randint and randperm: the numbers they have always given") {
  manual_seed(1);
  const Ints first = integers(randint(0, 1000, {4})), second = integers(randperm(5));
  manual_seed(1);
  const RandomKey key = default_generator().state();
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t bits = (std::uint64_t{random_bits(key, 2 * i)} << 32) | random_bits(key, 2 * i + 1);
    CHECK(first[i] == static_cast<std::int64_t>(bits % 1000));
  }
  Ints sorted = second;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == Ints{0, 1, 2, 3, 4});
  for (std::int64_t v : integers(randint(INT64_MIN, INT64_MAX, {100}))) CHECK(v < INT64_MAX);
  CHECK(error_of([] { randint(2, 2, {1}); }).find("[randint] an empty range: [2, 2)") == 0);
}

TEST_CASE("normal: mean and deviation") {
  manual_seed(5);
  const Tensor x = normal(3, 0.5, {40000}, {.dtype = f64});
  CHECK(std::abs(mean(x).item<double>() - 3) < 5 * 0.5 / 200);
  CHECK(std::abs(std::sqrt(var(x).item<double>()) - 0.5) < 0.02);
  CHECK(integers(normal(2, 0, {3})) == Ints{2, 2, 2});
  CHECK(error_of([] { normal(0, -1, {2}); }).find("[normal] a standard deviation of at least 0 is needed: -1") == 0);
  CHECK(error_of([] { normal(0, NAN, {2}); }).find("[normal]") == 0);
}

TEST_CASE("bernoulli: certain and likely") {
  manual_seed(6);
  CHECK(integers(bernoulli(Tensor::from({0.0, 1.0, 0.0, 1.0}))) == Ints{0, 1, 0, 1});
  const Tensor x = bernoulli({40000}, 0.3, {.dtype = boolean});
  CHECK(x.dtype() == boolean);
  CHECK(std::abs(shares(x, 2)[1] - 0.3) < 5 * std::sqrt(0.21 / 40000));
  CHECK(bernoulli(full({2}, 0.5)).dtype() == f32);
  CHECK(error_of([] {
          bernoulli(Tensor::from({0.5, 1.5}));
        }).find("[bernoulli] a probability outside [0, 1]: 1.5") == 0);
  CHECK(error_of([] { bernoulli(Tensor::from({double{NAN}})); }).find("[bernoulli]") == 0);
  CHECK(error_of([] { bernoulli({2}, -0.1); }).find("[bernoulli] a probability outside [0, 1]: -0.1") == 0);
  CHECK(error_of([] { bernoulli(zeros({2}, {.dtype = i64})); }).find("[bernoulli] a floating tensor is needed") == 0);
}

TEST_CASE("multinomial: shares follow the weights") {
  manual_seed(7);
  const Tensor weights = Tensor::from(std::vector<double>{1, 0, 3, 4, 0, 0, 5e-320, 0}, {2, 4});
  const Tensor x = multinomial(weights, 40000, true);
  CHECK(x.shape() == Shape{2, 40000});
  const auto first = shares(x(0), 4), second = shares(x(1), 4);
  CHECK(std::abs(first[0] - 0.125) < 0.01);
  CHECK(first[1] == 0);
  CHECK(std::abs(first[2] - 0.375) < 0.013);
  CHECK(std::abs(first[3] - 0.5) < 0.013);
  CHECK(second[2] == doctest::Approx(1));
}

TEST_CASE("multinomial: without replacement, the first as with it, each once") {
  manual_seed(8);
  const std::int64_t rows = 20000;
  const Tensor weights = expand(Tensor::from({1.0, 0.0, 2.0, 1e-300, 7.0}), {rows, -1});
  const Tensor x = multinomial(weights, 4);
  CHECK(x.shape() == Shape{rows, 4});
  const auto first = shares(x(Slice(), 0), 5), second = shares(x(Slice(), 1), 5);
  CHECK(std::abs(first[4] - 0.7) < 0.02);
  CHECK(std::abs(first[2] - 0.2) < 0.02);
  // Of the second: 4 after 0 or 2, 2 after 0 or 4.
  CHECK(std::abs(second[4] - (0.1 * 7 / 9 + 0.2 * 7 / 8)) < 0.02);
  CHECK(std::abs(second[2] - (0.1 * 2 / 9 + 0.7 * 2 / 3)) < 0.02);
  std::size_t wrong = 0;
  const Ints all = integers(x);
  for (std::size_t r = 0; r < all.size(); r += 4) {
    Ints row(all.begin() + static_cast<std::ptrdiff_t>(r), all.begin() + static_cast<std::ptrdiff_t>(r + 4));
    std::sort(row.begin(), row.end());
    wrong += row != Ints{0, 2, 3, 4};
  }
  CHECK(wrong == 0);
}

TEST_CASE("multinomial: errors and empty draws") {
  const Tensor weights = Tensor::from({0.0, 1.0, 2.0});
  CHECK(error_of([&] {
          multinomial(weights, 3);
        }).find("[multinomial] 3 to be drawn of 2 weights that are not 0, in row 0 of shape (3,)") == 0);
  CHECK(error_of([&] { multinomial(zeros({3}), 1, true); }).find("[multinomial] 1 to be drawn of 0 weights") == 0);
  CHECK(error_of([&] {
          multinomial(Tensor::from({1.0, -2.0}), 1);
        }).find("[multinomial] a weight that is not finite or negative: -2 in row 0") == 0);
  CHECK(error_of([&] { multinomial(Tensor::from({1.0, HUGE_VAL}), 1); }).find("[multinomial] a weight") == 0);
  CHECK(error_of([&] { multinomial(zeros({1, 1, 1}), 1); }).find("[multinomial] weights of shape") == 0);
  CHECK(error_of([&] { multinomial(weights, -1); }).find("[multinomial] a negative count: -1") == 0);
  CHECK(multinomial(weights, 0).shape() == Shape{0});
  CHECK(multinomial(zeros({0, 3}), 2).shape() == Shape{0, 2});
  CHECK(multinomial(Tensor::from({1e308, 1e308}), 5, true).shape() == Shape{5});
}
