#include "ff/autograd/ops/arithmetic.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;
using doctest::Contains;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using Integers = std::vector<std::int64_t>;

Integers values(const Tensor& x) { return x.to_vector<std::int64_t>(); }

Tensor integers(std::initializer_list<std::int64_t> v) { return Tensor::from(v); }

void check_equal(const Tensor& got, const std::vector<double>& want) {
  const auto d = test::largest_difference(got.to_vector<double>(), want);
  CHECK_MESSAGE(d.absolute == 0, d.str());
}

}  // namespace

TEST_CASE("powers of integers are integers") {
  const Tensor y = pow(integers({-3, 2, 0, 10}), integers({3, 62, 0, 18}));
  CHECK(y.dtype() == i64);
  CHECK(values(y) == Integers{-27, std::int64_t{1} << 62, 1, 1000000000000000000});
  CHECK(pow(cast(integers({2, 3}), u8), 2).dtype() == u8);
  CHECK(pow(integers({2, 3}), 0.5).dtype() == f32);
  CHECK(pow(integers({2, 3}), Tensor::from({-1.0, -2.0})).to_vector<double>()[0] == 0.5);
  CHECK_THROWS_WITH_AS(pow(integers({2, 3}), -2), Contains("[pow] an integer to a negative power: -2"), Error);
  CHECK_THROWS_WITH_AS(pow(integers({2, 3}), integers({1, -1})), Contains("negative power: -1"), Error);
}

TEST_CASE("arithmetic of booleans is logic, or throws") {
  const Tensor a = gt(integers({0, 0, 1, 1}), 0), b = gt(integers({0, 1, 0, 1}), 0);
  CHECK(add(a, b).dtype() == boolean);
  CHECK(values(add(a, b)) == Integers{0, 1, 1, 1});
  CHECK(values(maximum(a, b)) == Integers{0, 1, 1, 1});
  CHECK(values(mul(a, b)) == Integers{0, 0, 0, 1});
  CHECK(values(minimum(a, b)) == Integers{0, 0, 0, 1});
  CHECK(values(a + 1) == Integers{1, 1, 2, 2});
  CHECK_THROWS_WITH_AS(a - b, Contains("[sub] booleans have no such arithmetic"), Error);
  CHECK_THROWS_WITH_AS(remainder(b, b), Contains("[remainder] division of integers by zero"), Error);
  CHECK_THROWS_WITH_AS(pow(a, b), Contains("[pow] booleans"), Error);
}

TEST_CASE("clamp: values, dtypes, gradients at the bounds, NaN") {
  const Tensor x = Tensor::from({-3.0, -1.0, 0.5, 2.0, 5.0}).requires_grad_();
  const Tensor y = clamp(x, -1, 2);
  check_equal(y, {-1, -1, 0.5, 2, 2});
  sum(y).backward();
  check_equal(x.grad(), {0, 1, 1, 1, 0});
  CHECK(std::isnan(clamp(Tensor::from({std::nan("")}), -1, 2).item<double>()));
  check_equal(clamp(x, 4, 2), {2, 2, 2, 2, 2});  // as PyTorch's: max wins
  check_equal(clamp_min(x, 0), {0, 0, 0.5, 2, 5});
  check_equal(clamp_max(x, 0), {-3, -1, 0, 0, 0});
  check_equal(clamp(x, -infinity, infinity), {-3, -1, 0.5, 2, 5});
  const Tensor i = integers({-3, 0, 7});
  CHECK(values(clamp(i, -1, 5)) == Integers{-1, 0, 5});
  CHECK(clamp(i, -1, infinity).dtype() == i64);
  CHECK(values(clamp_min(i, -2)) == Integers{-2, 0, 7});
  CHECK(clamp(i, -0.5, 5).dtype() == f32);
  const Tensor low = Tensor::from({0.0, 1.0}).requires_grad_();
  sum(clamp(zeros({3, 1}, {.dtype = f64}), low, infinity)).backward();
  check_equal(low.grad(), {0, 3});
  CHECK_THROWS_WITH_AS(clamp(x, zeros({4}), 1), Contains("[clamp] shapes do not broadcast: (5,) and (4,)"), Error);
}

TEST_CASE("remainder is of the divisor's sign, fmod of the dividend's; floor_divide goes with remainder") {
  const Tensor a = Tensor::from({7.0, -7.0, 7.0, -7.0}), b = Tensor::from({3.0, 3.0, -3.0, -3.0});
  check_equal(remainder(a, b), {1, 2, -2, -1});
  check_equal(fmod(a, b), {1, -1, 1, -1});
  check_equal(floor_divide(a, b), {2, -3, -3, 2});
  check_equal(floor_divide(a, b) * b + remainder(a, b), {7, -7, 7, -7});
  CHECK(values(remainder(integers({-7, 7}), 4)) == Integers{1, 3});
  CHECK(remainder(integers({-7, 7}), 2.5).dtype() == f32);
  CHECK(values(floor_divide(integers({-7, 7}), 4)) == Integers{-2, 1});
  const Tensor lowest = integers({std::numeric_limits<std::int64_t>::min()});
  CHECK(values(remainder(lowest, -1)) == Integers{0});
  CHECK(values(floor_divide(lowest, -1)) == values(lowest));
  for (auto op : {remainder, fmod, floor_divide})
    CHECK_THROWS_WITH_AS(op(integers({1, 2}), integers({1, 0}), {}), Contains("division of integers by zero"), Error);
  CHECK(std::isnan(remainder(a, 0).to_vector<double>()[0]));
}

TEST_CASE("atan2 in every quadrant; integers become f32") {
  const double pi = std::acos(-1.0);
  check_equal(atan2(Tensor::from({1.0, 1.0, -1.0, -1.0}), Tensor::from({1.0, -1.0, 1.0, -1.0})),
              {pi / 4, 3 * pi / 4, -pi / 4, -3 * pi / 4});
  CHECK(atan2(integers({1}), integers({0})).dtype() == f32);
  CHECK(atan2(integers({1}), integers({0})).item<float>() == static_cast<float>(pi / 2));
}

TEST_CASE("bits of integers and booleans") {
  CHECK(values(bitwise_and(integers({12, -1}), 10)) == Integers{8, 10});
  CHECK(values(bitwise_or(integers({12, -1}), 3)) == Integers{15, -1});
  CHECK(values(bitwise_xor(integers({12, -1}), 10)) == Integers{6, -11});
  CHECK(values(bitwise_left_shift(integers({1, 3}), integers({62, 64}))) == Integers{std::int64_t{1} << 62, 0});
  CHECK(values(bitwise_right_shift(integers({-9, 9}), 1)) == Integers{-5, 4});
  const Tensor t = gt(integers({1, 1}), 0), f = gt(integers({1, 0}), 0);
  CHECK(bitwise_xor(t, f).dtype() == boolean);
  CHECK(values(bitwise_xor(t, f)) == Integers{0, 1});
  CHECK(values(bitwise_and(t, f)) == Integers{1, 0});
  CHECK_THROWS_WITH_AS(bitwise_and(ones({2}), 1), Contains("[bitwise_and] integers or booleans are needed"), Error);
  CHECK_THROWS_WITH_AS(bitwise_left_shift(t, f), Contains("[bitwise_left_shift] booleans cannot be shifted"), Error);
}
