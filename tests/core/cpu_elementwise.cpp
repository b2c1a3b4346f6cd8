#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/elementwise.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

using cpu::Binary;
using cpu::Unary;
using test::largest_difference;

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> applied(Unary op, const std::vector<double>& x) {
  std::vector<double> y(x.size());
  cpu::unary(op, f64, {static_cast<std::int64_t>(x.size())}, x.data(), {1}, y.data());
  return y;
}

template <class T>
std::vector<T> applied(Binary op, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> y(a.size());
  const Shape shape{static_cast<std::int64_t>(a.size())};
  cpu::binary(op, dtype_of<T>(), shape, a.data(), {1}, b.data(), {1}, y.data());
  return y;
}

template <class T>
void check_equal(const std::vector<T>& got, const std::vector<T>& want) {
  const auto d = largest_difference(got, want);
  CHECK_MESSAGE(d.absolute == 0, d.str());
}

}  // namespace

TEST_CASE("unary operations read any strides") {
  for (const Shape& shape : test::trying_shapes())
    for (const Strides& strides : test::readings(shape)) {
      CAPTURE(shape.str());
      CAPTURE(strides.str());
      const auto n = shape.numel();
      const auto x = test::random_array<float>(test::extent(shape, strides), 1);
      std::vector<float> y(static_cast<std::size_t>(n)), want = test::read(x, shape, strides);
      for (float& v : want) v = v * v;
      cpu::unary(Unary::square, f32, shape, x.data(), strides, y.data());
      check_equal(y, want);
      const auto bytes = test::random_array<std::uint8_t>(test::extent(shape, strides), 2, 0, 1);
      std::vector<std::uint8_t> z(static_cast<std::size_t>(n)), want_z = test::read(bytes, shape, strides);
      for (auto& v : want_z) v = v == 0;
      cpu::unary(Unary::logical_not, boolean, shape, bytes.data(), strides, z.data());
      check_equal(z, want_z);
    }
}

TEST_CASE("binary operations read any strides of both operands") {
  for (const Shape& shape : test::trying_shapes())
    for (const Strides& as : test::readings(shape))
      for (const Strides& bs : test::readings(shape)) {
        CAPTURE(shape.str());
        CAPTURE(as.str());
        CAPTURE(bs.str());
        const auto a = test::random_array<double>(test::extent(shape, as), 1);
        const auto b = test::random_array<double>(test::extent(shape, bs), 2);
        const auto n = static_cast<std::size_t>(shape.numel());
        std::vector<double> y(n), want = test::read(a, shape, as);
        const std::vector<double> other = test::read(b, shape, bs);
        std::vector<std::uint8_t> less(n), want_less(n);
        for (std::size_t i = 0; i < n; ++i) want_less[i] = want[i] < other[i];
        for (std::size_t i = 0; i < n; ++i) want[i] -= other[i];
        cpu::binary(Binary::sub, f64, shape, a.data(), as, b.data(), bs, y.data());
        check_equal(y, want);
        cpu::binary(Binary::lt, f64, shape, a.data(), as, b.data(), bs, less.data());
        check_equal(less, want_less);
      }
}

TEST_CASE("where reads any strides of its three operands") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{5, 1, 4}, Shape{3, 257}, Shape{257, 3}, Shape{300, 301}}) {
    const auto all = test::readings(shape);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Strides &cs = all[i], &as = all[(i + 1) % all.size()], &bs = all[(2 * i) % all.size()];
      CAPTURE(shape.str());
      CAPTURE(cs.str());
      const auto c = test::random_array<std::uint8_t>(test::extent(shape, cs), 1, 0, 1);
      const auto a = test::random_array<std::int64_t>(test::extent(shape, as), 2, -9, 9);
      const auto b = test::random_array<std::int64_t>(test::extent(shape, bs), 3, -9, 9);
      std::vector<std::int64_t> y(static_cast<std::size_t>(shape.numel())), want;
      test::for_each_index(shape, [&](const Shape& index) {
        const bool chosen = c[static_cast<std::size_t>(test::offset(index, cs))] != 0;
        want.push_back(chosen ? a[static_cast<std::size_t>(test::offset(index, as))]
                              : b[static_cast<std::size_t>(test::offset(index, bs))]);
      });
      cpu::where(i64, shape, c.data(), cs, a.data(), as, b.data(), bs, y.data());
      check_equal(y, want);
    }
  }
}

