#include "ff/autograd/ops/interpolate.h"

#include <algorithm>
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
using I = Interpolation;

Tensor row(const Values& values) { return Tensor::from(values, {1, 1, static_cast<std::int64_t>(values.size())}); }

void check_close(const Tensor& got, const Values& want) {
  const auto d = test::largest_difference(got.to_vector<double>(), want, got.shape());
  CHECK_MESSAGE(d.absolute < 1e-14, d.str());
}

}  // namespace

TEST_CASE("interpolate: the examples of PyTorch's nn.Upsample") {
  const Tensor x = Tensor::from(Values{1, 2, 3, 4}, {1, 1, 2, 2});
  CHECK(interpolate(x, {.scale_factor = {2}}).to_vector<double>() ==
        Values{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  check_close(interpolate(x, {.scale_factor = {2}, .mode = I::linear}),
              {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4});
  Values corners;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) corners.push_back(1 + 2 * i / 3.0 + j / 3.0);
  check_close(interpolate(x, {.scale_factor = {2}, .mode = I::linear, .align_corners = true}), corners);
}

TEST_CASE("interpolate: which neighbours nearest and nearest_exact take") {
  const Tensor x = row({0, 1, 2, 3, 4});
  CHECK(interpolate(x, {.size = {3}}).to_vector<double>() == Values{0, 1, 3});  // 0, 1.67, 3.33
  CHECK(interpolate(x, {.size = {3}, .mode = I::nearest_exact}).to_vector<double>() ==
        Values{0, 2, 4});  // 0.83, 2.5, 4.17
  CHECK(interpolate(x, {.size = {8}}).to_vector<double>() == Values{0, 0, 1, 1, 2, 3, 3, 4});
  // Six entries 1 / 1.3 apart, not 5 / 6.
  CHECK(interpolate(x, {.scale_factor = {1.3}}).to_vector<double>() == Values{0, 0, 1, 2, 3, 3});
  CHECK(interpolate(x, {.scale_factor = {1.3}, .recompute_scale_factor = true}).to_vector<double>() ==
        Values{0, 0, 1, 2, 3, 4});
  const Tensor whole = reshape(arange(0, 3, 1, {.dtype = i64}), {1, 1, 3});
  CHECK(interpolate(whole, {.size = {6}}).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 0, 1, 1, 2, 2});
}

TEST_CASE("interpolate: linear keeps what lies at its positions, and does not mix infinity into its neighbours") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(interpolate(row({1, 5, 2}), {.size = {3}, .mode = I::linear}).to_vector<double>() == Values{1, 5, 2});
  CHECK(interpolate(row({1, inf, 2}), {.size = {3}, .mode = I::linear}).to_vector<double>() == Values{1, inf, 2});
  // Downwards, by 2: halfway between pairs; by 5 / 2: 0.75 and 3.25.
  CHECK(interpolate(row({1, 3, 5, 9}), {.size = {2}, .mode = I::linear}).to_vector<double>() == Values{2, 7});
  check_close(interpolate(row({0, 1, 4, 9, 16}), {.size = {2}, .mode = I::linear}), {0.75, 10.75});
  CHECK(interpolate(row({3, 4}), {.size = {1}, .mode = I::linear, .align_corners = true}).item<double>() == 3);
}

TEST_CASE("interpolate: bicubic is the convolution with Keys' kernel, the border repeated") {
  manual_seed(1);
  auto kernel = [](double d) {
    const double a = -0.75, x = std::abs(d);
    if (x <= 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
    return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0.0;
  };
  const Tensor x = randn({1, 1, 5, 4}, {.dtype = f64});
  const auto xs = x.to_vector<double>();
  for (bool corners : {false, true}) {
    const Tensor y = interpolate(x, {.size = {7, 6}, .mode = I::cubic, .align_corners = corners});
    auto at = [&](int i, int n, int out) { return corners ? i * (n - 1.0) / (out - 1) : (i + 0.5) * n / out - 0.5; };
    Values want;
    for (int i = 0; i < 7; ++i)
      for (int j = 0; j < 6; ++j) {
        double sum = 0;
        for (int h = -3; h < 8; ++h)
          for (int w = -3; w < 7; ++w)
            sum += xs[static_cast<std::size_t>(std::clamp(h, 0, 4) * 4 + std::clamp(w, 0, 3))] *
                   kernel(at(i, 5, 7) - h) * kernel(at(j, 4, 6) - w);
        want.push_back(sum);
      }
    check_close(y, want);
  }
}

TEST_CASE("interpolate gives the same bits at any thread count") {
  manual_seed(2);
  const Tensor x = randn({5, 3, 61, 47});
  CHECK(test::same_at_any_thread_count([&] {
    const Tensor in = x.detach().requires_grad_();
    const Tensor y = interpolate(in, {.size = {90, 40}, .mode = I::linear});
    std::vector<float> all = grad({sum(square(y))}, {in})[0].to_vector<float>();
    const auto values = y.to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
    return all;
  }));
}

TEST_CASE("pixel_shuffle deals channels out to pixels, and pixel_unshuffle collects them") {
  const Tensor x = reshape(arange(0, 8, 1), {4, 1, 2});
  const Tensor y = pixel_shuffle(x, 2);
  CHECK(y.shape() == Shape{1, 2, 4});
  CHECK(y.to_vector<float>() == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(pixel_unshuffle(y, 2).to_vector<float>() == x.to_vector<float>());
  CHECK(pixel_shuffle(zeros({2, 0, 9, 2, 2}), 3).shape() == Shape{2, 0, 1, 6, 6});
}

TEST_CASE("interpolate: what is wrong is named") {
  const Tensor x = zeros({1, 1, 4, 4});
  auto of = [&](const Tensor& image, const InterpolateOptions& o) {
    return test::error_of([&] { interpolate(image, o); });
  };
  CHECK(test::contains(of(zeros({4, 4}), {.size = {2}}), {"[interpolate] x must be (B, C, L)"}));
  CHECK(test::contains(of(x, {}), {"one of size and scale_factor is needed, not both"}));
  CHECK(test::contains(of(x, {.size = {2}, .scale_factor = {2}}), {"one of size and scale_factor"}));
  CHECK(test::contains(of(x, {.size = {2, 2, 2}}), {"3 sizes for x of shape (1, 1, 4, 4)"}));
  CHECK(test::contains(of(x, {.size = {2, 0}}), {"the result would have 0 entries along dimension 3"}));
  CHECK(test::contains(of(x, {.scale_factor = {0.1}}), {"the result would have 0 entries along dimension 2"}));
  CHECK(test::contains(of(x, {.scale_factor = {-1}}), {"scale_factor must be larger than 0"}));
  CHECK(test::contains(of(x, {.scale_factor = {std::nan("")}}), {"scale_factor must be larger than 0"}));
  CHECK(test::contains(of(x, {.size = {2}, .align_corners = true}), {"align_corners goes with linear and cubic"}));
  CHECK(test::contains(of(zeros({1, 1, 4}, {.dtype = i64}), {.size = {2}, .mode = I::linear}), {"a floating tensor"}));
  CHECK(test::contains(of(zeros({1, 1, 0}), {.size = {2}}), {"0 entries along dimension 2"}));
  CHECK(test::contains(test::error_of([&] { pixel_shuffle(x, 2); }),
                       {"its square divide the channels: 2, x (1, 1, 4, 4)"}));
  CHECK(test::contains(test::error_of([&] { pixel_unshuffle(x, 3); }), {"divide height and width: 3, x (1, 1, 4, 4)"}));
}
