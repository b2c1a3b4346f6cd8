#include "ff/core/tensor.h"

#include <limits>

#include <doctest/doctest.h>

#include "ff/core/error.h"

#include "tests/support/errors.h"

using namespace ff;
using test::error_of;

namespace {}  // namespace

TEST_CASE("shape: arithmetic, broadcasting, errors") {
  CHECK(Shape{2, 3}.numel() == 6);
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{2, 0}.numel() == 0);
  CHECK(Shape{5}.str() == "(5,)");
  CHECK(Shape{}.str() == "()");
  CHECK(contiguous_strides({2, 3, 4}) == Strides{12, 4, 1});
  CHECK(broadcast_shapes("op", {2, 1, 3}, {4, 1}) == Shape{2, 4, 3});
  CHECK(broadcast_shapes("op", {}, {0}) == Shape{0});
  CHECK(broadcast_strides({3, 1}, {1, 1}, {2, 3, 4}) == Strides{0, 1, 0});
  CHECK(Shape{2, 3}.at(-1) == 3);
  CHECK(error_of([] { broadcast_shapes("op", {2}, {3}); }) == "[op] shapes do not broadcast: (2,) and (3,)");
  CHECK(error_of([] { Shape{2}.at(1); }).find("dimension out of range: 1") != std::string::npos);
  CHECK(error_of([] { Shape::filled(9, 1); }).find("at most 8 dimensions") != std::string::npos);
}

TEST_CASE("dtype: promotion as PyTorch's") {
  CHECK(promote(f32, f64) == f64);
  CHECK(promote(f32, i64) == f32);
  CHECK(promote(i32, i64) == i64);
  CHECK(promote(u8, i32) == i32);
  CHECK(promote(boolean, u8) == u8);
  CHECK(size_of(i64) == 8);
  CHECK(name(boolean) == "boolean");
}

TEST_CASE("tensor: from data and back") {
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(x.dtype() == f32);
  CHECK(x.is_contiguous());
  CHECK(x.data<float>()[4] == 5);
  CHECK(x.to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6});
  CHECK(error_of([] {
          Tensor::from(std::vector<float>{1, 2}, {3});
        }) == "[from] 2 elements do not make a tensor of shape (3,)");
  CHECK(error_of([&] {
          x.data<double>();
        }).starts_with("[data] the tensor's dtype is f32, f64 asked for (at tests/core/tensor.cpp:"));
  CHECK(error_of([&] {
          x.item<float>();
        }).starts_with("[item] a tensor of one element is needed, the shape is (2, 3) (at tests/core/tensor.cpp:"));
  CHECK(error_of([] { Tensor::empty({2, -1}); }) == "[empty] negative size: (2, -1)");
}

TEST_CASE("tensor: item keeps every bit of an integer") {
  const std::int64_t large = std::numeric_limits<std::int64_t>::max();
  CHECK(Tensor::from<std::int64_t>({large}).item<std::int64_t>() == large);
  CHECK(Tensor::from<bool>({true}).item<bool>());
}

TEST_CASE("tensor: strided views share memory, copies do not") {
  const Tensor x = Tensor::from(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor column = x.as_strided({2}, {3}, 1);
  CHECK(column.to_vector<std::int32_t>() == std::vector<std::int32_t>{2, 5});
  CHECK(!column.is_contiguous());
  CHECK(error_of([&] { column.data<std::int32_t>(); }).find("not contiguous: shape (2,), strides (3,)") !=
        std::string::npos);
  column.fill(9);
  CHECK(x.to_vector<std::int32_t>() == std::vector<std::int32_t>{1, 9, 3, 4, 9, 6});
  const Tensor copy = column.dense();
  copy.fill(0);
  CHECK(x.data<std::int32_t>()[1] == 9);
}

TEST_CASE("tensor: assign broadcasts, converts, counts versions, and copes with overlap") {
  const Tensor x = Tensor::empty({2, 3}, f64);
  const auto before = x.version();
  x.assign(Tensor::from({1.0f, 2.0f, 3.0f}));
  CHECK(x.version() > before);
  CHECK(x.to_vector<double>() == std::vector<double>{1, 2, 3, 1, 2, 3});
  const Tensor row = Tensor::from({1.0, 2.0, 3.0});
  row.as_strided({2}, {1}, 1).assign(row.as_strided({2}, {1}, 0));
  CHECK(row.to_vector<double>() == std::vector<double>{1, 1, 2});
  CHECK(error_of([&] { x.assign(Tensor::empty({2})); }).find("[assign]") == 0);
}

TEST_CASE("tensor: size-1 and empty dimensions do not spoil contiguity") {
  CHECK(Tensor::empty({2, 1, 3}).as_strided({2, 1, 3}, {3, 77, 1}).is_contiguous());
  CHECK(Tensor::empty({0, 3}).as_strided({0, 3}, {5, 7}).is_contiguous());
}