TEST_CASE("unary operations of f64 and integers have the values they are named after") {
  const std::vector<double> x{-2, -0.5, -0.0, 0, 0.25, 1, 3};
  check_equal(applied(Unary::neg, x), {2, 0.5, 0, 0, -0.25, -1, -3});
  check_equal(applied(Unary::abs, x), {2, 0.5, 0, 0, 0.25, 1, 3});
  check_equal(applied(Unary::sign, x), {-1, -1, 0, 0, 1, 1, 1});
  check_equal(applied(Unary::square, x), {4, 0.25, 0, 0, 0.0625, 1, 9});
  check_equal(applied(Unary::relu, x), {0, 0, 0, 0, 0.25, 1, 3});
  check_equal(applied(Unary::sqrt, x), {nan, nan, 0, 0, 0.5, 1, std::sqrt(3.0)});
  check_equal(applied(Unary::reciprocal, x), {-0.5, -2, -infinity, infinity, 4, 1, 1 / 3.0});
  for (Unary op : {Unary::sign, Unary::relu, Unary::exp, Unary::gelu, Unary::log_sinc_grad})
    CHECK(std::isnan(applied(op, {nan})[0]));
  const std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  const std::vector<std::int32_t> integers{-3, 0, 7, lowest};
  std::vector<std::int32_t> y(4);
  cpu::unary(Unary::abs, i32, {4}, integers.data(), {1}, y.data());
  check_equal(y, {3, 0, 7, lowest});
  cpu::unary(Unary::sign, i32, {4}, integers.data(), {1}, y.data());
  check_equal(y, {-1, 0, 1, -1});
  cpu::unary(Unary::square, i32, {4}, integers.data(), {1}, y.data());
  check_equal(y, {9, 0, 49, 0});
}

TEST_CASE("functions of f32 and f64 agree, NaN, infinities and zeros too") {
  std::vector<double> x{0, -0.0, infinity, -infinity, nan, 1e-30, -1e-30, 60, -60, 1e4, -1e4};
  for (int i = -4000; i <= 4000; ++i) x.push_back(i * 0.01171875);  // exact in f32
  const std::vector<float> x32(x.begin(), x.end());
  x.assign(x32.begin(), x32.end());
  std::vector<float> y32(x.size());
  for (int op = static_cast<int>(Unary::neg); op < static_cast<int>(Unary::bitwise_not); ++op) {
    const std::vector<double> y = applied(static_cast<Unary>(op), x);
    cpu::unary(static_cast<Unary>(op), f32, {static_cast<std::int64_t>(x.size())}, x32.data(), {1}, y32.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::string what = fmt::format("operation {} at {}: f32 {}, f64 {}", op, x[i], y32[i], y[i]);
      CHECK_MESSAGE(test::ulps(y32[i], y[i]) <= 2, what);
      CHECK_MESSAGE((std::isnan(y[i]) || std::signbit(y[i]) == std::signbit(y32[i])), what);
    }
  }
}

