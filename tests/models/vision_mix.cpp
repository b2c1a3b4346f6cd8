#include <algorithm>
#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"
#include "ff/models/data_random.h"
#include "ff/models/vision/mix.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

RandomKey key_of(std::int64_t batch) { return item_key(data_key(1, DataStream::mixing, 0), batch); }

std::vector<Mix> draws(const MixConfig& config, std::int64_t n, std::int64_t height = 32, std::int64_t width = 24) {
  std::vector<Mix> mixes;
  for (std::int64_t i = 0; i < n; ++i) mixes.push_back(draw_mix(config, height, width, key_of(i)));
  return mixes;
}

// The largest distance between the distribution of values and a distribution function (Kolmogorov and Smirnov).
template <class F>
double distance(std::vector<double> values, F distribution) {
  std::sort(values.begin(), values.end());
  double largest = 0;
  const auto n = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double p = distribution(values[i]), below = static_cast<double>(i) / n;
    largest = std::max({largest, std::abs(p - below), std::abs(p - below - 1 / n)});
  }
  return largest;
}

std::vector<double> shares(const MixConfig& config) {
  std::vector<double> own;
  for (const Mix& mix : draws(config, 100000)) own.push_back(mix.own);
  return own;
}

Batch batch_of(const Shape& shape, std::int64_t classes) {
  manual_seed(4);
  return {randn(shape), randint(0, static_cast<double>(classes), {shape[0]}), shape[0]};
}

// The batch mixed as the definition says, in plain loops.
Batch mixed(const Mix& mix, std::int64_t classes, const Batch& from) {
  Batch to{from.inputs.copy(), Tensor::empty({from.count, classes}), from.count};
  const std::int64_t n = from.count, channels = from.inputs.size(1), height = from.inputs.size(2),
                     width = from.inputs.size(3);
  const auto* labels = from.targets.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < width; ++x) {
          const auto at = [&](std::int64_t image) { return ((image * channels + c) * height + y) * width + x; };
          const double own = from.inputs.data<float>()[at(i)], other = from.inputs.data<float>()[at(n - 1 - i)];
          const bool inside = y >= mix.top && y < mix.bottom && x >= mix.left && x < mix.right;
          to.inputs.data<float>()[at(i)] =
              static_cast<float>(mix.cut ? (inside ? other : own) : mix.own * own + (1 - mix.own) * other);
        }
    for (std::int64_t c = 0; c < classes; ++c)
      to.targets.data<float>()[i * classes + c] =
          static_cast<float>((labels[i] == c) * mix.own + (labels[n - 1 - i] == c) * (1 - mix.own));
  }
  return to;
}

}  // namespace

TEST_CASE("draw_mix: shares of mixup are of the beta distribution") {
  const double most = 1.95 / std::sqrt(100000);  // exceeded once in a thousand by the right distribution
  CHECK(distance(shares({.mixup = 0.5}), [](double x) { return 2 / std::numbers::pi * std::asin(std::sqrt(x)); }) <
        most);
  CHECK(distance(shares({.mixup = 1}), [](double x) { return x; }) < most);
  CHECK(distance(shares({.mixup = 2}), [](double x) { return x * x * (3 - 2 * x); }) < most);
  const std::vector<double> own = shares({.mixup = 0.8});
  double mean = 0, square = 0;
  for (double x : own) mean += x / 100000, square += x * x / 100000;
  CHECK(std::abs(mean - 0.5) < 0.01);
  CHECK(std::abs(square - mean * mean - 1 / (4 * 2.6)) < 0.003);        // 1 / (4 (2 alpha + 1))
  for (double x : shares({.mixup = 0.001})) CHECK((x >= 0 && x <= 1));  // where powers overflow
}

TEST_CASE("draw_mix: cutmix cuts a box of the share that is drawn, and its centre is anywhere") {
  std::int64_t inside = 0;
  double most_right = 0;
  std::vector<double> areas;
  for (const Mix& mix : draws({.cutmix = 1}, 4000)) {
    CHECK(mix.cut);
    CHECK((0 <= mix.top && mix.top <= mix.bottom && mix.bottom <= 32));
    CHECK((0 <= mix.left && mix.left <= mix.right && mix.right <= 24));
    const double area = static_cast<double>((mix.bottom - mix.top) * (mix.right - mix.left)) / (32 * 24);
    CHECK(mix.own == doctest::Approx(1 - area));
    const bool whole = mix.top > 0 && mix.left > 0 && mix.bottom < 32 && mix.right < 24;
    if (whole) {  // 32 : 24, but for rounding to even numbers
      ++inside;
      CHECK(std::abs((mix.bottom - mix.top) * 24.0 / 32 - static_cast<double>(mix.right - mix.left)) <= 2);
    }
    areas.push_back(area);
    most_right = std::max(most_right, static_cast<double>(mix.left));
  }
  CHECK(inside > 400);
  CHECK(most_right == 23);
}

TEST_CASE("draw_mix: how often, and which of the two") {
  auto count = [](const MixConfig& config, auto what) {
    const auto mixes = draws(config, 4000);
    return std::count_if(mixes.begin(), mixes.end(), what);
  };
  const auto cut = [](const Mix& mix) { return mix.cut; };
  const auto any = [](const Mix& mix) { return mix.own < 1; };
  CHECK(std::abs(count({.mixup = 0.8, .cutmix = 1}, cut) - 2000) < 150);
  CHECK(std::abs(count({.mixup = 0.8, .cutmix = 1, .cutmix_probability = 0.25}, cut) - 1000) < 150);
  CHECK(count({.mixup = 0.8}, cut) == 0);
  CHECK(count({.mixup = 0.8}, any) == 4000);
  CHECK(std::abs(count({.mixup = 0.8, .mix_probability = 0.25}, any) - 1000) < 150);
  CHECK(count({}, any) == 0);
  const Mix one = draw_mix({.mixup = 0.8, .cutmix = 1}, 8, 8, key_of(3)),
            again = draw_mix({.mixup = 0.8, .cutmix = 1}, 8, 8, key_of(3));
  CHECK((one.own == again.own && one.cut == again.cut && one.top == again.top && one.right == again.right));
}

TEST_CASE("mix_batch: against plain loops, for even and odd numbers of images") {
  for (const std::int64_t n : {1, 4, 7}) {
    const Batch from = batch_of({n, 2, 5, 6}, 4);
    for (const Mix& mix : {Mix{.own = 0.3}, Mix{.own = 1}, Mix{.own = 0},
                           Mix{.own = 0.8, .cut = true, .top = 1, .bottom = 3, .left = 2, .right = 5},
                           Mix{.own = 0, .cut = true, .top = 0, .bottom = 5, .left = 0, .right = 6}}) {
      Batch got{from.inputs.copy(), from.targets, n};
      mix_batch(mix, 4, got);
      const Batch want = mixed(mix, 4, from);
      const auto d =
          largest_difference(got.inputs.to_vector<float>(), want.inputs.to_vector<float>(), want.inputs.shape());
      CHECK_MESSAGE(d.absolute < 1e-6, d.str());
      const auto labels = largest_difference(got.targets.to_vector<float>(), want.targets.to_vector<float>());
      CHECK_MESSAGE(labels.absolute < 1e-7, labels.str());
      CHECK(got.count == n);
    }
  }
  Batch wrong = batch_of({4, 1, 2, 2}, 4);
  wrong.targets.data<std::int64_t>()[2] = 4;
  CHECK(contains(error_of([&] { mix_batch({.own = 0.5}, 4, wrong); }), {"[mix_batch]", "label 2 is 4", "0 to 3"}));
}
