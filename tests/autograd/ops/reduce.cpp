#include "ff/autograd/ops/reduce.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using Floats = std::vector<float>;

namespace {

// The gradient of the sum of f(x).
std::vector<double> gradient(const Tensor& x, const std::function<Tensor(const Tensor&)>& f) {
  const Tensor leaf = x.detach().requires_grad_();
  return grad({sum(f(leaf))}, {leaf})[0].to_vector<double>();
}

}  // namespace

TEST_CASE("prod: dtypes, dimensions, nothing") {
  const Tensor x = reshape(Tensor::from({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}), {2, 3});
  CHECK(prod(x).item<float>() == 720);
  CHECK(prod(x, {0}).to_vector<float>() == Floats{4, 10, 18});
  CHECK(prod(x, {-1}, true).shape() == Shape{2, 1});
  CHECK(prod(zeros({0, 2}), {0}).to_vector<float>() == Floats{1, 1});
  for (DType dtype : {i32, i64, u8, boolean}) CHECK(prod(cast(x, dtype)).dtype() == i64);
  CHECK(prod(cast(x, u8)).item<std::int64_t>() == 720);
  CHECK(prod(cast(x, boolean)).item<std::int64_t>() == 1);
}

TEST_CASE("prod: gradient with no zero, one, two") {
  auto of = [](const std::vector<double>& x) {
    return gradient(Tensor::from(x, {3}), [](const Tensor& t) { return prod(t); });
  };
  CHECK(of({2, 3, 5}) == std::vector<double>{15, 10, 6});
  CHECK(of({2, 0, 5}) == std::vector<double>{0, 10, 0});
  CHECK(of({0, 3, 0}) == std::vector<double>{0, 0, 0});
}

TEST_CASE("var and std of one entry, and more correction than entries") {
  const Tensor one = Tensor::from({3.0f}), two = Tensor::from({1.0f, 3.0f});
  CHECK(std::isnan(var(one).item<float>()));
  CHECK(std::isnan(ff::std(one).item<float>()));
  CHECK(var(one, {}, 0).item<float>() == 0);
  CHECK(var(two, {}, 5).item<float>() == INFINITY);
  CHECK(ff::std(two).item<float>() == std::sqrt(2.0f));
  CHECK(ff::std(two, {0}, 0, true).to_vector<float>() == Floats{1});
}

TEST_CASE("std: the gradient where all entries are equal is 0") {
  CHECK(gradient(ones({3}), [](const Tensor& x) { return ff::std(x); }) == std::vector<double>{0, 0, 0});
}

TEST_CASE("norm of every order") {
  const Tensor x = Tensor::from({3.0f, -4.0f, 0.0f});
  CHECK(norm(x).item<float>() == 5);
  CHECK(norm(x, 1).item<float>() == 7);
  CHECK(norm(x, 0).item<float>() == 2);
  CHECK(norm(x, INFINITY).item<float>() == 4);
  CHECK(norm(x, -INFINITY).item<float>() == 0);
  CHECK(norm(x, 3).item<float>() == doctest::Approx(std::cbrt(91.0)));
  CHECK(norm(x, -2).item<float>() == 0);
  CHECK(norm(slice(x, 0, 0, 2), -1).item<float>() == doctest::Approx(1 / (1 / 3.0 + 1 / 4.0)));
  CHECK(norm(x, 0.5).item<float>() == doctest::Approx(std::pow(std::sqrt(3.0) + 2, 2)));
  CHECK(norm(reshape(slice(x, 0, 0, 2), {2, 1}), 2, {1}, true).shape() == Shape{2, 1});
  CHECK(norm(cast(x, i64)).dtype() == f32);
  CHECK(norm(zeros({0})).item<float>() == 0);
}

TEST_CASE("norm of f32 neither overflows nor vanishes on the way") {
  CHECK(norm(Tensor::from({3e30f, 4e30f})).item<float>() == doctest::Approx(5e30));
  CHECK(norm(Tensor::from({3e-30f, 4e-30f})).item<float>() == doctest::Approx(5e-30));
  CHECK(norm(Tensor::from({1e-20f, 1e-20f}), 4).item<float>() == doctest::Approx(std::pow(2, 0.25) * 1e-20));
}