TEST_CASE("the derivatives of log sinc are finite for finite arguments and limits of differences") {
  for (double x : {1e-300, 1e-8, 0.5, 0.999, 1.001, 2.0, 3.0, 3.5, 4.4934094579, 10.0, 100.0}) {
    CAPTURE(x);
    const double h = 1e-6 * std::max(1.0, x), up = x + h, down = x - h;
    const double difference = (applied(Unary::log_sinc, {up})[0] - applied(Unary::log_sinc, {down})[0]) / (up - down);
    const double slope = applied(Unary::log_sinc_grad, {x})[0];
    CHECK(std::abs(slope - difference) <= 1e-6 * std::max(1.0, std::abs(slope)));
    const double change =
        (applied(Unary::log_sinc_grad, {up})[0] - applied(Unary::log_sinc_grad, {down})[0]) / (up - down);
    const double curvature = applied(Unary::log_sinc_grad2, {x})[0];
    CHECK(std::abs(curvature - change) <= 1e-5 * std::max(1.0, std::abs(curvature)));
  }
  for (double k = 1; k < 1e6; k *= 3)
    for (Unary op : {Unary::log_sinc, Unary::log_sinc_grad, Unary::log_sinc_grad2})
      CHECK(std::isfinite(applied(op, {k * 3.141592653589793})[0]));
}

TEST_CASE("binary operations of floats have the values they are named after, NaN kept") {
  const std::vector<float> a{1, -2, 0, 3, NAN, 2}, b{2, 3, 0, -1, 1, NAN};
  check_equal(applied(Binary::add, a, b), {3, 1, 0, 2, NAN, NAN});
  check_equal(applied(Binary::mul, a, b), {2, -6, 0, -3, NAN, NAN});
  check_equal(applied(Binary::div, a, b), {0.5f, -2 / 3.0f, NAN, -3, NAN, NAN});
  check_equal(applied(Binary::maximum, a, b), {2, 3, 0, 3, NAN, NAN});
  check_equal(applied(Binary::minimum, a, b), {1, -2, 0, -1, NAN, NAN});
  check_equal(applied(Binary::relu_grad, a, b), {2, 0, 0, -1, 0, NAN});
  check_equal(applied(Binary::tanh_grad, a, b), {0, -9, 0, 8, NAN, NAN});
  check_equal(applied(Binary::sigmoid_grad, a, b), {0, -18, 0, 6, NAN, NAN});
  check_equal(applied(Binary::maximum, std::vector<double>{nan, 1, 2}, {1, nan, 3}), {nan, nan, 3});
  check_equal(applied(Binary::minimum, std::vector<double>{nan, 1, 2}, {1, nan, 3}), {nan, nan, 2});
}

TEST_CASE("comparisons with NaN are false, but for unequal") {
  const std::vector<float> a{1, NAN, 2}, b{1, 1, 3};
  auto compare = [&](Binary op) {
    std::vector<std::uint8_t> y(3);
    cpu::binary(op, f32, {3}, a.data(), {1}, b.data(), {1}, y.data());
    return y;
  };
  check_equal(compare(Binary::eq), {1, 0, 0});
  check_equal(compare(Binary::ne), {0, 1, 1});
  check_equal(compare(Binary::lt), {0, 0, 1});
  check_equal(compare(Binary::le), {1, 0, 1});
  check_equal(compare(Binary::gt), {0, 0, 0});
  check_equal(compare(Binary::ge), {1, 0, 0});
}

TEST_CASE("integers wrap around and divide without a trap") {
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                     highest = std::numeric_limits<std::int64_t>::max();
  check_equal(applied(Binary::add, std::vector<std::int64_t>{highest, 2}, {1, 3}), {lowest, 5});
  check_equal(applied(Binary::mul, std::vector<std::int64_t>{highest, -7}, {2, 3}), {-2, -21});
  check_equal(applied(Binary::div, std::vector<std::int64_t>{7, -7, 5, lowest}, {2, 2, 0, -1}), {3, -3, 0, lowest});
  check_equal(applied(Binary::pow, std::vector<std::int32_t>{3, -2, 2, 1, -1, 0}, {4, 3, -1, -5, -3, 0}),
              {81, -8, 0, 1, -1, 1});
  check_equal(applied(Binary::sub, std::vector<std::uint8_t>{1, 9}, {2, 4}), {255, 5});
}

