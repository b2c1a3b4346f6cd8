#include "ff/autograd/ops/matmul.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;

TEST_CASE("matmul of integers keeps their dtype; strides, batches, vectors") {
  const Tensor a = reshape(arange(0, 12, 1, {.dtype = i32}), {2, 3, 2}),
               b = reshape(arange(0, 6, 1, {.dtype = i32}), {3, 2});
  for (DType dtype : {i32, i64, u8}) {
    const Tensor x = cast(a, dtype), y = cast(b, dtype);
    const Tensor got = matmul(x, transpose(y, 0, 1));
    CHECK(got.dtype() == dtype);
    const auto want = matmul(cast(a, f64), transpose(cast(b, f64), 0, 1));
    const auto d = test::largest_difference(got.to_vector<double>(), want.to_vector<double>(), got.shape());
    CHECK_MESSAGE(d.absolute == 0, d.str());
    CHECK(matmul(select(y, 1, 1), select(y, 1, 0)).item<int>() == 1 * 0 + 3 * 2 + 5 * 4);
    CHECK(matmul(transpose(x, 1, 2), x).to_vector<double>() ==
          matmul(transpose(cast(a, f64), 1, 2), cast(a, f64)).to_vector<double>());
  }
}

TEST_CASE("matmul names the dtypes that do not go together") {
  CHECK(test::contains(test::error_of([] {
                         matmul(zeros({2, 2}), zeros({2, 2}, {.dtype = f64}));
                       }),
                       {"[matmul]", "one dtype", "f32 x f64"}));
  const Tensor truths = cast(zeros({2, 2}), boolean);
  CHECK(test::contains(test::error_of([&] { matmul(truths, truths); }), {"[matmul]", "booleans"}));
}

TEST_CASE("addmm: scaled, and a bias that is not read") {
  const Tensor a = reshape(Tensor::from({1.0f, 2.0f, 3.0f, 4.0f}), {2, 2}), b = Tensor::from({10.0f, 20.0f});
  const std::vector<float> product{7, 10, 15, 22};
  CHECK(addmm(b, a, a).to_vector<float>() == std::vector<float>{17, 30, 25, 42});
  CHECK(addmm(b, a, a, 0.5, -1).to_vector<float>() == std::vector<float>{-2, 0, -10, -12});
  CHECK(addmm(Tensor::from({NAN}), a, a, 0).to_vector<float>() == product);
  CHECK(addmm(b, zeros({2, 0}), zeros({0, 2}), 2).to_vector<float>() == std::vector<float>{20, 40, 20, 40});
}

TEST_CASE("bmm, dot and outer") {
  const Tensor v = Tensor::from({1.0f, 2.0f, 3.0f}), w = Tensor::from({4.0f, 5.0f, 6.0f});
  CHECK(dot(v, w).item<float>() == 32);
  CHECK(dot(cast(v, i64), cast(w, i64)).item<std::int64_t>() == 32);
  CHECK(outer(v, slice(w, 0, 0, 2)).to_vector<float>() == std::vector<float>{4, 5, 8, 10, 12, 15});
  CHECK(outer(cast(v, i32), w).dtype() == f32);
  const Tensor a = reshape(v, {1, 1, 3}), b = reshape(w, {1, 3, 1});
  CHECK(bmm(a, b).shape() == Shape{1, 1, 1});
  CHECK(bmm(a, b).item<float>() == 32);
}

TEST_CASE("addmm, bmm, dot and outer name the shapes that do not fit") {
  const Tensor m = zeros({2, 3}), v = zeros({3}), batch = zeros({2, 2, 2});
  CHECK(test::contains(test::error_of([&] { bmm(m, m); }), {"[bmm]", "(2, 3) and (2, 3)"}));
  CHECK(test::contains(test::error_of([&] { bmm(batch, zeros({1, 2, 2})); }), {"[bmm]", "(1, 2, 2)"}));
  CHECK(test::contains(test::error_of([&] { dot(v, zeros({2})); }), {"[dot]", "(3,) and (2,)"}));
  CHECK(test::contains(test::error_of([&] { dot(m, m); }), {"[dot]", "vectors"}));
  CHECK(test::contains(test::error_of([&] { outer(v, m); }), {"[outer]", "(3,) and (2, 3)"}));
  CHECK(test::contains(test::error_of([&] { addmm(v, m, m); }), {"[addmm]", "(2, 3) and (2, 3)"}));
  CHECK(test::contains(test::error_of([&] { addmm(zeros({5}), m, zeros({3, 2})); }), {"[addmm]", "(5,)", "(2, 2)"}));
  CHECK(test::contains(test::error_of([&] {
                         addmm(zeros({3, 2, 2}), m, zeros({3, 2}));
                       }),
                       {"[addmm]", "(3, 2, 2) does not broadcast to (2, 2)"}));
  CHECK(test::contains(test::error_of([&] {
                         addmm(v, m, zeros({3, 3}, {.dtype = f64}));
                       }),
                       {"[addmm]", "bias f32, a f32, b f64"}));
}