TEST_CASE("norm: the gradient at 0 is 0, and that of the gradient is finite") {
  for (double p : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, -1.0, double{INFINITY}, -double{INFINITY}}) {
    CAPTURE(p);
    CHECK(gradient(zeros({2}), [p](const Tensor& x) { return norm(x, p); }) == std::vector<double>{0, 0});
    const Tensor x = Tensor::from({0.0, 2.0, -1.0}).requires_grad_();
    const Tensor dx = grad({norm(x, p)}, {x}, {}, {.create_graph = true})[0];
    CHECK(std::isfinite(sum(dx).item<double>()));
    if (!dx.requires_grad()) continue;
    const Tensor second = grad({sum(dx * Tensor::from({1.0, 2.0, 3.0}))}, {x}, {}, {.allow_unused = true})[0];
    if (second.defined()) CHECK(std::isfinite(sum(second).item<double>()));
  }
  CHECK(gradient(Tensor::from({2.0, -2.0, 1.0}), [](const Tensor& x) { return norm(x, INFINITY); }) ==
        std::vector<double>{0.5, -0.5, 0});
}

TEST_CASE("norm refuses what has none") {
  CHECK(test::contains(test::error_of([] { norm(zeros({2}), NAN); }), {"[norm]", "NaN"}));
  CHECK(test::contains(test::error_of([] {
                         norm(zeros({2, 0}), INFINITY, {1});
                       }),
                       {"[norm]", "order inf", "no entries", "(2, 0)"}));
  CHECK(test::contains(test::error_of([] { norm(zeros({0}), -1); }), {"[norm]", "order -1"}));
  CHECK(test::contains(test::error_of([] { norm(zeros({2}), 2, {0, 0}); }), {"[norm]", "named twice"}));
}

TEST_CASE("any, all and count_nonzero of every dtype") {
  const Tensor x = reshape(Tensor::from({0.0f, 2.0f, 0.0f, 1.0f}), {2, 2});
  for (DType dtype : {f32, f64, i32, i64, u8, boolean}) {
    const Tensor n = cast(x, dtype);
    CHECK(any(n, {0}).dtype() == boolean);
    CHECK(any(n, {0}).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(all(n, {0}).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(any(n).item<bool>());
    CHECK(!all(n).item<bool>());
    CHECK(count_nonzero(n).item<std::int64_t>() == 2);
    CHECK(count_nonzero(n, {1}).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 1});
    CHECK(count_nonzero(n).dtype() == i64);
  }
  CHECK(any(Tensor::from({NAN})).item<bool>());
  CHECK(any(Tensor::from({0.25f, -0.0f})).item<bool>());
  CHECK(!all(Tensor::from({0.25f, -0.0f})).item<bool>());
  CHECK(!any(zeros({0})).item<bool>());
  CHECK(all(zeros({0})).item<bool>());
}

TEST_CASE("argmax and argmin without a dimension count row-major, whatever the layout") {
  const Tensor x = reshape(Tensor::from({1.0f, 7.0f, -3.0f, 7.0f, 2.0f, -3.0f}), {2, 3});
  CHECK(argmax(x).item<std::int64_t>() == 1);
  CHECK(argmin(x).item<std::int64_t>() == 2);
  CHECK(argmax(transpose(x, 0, 1)).item<std::int64_t>() == 1);  // 1 7, 7 2, -3 -3
  CHECK(argmin(transpose(x, 0, 1)).item<std::int64_t>() == 4);
  CHECK(argmax(x).rank() == 0);
  CHECK(argmax(x, {}, true).shape() == Shape{1, 1});
  CHECK(argmax(Tensor::scalar(3)).item<std::int64_t>() == 0);
  CHECK(argmax(Tensor::from({1.0f, NAN, 3.0f})).item<std::int64_t>() == 1);
  CHECK(test::contains(test::error_of([] {
                         argmax(zeros({0, 2}));
                       }),
                       {"[argmax]", "nothing to choose from: shape (0, 2)"}));
  CHECK(test::contains(test::error_of([] { argmin(cast(zeros({2}), boolean)); }), {"[argmin]", "booleans"}));
}

TEST_CASE("amax and amin are max and min") {
  const Tensor x = reshape(Tensor::from({1.0f, 7.0f, -3.0f, 7.0f}), {2, 2});
  CHECK(amax(x, {0}).to_vector<float>() == Floats{1, 7});
  CHECK(amin(x, {1}, true).to_vector<float>() == Floats{1, -3});
  CHECK(gradient(x, [](const Tensor& t) { return amax(t); }) == std::vector<double>{0, 0.5, 0, 0.5});
}