TEST_CASE("pow is C's pow, special exponents too") {
  const double values[] = {0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3.7, -1e20, 1e20, 1e-38, infinity, -infinity, nan, 1e-45};
  const double exponents[] = {0, 1, 2, 3, -1, 0.5, -0.5, 4, -2, 7, 2.5, infinity, -infinity, nan, 1e9};
  std::vector<float> a, b;
  for (double v : values)
    for (double e : exponents) {
      a.push_back(static_cast<float>(v));
      b.push_back(static_cast<float>(e));
    }
  for (float v : test::random_array<float>(20000, 5, 0, 20)) a.push_back(v);
  for (float v : test::random_array<float>(20000, 6, -30, 30)) b.push_back(v);
  const std::vector<float> y = applied(Binary::pow, a, b);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const long double truth = std::pow(static_cast<long double>(a[i]), static_cast<long double>(b[i]));
    const double d = test::ulps(y[i], truth);
    worst = std::max(worst, d);
    CHECK_MESSAGE((d <= 1 && (truth != truth || std::signbit(truth) == std::signbit(y[i]))),
                  fmt::format("pow({}, {}) = {}, {} ulp from the truth", a[i], b[i], y[i], d));
  }
  MESSAGE("pow: at most " << worst << " ulp");
  for (float e : {2.0f, 0.5f, -1.0f, 3.0f, 0.0f}) {  // one exponent for all
    std::vector<float> splat(a.size()), each = applied(Binary::pow, a, std::vector<float>(a.size(), e));
    cpu::binary(Binary::pow, f32, {static_cast<std::int64_t>(a.size())}, a.data(), {1}, &e, {0}, splat.data());
    check_equal(splat, each);
  }
}

TEST_CASE("the slopes of activations are those of the functions, their limits too") {
  struct Pair {
    const char* name;
    Unary function;
    Binary slope;
  };
  for (const Pair& p : {Pair{"gelu", Unary::gelu, Binary::gelu_grad},
                        {"gelu_tanh", Unary::gelu_tanh, Binary::gelu_tanh_grad},
                        {"silu", Unary::silu, Binary::silu_grad},
                        {"softplus", Unary::softplus, Binary::softplus_grad},
                        {"mish", Unary::mish, Binary::mish_grad}}) {
    CAPTURE(std::string(p.name));
    std::vector<double> x, one;
    for (int i = -200; i <= 200; ++i) x.push_back(i * 0.05), one.push_back(1);
    const std::vector<double> slope = applied(p.slope, x, one);
    std::vector<double> up = x, down = x, difference;
    for (double& v : up) v += 1e-5;
    for (double& v : down) v -= 1e-5;
    up = applied(p.function, up);
    down = applied(p.function, down);
    for (std::size_t i = 0; i < x.size(); ++i) difference.push_back((up[i] - down[i]) / 2e-5);
    const auto d = largest_difference(slope, difference);
    CHECK_MESSAGE(d.absolute <= 1e-9, d.str());
    const auto d32 = largest_difference(
        applied(p.slope, std::vector<float>(x.begin(), x.end()), std::vector<float>(x.size(), 1)), slope);
    CHECK_MESSAGE(d32.absolute <= 2e-7, d32.str());
    const std::vector<double> far{-infinity, infinity, -1e30, 1e30, nan}, want{0, 2, 0, 2, nan};
    check_equal(applied(p.slope, far, {2, 2, 2, 2, 2}), want);
    check_equal(applied(p.slope, std::vector<float>(far.begin(), far.end()), {2, 2, 2, 2, 2}), {0, 2, 0, 2, NAN});
  }
}

