#include "ff/nn/conv.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;

TEST_CASE("Conv2d: cuts patches as a patch embedding does") {
  manual_seed(1);
  nn::Conv2d proj(3, 4, {2, 5}, {.stride = {2, 5}});
  const Tensor x = randn({2, 3, 4, 10});
  const Tensor y = proj(x);
  CHECK(y.shape() == Shape{2, 4, 2, 2});
  // Each patch flattened, times the flattened kernels.
  const Tensor patches = reshape(permute(reshape(x, {2, 3, 2, 2, 2, 5}), {0, 2, 4, 1, 3, 5}), {2, 4, 30});
  const Tensor rows = linear(patches, reshape(proj.weight, {4, 30}), proj.bias);
  const Tensor want = reshape(transpose(rows, 1, 2), {2, 4, 2, 2});
  const auto d = test::largest_difference(y.to_vector<float>(), want.to_vector<float>(), y.shape());
  CHECK_MESSAGE(d.relative < 2e-6, d.str());
}

TEST_CASE("Conv2d: options reach the convolution; it starts uniform in +-1 / sqrt(fan in)") {
  manual_seed(2);
  nn::Conv2d conv(4, 100, {3, 3}, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .bias = false});
  CHECK(conv.parameters().size() == 1);
  CHECK(conv(zeros({1, 4, 9, 9})).shape() == Shape{1, 100, 5, 9});
  const auto values = conv.weight.to_vector<double>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*high <= 1 / 6.0 + 1e-7);
  CHECK(*high > 0.99 / 6);
  CHECK(*low < -0.99 / 6);
  CHECK_THROWS_AS(nn::Conv2d(1, 1, {0, 3}), Error);
}

TEST_CASE("Conv1d and the transposed convolutions: shapes, options and starts") {
  manual_seed(3);
  nn::Conv1d conv(6, 8, 3, {.stride = 2, .padding = 2, .dilation = 2, .groups = 2});
  CHECK(conv.weight.shape() == Shape{8, 3, 3});
  const Tensor x = randn({2, 6, 10});
  CHECK(conv(x).to_vector<float>() ==
        conv1d(x, conv.weight, conv.bias, {.stride = 2, .padding = 2, .dilation = 2, .groups = 2}).to_vector<float>());
  nn::ConvTranspose1d up(8, 6, 3, {.stride = 3, .padding = 1, .output_padding = 1, .groups = 2, .dilation = 2});
  CHECK(up.weight.shape() == Shape{8, 3, 3});
  CHECK(up.bias.shape() == Shape{6});
  CHECK(up(conv(x)).shape() == Shape{2, 6, (5 - 1) * 3 - 2 + 2 * 2 + 1 + 1});
  nn::ConvTranspose2d wide(4, 100, {2, 2}, {.stride = {2, 2}, .bias = false});
  CHECK(wide.parameters().size() == 1);
  CHECK(wide(zeros({1, 4, 3, 5})).shape() == Shape{1, 100, 6, 10});
  const auto values = wide.weight.to_vector<double>();
  CHECK(*std::max_element(values.begin(), values.end()) <= 1 / std::sqrt(400.0));
  CHECK(*std::max_element(values.begin(), values.end()) > 0.99 / std::sqrt(400.0));
  nn::Conv2d depthwise(5, 10, {3, 3}, {.padding = {1, 1}, .groups = 5});
  CHECK(depthwise.weight.shape() == Shape{10, 1, 3, 3});
  CHECK(depthwise(zeros({5, 4, 4})).shape() == Shape{10, 4, 4});
  CHECK_THROWS_WITH_AS(nn::Conv2d(5, 10, {3, 3}, {.groups = 2}),
                       doctest::Contains("[Conv2d] 2 groups do not divide channels 5 to 10"), Error);
  CHECK_THROWS_AS(nn::ConvTranspose1d(2, 2, 0), Error);
}
