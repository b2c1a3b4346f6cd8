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