TEST_CASE("roundings keep infinities and signed zeros; halves go to the even integer") {
  const std::vector<double> x{-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.5, 2.7, -2.7, 0x1p60, infinity, -infinity, nan};
  auto check_both = [&](Unary op, const std::vector<double>& want) {
    std::vector<float> x32(x.begin(), x.end()), y32(x.size());
    cpu::unary(op, f32, {static_cast<std::int64_t>(x.size())}, x32.data(), {1}, y32.data());
    const std::vector<double> y = applied(op, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      CHECK((y[i] == want[i] || (std::isnan(y[i]) && std::isnan(want[i]))));
      CHECK(test::ulps(y32[i], want[i]) == 0);
      if (!std::isnan(want[i])) CHECK(std::signbit(y[i]) == std::signbit(want[i]));
      if (!std::isnan(want[i])) CHECK(std::signbit(y32[i]) == std::signbit(want[i]));
    }
  };
  check_both(Unary::floor, {-3, -2, -1, -0.0, 0, 1, 2, 2, -3, 0x1p60, infinity, -infinity, nan});
  check_both(Unary::ceil, {-2, -1, -0.0, -0.0, 1, 2, 3, 3, -2, 0x1p60, infinity, -infinity, nan});
  check_both(Unary::round, {-2, -2, -0.0, -0.0, 0, 2, 2, 3, -3, 0x1p60, infinity, -infinity, nan});
  check_both(Unary::trunc, {-2, -1, -0.0, -0.0, 0, 1, 2, 2, -2, 0x1p60, infinity, -infinity, nan});
  check_equal(applied(Unary::frac, {-2.5, 0.25, 3, -3, infinity, nan}), {-0.5, 0.25, 0, 0, nan, nan});
}

TEST_CASE("predicates of every dtype, written as booleans") {
  const Shape shape{1001, 70};
  auto x = test::random_array<float>(shape.numel(), 5);
  for (std::size_t i = 0; i < x.size(); i += 3) x[i] = i % 2 ? INFINITY : i % 4 ? -INFINITY : NAN;
  for (const Strides& strides : {Strides{70, 1}, Strides{1, 1001}}) {
    const std::vector<float> read = test::read(x, shape, strides);
    auto check = [&](Unary op, auto holds) {
      std::vector<std::uint8_t> y(x.size()), want;
      cpu::unary(op, f32, shape, x.data(), strides, y.data());
      for (float v : read) want.push_back(holds(v));
      check_equal(y, want);
    };
    check(Unary::isnan, [](float v) { return std::isnan(v); });
    check(Unary::isinf, [](float v) { return std::isinf(v); });
    check(Unary::isfinite, [](float v) { return std::isfinite(v); });
  }
  const std::vector<double> d{1, -infinity, nan, 1e308};
  std::vector<std::uint8_t> y(4);
  cpu::unary(Unary::isinf, f64, {4}, d.data(), {1}, y.data());
  check_equal(y, {0, 1, 0, 0});
  const std::vector<std::int64_t> integers{0, -1, std::numeric_limits<std::int64_t>::max(), 5};
  cpu::unary(Unary::isfinite, i64, {4}, integers.data(), {1}, y.data());
  check_equal(y, {1, 1, 1, 1});
  cpu::unary(Unary::isinf, i64, {4}, integers.data(), {1}, y.data());
  check_equal(y, {0, 0, 0, 0});
}

TEST_CASE("remainders and floored quotients of floats and integers, every sign") {
  const std::vector<double> a{7, -7, 7, -7, 6, -6, 0, -0.0, 5, -5, infinity, 1, 0.3},
      b{3, 3, -3, -3, 3, 3, 3, 3, infinity, infinity, 2, 0, 0.1};
  check_equal(applied(Binary::remainder, a, b), {1, 2, -2, -1, 0, 0, 0, 0, 5, infinity, nan, nan, std::fmod(0.3, 0.1)});
  check_equal(applied(Binary::fmod, a, b), {1, -1, 1, -1, 0, 0, 0, 0, 5, -5, nan, nan, std::fmod(0.3, 0.1)});
  check_equal(applied(Binary::floor_divide, a, b), {2, -3, -3, 2, 2, -2, 0, 0, 0, -1, nan, infinity, 2});
  check_equal(applied(Binary::remainder, std::vector<float>{-7, 0.5f}, {3, -0.375f}), {2, -0.25f});
  const std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  const std::vector<std::int32_t> i{7, -7, 7, -7, lowest, 5}, j{3, 3, -3, -3, -1, 0};
  check_equal(applied(Binary::remainder, i, j), {1, 2, -2, -1, 0, 0});
  check_equal(applied(Binary::fmod, i, j), {1, -1, 1, -1, 0, 0});
  check_equal(applied(Binary::floor_divide, i, j), {2, -3, -3, 2, lowest, 0});
  check_equal(applied(Binary::remainder, std::vector<std::uint8_t>{250, 7}, {7, 250}), {5, 7});
}

