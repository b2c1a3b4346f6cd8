#include "ff/nn/pool.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/nn/containers.h"

using namespace ff;

TEST_CASE("pooling modules pass their options on") {
  manual_seed(1);
  const Tensor x = randn({2, 3, 7, 9}), row = randn({2, 3, 9});
  auto same = [](const Tensor& got, const Tensor& want) {
    CHECK(got.shape() == want.shape());
    CHECK(got.to_vector<float>() == want.to_vector<float>());
  };
  same(nn::MaxPool1d(3, {.stride = 2, .padding = 1})(row), max_pool1d(row, 3, {.stride = 2, .padding = 1}));
  same(nn::MaxPool2d({2, 3}, {.ceil_mode = true})(x), max_pool2d(x, {2, 3}, {.ceil_mode = true}));
  same(nn::AvgPool1d(2, {.ceil_mode = true})(row), avg_pool1d(row, 2, {.ceil_mode = true}));
  same(nn::AvgPool2d({3, 2}, {.padding = {1, 1}, .count_include_pad = false})(x),
       avg_pool2d(x, {3, 2}, {.padding = {1, 1}, .count_include_pad = false}));
  same(nn::AdaptiveAvgPool1d(4)(row), adaptive_avg_pool1d(row, 4));
  same(nn::AdaptiveAvgPool2d({2, 4})(x), adaptive_avg_pool2d(x, {2, 4}));
  same(nn::AdaptiveMaxPool1d(4)(row), adaptive_max_pool1d(row, 4));
  same(nn::AdaptiveMaxPool2d({2, 4})(x), adaptive_max_pool2d(x, {2, 4}));
  same(nn::Upsample({.scale_factor = {2}, .mode = Interpolation::linear})(x),
       interpolate(x, {.scale_factor = {2}, .mode = Interpolation::linear}));
}

TEST_CASE("a Sequential of pooling, Upsample and Flatten") {
  nn::Sequential net;
  net.emplace<nn::MaxPool2d>(std::array<std::int64_t, 2>{2, 2});
  net.emplace<nn::Upsample>(InterpolateOptions{.size = {3, 2}});
  net.emplace<nn::Flatten>();
  CHECK(net(zeros({2, 3, 8, 8})).shape() == Shape{2, 18});
  CHECK(nn::Flatten(0, 1)(zeros({2, 3, 4})).shape() == Shape{6, 4});
}
