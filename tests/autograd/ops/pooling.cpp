#include "ff/autograd/ops/pooling.h"

#include <cmath>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/strided_arrays.h"

using namespace ff;

namespace {

using Values = std::vector<double>;

Tensor row(const Values& values) { return Tensor::from(values, {1, 1, static_cast<std::int64_t>(values.size())}); }

}  // namespace

TEST_CASE("max_pool2d with every option: a plain loop over windows, and where they have their maxima") {
  manual_seed(1);
  for (bool ceil_mode : {false, true}) {
    const Tensor x = randn({2, 3, 11, 10});
    const std::int64_t kh = 3, kw = 2, sh = 2, sw = 3, ph = 2, pw = 0, dh = 2, dw = 4;
    const auto [y, index] = max_pool2d_with_indices(
        x, {kh, kw}, {.stride = {{sh, sw}}, .padding = {ph, pw}, .dilation = {dh, dw}, .ceil_mode = ceil_mode});
    // (11 + 4 - 5) / 2 + 1 rows; (10 - 5) / 3 + 1 columns, up or down.
    CHECK(y.shape() == Shape{2, 3, 6, ceil_mode ? 3 : 2});
    CHECK(index.dtype() == i64);
    const auto xs = x.to_vector<double>();
    const auto indices = index.to_vector<std::int64_t>();
    Values want;
    std::size_t at = 0;
    for (std::int64_t plane = 0; plane < 6; ++plane)
      for (std::int64_t i = 0; i < y.size(2); ++i)
        for (std::int64_t j = 0; j < y.size(3); ++j, ++at) {
          double largest = -1e9;
          for (std::int64_t h = i * sh - ph, a = 0; a < kh; ++a, h += dh)
            for (std::int64_t w = j * sw - pw, b = 0; b < kw; ++b, w += dw)
              if (h >= 0 && h < 11 && w >= 0 && w < 10)
                largest = std::max(largest, xs[static_cast<std::size_t>(plane * 110 + h * 10 + w)]);
          want.push_back(largest);
          CHECK(xs[static_cast<std::size_t>(plane * 110 + indices[at])] == largest);
        }
    CHECK(y.to_vector<double>() == want);
  }
}

TEST_CASE("max_pool: NaN comes through, the first of equals gets the gradient, minus infinity is a value") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto [y, index] = max_pool1d_with_indices(row({1, nan, 3, 5, 5, 2, -inf, -inf}), 2);
  CHECK(std::isnan(y.to_vector<double>()[0]));
  CHECK(index.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 3, 4, 6});
  CHECK(y.to_vector<double>()[3] == -inf);
  const Tensor x = row({2, 2, 2, 1}).requires_grad_();
  CHECK(grad({sum(max_pool1d(x, 3, {.stride = 1}))}, {x})[0].to_vector<double>() == Values{1, 1, 0, 0});
}

TEST_CASE("avg_pool: what the divisor counts, as PyTorch has it") {
  const Tensor x = row({1, 2, 3, 4, 5});
  CHECK(avg_pool1d(x, 2).to_vector<double>() == Values{1.5, 3.5});
  // A window that ends behind the padding counts only as far as that.
  CHECK(avg_pool1d(x, 2, {.ceil_mode = true}).to_vector<double>() == Values{1.5, 3.5, 5});
  CHECK(avg_pool1d(x, 3, {.stride = 2, .padding = 1}).to_vector<double>() == Values{1, 3, 3});
  CHECK(avg_pool1d(x, 3, {.stride = 2, .padding = 1, .count_include_pad = false}).to_vector<double>() ==
        Values{1.5, 3, 4.5});
  // The last window sees entry 6 and one of padding; beyond that nothing is counted.
  const Tensor six = row({1, 2, 3, 4, 5, 6});
  const AvgPool1dOptions up{.stride = 3, .padding = 1, .ceil_mode = true};
  CHECK(avg_pool1d(six, 4, up).to_vector<double>() == Values{1.5, 4.5, 3});
  AvgPool1dOptions without = up;
  without.count_include_pad = false;
  CHECK(avg_pool1d(six, 4, without).to_vector<double>() == Values{2, 4.5, 6});
  // A last window that would begin in the padding is left out.
  CHECK(avg_pool1d(row({1, 2, 3}), 2, {.padding = 1, .ceil_mode = true}).to_vector<double>() == Values{0.5, 2.5});
}

TEST_CASE("avg_pool2d: windows of two dimensions, and a divisor of one's own") {
  const Tensor x = reshape(arange(1, 10, 1, {.dtype = f64}), {1, 3, 3});
  CHECK(avg_pool2d(x, {2, 2}, {.stride = {{1, 1}}}).to_vector<double>() == Values{3, 4, 6, 7});
  CHECK(avg_pool2d(x, {2, 2}, {.stride = {{1, 1}}, .divisor_override = 2}).to_vector<double>() == Values{6, 8, 12, 14});
  CHECK(avg_pool2d(x, {2, 2}, {.stride = {{2, 2}}, .padding = {1, 0}}).to_vector<double>() == Values{0.75, 6});
  const Tensor large = full({1, 1, 300, 300}, 0.1);
  CHECK(avg_pool2d(large, {300, 300}).item<float>() == 0.1f);  // summed in double
}

