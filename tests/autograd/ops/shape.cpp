#include "ff/autograd/ops/shape.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("reshape and view: one size left open") {
  const Tensor x = arange(0, 12, 1, {.dtype = i64});
  CHECK(reshape(x, {3, -1}).shape() == Shape{3, 4});
  CHECK(reshape(zeros({0, 3}), {-1}).shape() == Shape{0});
  CHECK(view(x, {-1, 2}).storage() == x.storage());
  CHECK(view(slice(reshape(x, {3, 4}), 1, 0, 2), {3, 2, 1}).storage() == x.storage());
  CHECK(error_of([&] { reshape(x, {5, -1}); }).find("[reshape] (12,) does not have the elements of (5, -1)") == 0);
  CHECK(error_of([&] { reshape(x, {-1, -1}); }).find("[reshape] more than one size is left open: (-1, -1)") == 0);
  CHECK(error_of([&] { reshape(x, {-2, -6}); }).find("[reshape] a negative size: (-2, -6)") == 0);
  CHECK(error_of([&] { view(x, {7}); }).find("[view] (12,) does not have the elements of (7,)") == 0);
  CHECK(error_of([&] {
          view(transpose(reshape(x, {3, 4}), 0, 1), {12});
        }).find("[view] (4, 3) with strides (1, 4) is no (12,) without a copy: use reshape") == 0);
  CHECK(error_of([&] { reshape(x, {INT64_MAX, 4}); }).find("[shape] (9223372036854775807, 4) has more elements") == 0);
}

TEST_CASE("unflatten undoes flatten") {
  const Tensor x = arange(0, 24, 1, {.dtype = i64});
  const Tensor cube = reshape(x, {2, 3, 4});
  CHECK(unflatten(flatten(cube, 1), 1, {3, 4}).shape() == Shape{2, 3, 4});
  CHECK(unflatten(cube, -1, {2, -1}).shape() == Shape{2, 3, 2, 2});
  CHECK(integers(unflatten(cube, -1, {2, -1})) == integers(x));
  CHECK(error_of([&] {
          unflatten(cube, 1, {2, 2});
        }).find("[unflatten] (3,) does not have the elements of (2, 2)") == 0);
}

TEST_CASE("movedim: source to destination, the others in order") {
  const Tensor x = zeros({2, 3, 4, 5});
  CHECK(movedim(x, 0, 2).shape() == Shape{3, 4, 2, 5});
  CHECK(movedim(x, -1, 0).shape() == Shape{5, 2, 3, 4});
  CHECK(movedim(x, {3, 0}, {0, 1}).shape() == Shape{5, 2, 3, 4});
  CHECK(movedim(x, Dims{}, Dims{}).shape() == x.shape());
  CHECK(error_of([&] { movedim(x, {0, 0}, {1, 2}); }).find("[movedim] dimension 0 is moved twice") == 0);
  CHECK(error_of([&] { movedim(x, {0, 1}, {2, -2}); }).find("[movedim] two dimensions are moved to -2") == 0);
  CHECK(error_of([&] { movedim(x, {0, 1}, {2}); }).find("[movedim] 2 dimensions to be moved to 1 places") == 0);
  CHECK(error_of([&] { movedim(zeros({}), 0, 0); }).find("[movedim] a scalar") == 0);
}

TEST_CASE("squeeze: one, several, all") {
  const Tensor x = zeros({1, 2, 1, 3, 1});
  CHECK(squeeze(x).shape() == Shape{2, 3});
  CHECK(squeeze(x, 2).shape() == Shape{1, 2, 3, 1});
  CHECK(squeeze(x, {0, -1}).shape() == Shape{2, 1, 3});
  CHECK(squeeze(zeros({1, 1})).shape() == Shape{});
  CHECK(squeeze(zeros({})).shape() == Shape{});
  CHECK(error_of([&] { squeeze(x, {0, 1}); }).find("[squeeze] dimension 1 of shape (1, 2, 1, 3, 1) is not 1") == 0);
  CHECK(error_of([&] { squeeze(x, {0, -5}); }).find("[squeeze] dimension -5 is named twice") == 0);
}

TEST_CASE("expand: -1 keeps a size") {
  const Tensor x = reshape(arange(0, 3, 1, {.dtype = i64}), {3, 1});
  CHECK(integers(expand(x, {-1, 2})) == Ints{0, 0, 1, 1, 2, 2});
  CHECK(expand(x, {2, -1, 4}).shape() == Shape{2, 3, 4});
  CHECK(expand(x, {2, -1, 4}).storage() == x.storage());
  CHECK(error_of([&] {
          expand(x, {-1, 3, 1});
        }).find("[expand] -1 stands for no dimension of (3, 1): (-1, 3, 1)") == 0);
  CHECK(error_of([&] { expand(x, {3, -2}); }).find("[broadcast_to] a negative size: (3, -2)") == 0);
  CHECK(error_of([&] { expand(x, {2, 1}); }).find("(3, 1)") != std::string::npos);
}

TEST_CASE("meshgrid: as PyTorch's with indexing ij") {
  const auto grid = meshgrid({Tensor::from({1, 2, 3}), Tensor::from({4, 5}), Tensor::scalar(6, i32)});
  REQUIRE(grid.size() == 3);
  for (const Tensor& t : grid) CHECK(t.shape() == Shape{3, 2, 1});
  CHECK(integers(grid[0]) == Ints{1, 1, 2, 2, 3, 3});
  CHECK(integers(grid[1]) == Ints{4, 5, 4, 5, 4, 5});
  CHECK(integers(grid[2]) == Ints{6, 6, 6, 6, 6, 6});
  CHECK(meshgrid({}).empty());
  CHECK(error_of([] { meshgrid({zeros({2, 2})}); }).find("[meshgrid] one-dimensional tensors are needed: (2, 2)") == 0);
}