TEST_CASE("bits of integers; shifts by any count") {
  const std::vector<std::int32_t> a{12, -1, 1, 1, 1, -8, -8, -8}, b{10, 7, 31, 32, -1, 1, 40, -2};
  check_equal(applied(Binary::bitwise_and, a, b), {8, 7, 1, 0, 1, 0, 40, -8});
  check_equal(applied(Binary::bitwise_or, a, b), {14, -1, 31, 33, -1, -7, -8, -2});
  check_equal(applied(Binary::bitwise_xor, a, b), {6, -8, 30, 33, -2, -7, -48, 6});
  const std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  check_equal(applied(Binary::left_shift, a, b), {12 << 10, -128, lowest, 0, 0, -16, 0, 0});
  check_equal(applied(Binary::right_shift, a, b), {0, -1, 0, 0, 0, -4, -1, -1});
  check_equal(applied(Binary::left_shift, std::vector<std::uint8_t>{129, 3}, {1, 8}), {2, 0});
  std::vector<std::uint8_t> bytes{0, 255, 170}, inverted(3);
  cpu::unary(Unary::bitwise_not, u8, {3}, bytes.data(), {1}, inverted.data());
  check_equal(inverted, {255, 0, 85});
  const std::vector<std::uint8_t> p{0, 0, 1, 1}, q{0, 1, 0, 1};
  std::vector<std::uint8_t> y(4);
  cpu::binary(Binary::logical_xor, boolean, {4}, p.data(), {1}, q.data(), {1}, y.data());
  check_equal(y, {0, 1, 1, 0});
}

TEST_CASE("an operation may write over its operand") {
  auto x = test::random_array<float>(1003, 7);
  const auto before = x;
  cpu::unary(Unary::exp, f32, {1003}, x.data(), {1}, x.data());
  std::vector<float> want(before.size());
  cpu::unary(Unary::exp, f32, {1003}, before.data(), {1}, want.data());
  check_equal(x, want);
  cpu::binary(Binary::mul, f32, {1003}, x.data(), {1}, before.data(), {1}, x.data());
  for (std::size_t i = 0; i < want.size(); ++i) want[i] *= before[i];
  check_equal(x, want);
}

TEST_CASE("axpy and scale") {
  auto y = test::random_array<double>(100001, 1);
  const auto x = test::random_array<double>(100001, 2);
  auto want = y;
  for (std::size_t i = 0; i < y.size(); ++i) want[i] = (want[i] + 0.5 * x[i]) * -3;
  cpu::axpy(f64, 100001, 0.5, x.data(), y.data());
  cpu::scale(f64, 100001, -3, y.data());
  const auto d = largest_difference(y, want);
  CHECK_MESSAGE(d.relative <= 1e-15, d.str());
  cpu::axpy(f64, 0, 1, x.data(), y.data());
}

TEST_CASE("elementwise results do not depend on the number of threads") {
  const Shape shape{300, 1001};
  const auto x = test::random_array<float>(shape.numel(), 3, -20, 20);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<float> y(x.size());
    cpu::unary(Unary::tanh, f32, shape, x.data(), {1, 300}, y.data());
    cpu::binary(Binary::gelu_grad, f32, shape, y.data(), {1001, 1}, x.data(), {0, 1}, y.data());
    cpu::axpy(f32, shape.numel(), 0.3, x.data(), y.data());
    return y;
  }));
}

}  // namespace ff