TEST_CASE("adaptive pooling covers x evenly, with windows that may overlap or repeat") {
  const Tensor x = row({1, 2, 3, 4, 5});
  CHECK(adaptive_avg_pool1d(x, 3).to_vector<double>() == Values{1.5, 3, 4.5});
  CHECK(adaptive_max_pool1d(x, 3).to_vector<double>() == Values{2, 4, 5});
  CHECK(adaptive_avg_pool1d(row({1, 2}), 3).to_vector<double>() == Values{1, 1.5, 2});
  CHECK(adaptive_avg_pool1d(x, 0).shape() == Shape{1, 1, 0});
  const Tensor y = reshape(arange(0, 24, 1, {.dtype = f64}), {2, 3, 4});
  CHECK(adaptive_avg_pool2d(y, {1, 2}).to_vector<double>() == Values{4.5, 6.5, 16.5, 18.5});
  CHECK(adaptive_max_pool2d(y, {2, 1}).to_vector<double>() == Values{7, 11, 19, 23});
}

TEST_CASE("local_response_norm divides by the mean of squares around a channel") {
  const Tensor x = Tensor::from(Values{1, 2, 3, 4}, {1, 4, 1});
  const double means[] = {(1 + 4) / 3.0, (1 + 4 + 9) / 3.0, (4 + 9 + 16) / 3.0, (9 + 16) / 3.0};
  Values want;
  for (int c = 0; c < 4; ++c) want.push_back((c + 1) / std::pow(2 + 0.5 * means[c], 0.7));
  const auto d = test::largest_difference(local_response_norm(x, 3, 0.5, 0.7, 2).to_vector<double>(), want);
  CHECK_MESSAGE(d.relative < 1e-14, d.str());
  // Of an even number, the channel before is seen and the one behind is not.
  CHECK(local_response_norm(x, 2, 2, 1, 0).to_vector<double>() == Values{1, 2 / 5.0, 3 / 13.0, 4 / 25.0});
}

TEST_CASE("pooling gives the same bits at any thread count") {
  manual_seed(2);
  const Tensor x = randn({7, 5, 41, 37});
  CHECK(test::same_at_any_thread_count([&] {
    const Tensor in = x.detach().requires_grad_();
    const Tensor y = max_pool2d(in, {3, 3}, {.stride = {{2, 2}}, .padding = {1, 1}});
    const Tensor z = avg_pool2d(in, {5, 4}, {.stride = {{2, 3}}});
    std::vector<float> all = grad({sum(square(y)) + sum(square(z))}, {in})[0].to_vector<float>();
    for (const Tensor& t : {y, z}) {
      const auto values = t.to_vector<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }));
}

TEST_CASE("pooling: what is wrong is named") {
  const Tensor x = zeros({1, 1, 5, 5});
  auto max2 = [&](std::array<std::int64_t, 2> kernel, const MaxPool2dOptions& o) {
    return test::error_of([&] { max_pool2d(x, kernel, o); });
  };
  CHECK(test::contains(max2({0, 2}, {.stride = {{1, 1}}}), {"[max_pool2d] kernel must be at least 1: 0"}));
  CHECK(test::contains(max2({2, 2}, {.stride = {{1, 0}}}), {"stride must be at least 1: 0"}));
  CHECK(test::contains(max2({2, 2}, {.padding = {2, 0}}), {"padding must be at most half of a window: 2 of 2"}));
  CHECK(test::contains(max2({6, 2}, {}), {"a window of 6 does not fit 5 entries with a padding of 0"}));
  CHECK(test::contains(test::error_of([&] {
                         max_pool1d(zeros({1, 2}), 2, {.padding = 1, .dilation = 3});
                       }),
                       {"[max_pool1d] window 0 lies wholly in the padding"}));
  CHECK(test::contains(test::error_of([&] {
                         max_pool2d(zeros({5, 5}), {2, 2});
                       }),
                       {"x must be (B, C, H, W) or (C, H, W)"}));
  CHECK(test::contains(test::error_of([&] {
                         avg_pool1d(zeros({1, 5}, {.dtype = i64}), 2);
                       }),
                       {"[avg_pool1d] a floating tensor"}));
  CHECK(test::contains(test::error_of([&] { avg_pool2d(x, {2, 2}, {.divisor_override = 0}); }), {"must not be 0"}));
  CHECK(test::contains(test::error_of([&] {
                         adaptive_avg_pool1d(zeros({1, 5}), -1);
                       }),
                       {"the output's size must be at least 0"}));
  CHECK(test::contains(test::error_of([&] {
                         adaptive_max_pool2d(zeros({1, 0, 5}), {1, 1});
                       }),
                       {"an image of 0 entries"}));
  CHECK(test::contains(test::error_of([&] { local_response_norm(zeros({3}), 2); }), {"x must be (B, C, ..)"}));
  CHECK(test::contains(test::error_of([&] { local_response_norm(x, 0); }), {"size must be at least 1: 0"}));
}
