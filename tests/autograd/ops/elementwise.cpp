#include "ff/autograd/ops/elementwise.h"

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

using Unary = Tensor (*)(const Tensor&, Where);

void check_near(const Tensor& got, const std::vector<double>& want, double tolerance = 1e-14) {
  const auto d = test::largest_difference(got.to_vector<double>(), want);
  CHECK_MESSAGE(d.absolute <= tolerance, d.str());
}

}  // namespace

TEST_CASE("elementary functions of f64 are the C library's") {
  struct Pair {
    const char* name;
    Unary op;
    double (*function)(double);
  };
  const Pair pairs[] = {{"exp2", exp2, std::exp2},    {"log2", log2, std::log2},      {"log10", log10, std::log10},
                        {"tan", tan, std::tan},       {"asin", asin, std::asin},      {"acos", acos, std::acos},
                        {"atan", atan, std::atan},    {"sinh", sinh, std::sinh},      {"cosh", cosh, std::cosh},
                        {"asinh", asinh, std::asinh}, {"acosh", acosh, std::acosh},   {"atanh", atanh, std::atanh},
                        {"erfc", erfc, std::erfc},    {"lgamma", lgamma, std::lgamma}};
  const std::vector<double> x{-2.5, -0.7, 0, 0.3, 0.99, 1, 1.5, 40};
  for (const Pair& p : pairs) {
    CAPTURE(std::string(p.name));
    std::vector<double> want;
    for (double v : x) want.push_back(p.function(v));
    const auto d = test::largest_difference(p.op(Tensor::from(x, {8}), {}).to_vector<double>(), want);
    CHECK_MESSAGE(d.relative <= 1e-15, d.str());
  }
}

TEST_CASE("roundings keep integers, and elementary functions take them to f32") {
  const Tensor integers = Tensor::from<std::int64_t>({-3, 0, 9007199254740993});
  for (Unary op : {Unary(floor), Unary(ceil), Unary(round), Unary(trunc), Unary(abs), Unary(square), Unary(sign)})
    CHECK(op(integers, {}).dtype() == i64);
  CHECK(floor(integers).to_vector<std::int64_t>() == std::vector<std::int64_t>{-3, 0, 9007199254740993});
  CHECK(relu(integers).dtype() == i64);
  CHECK(tan(integers).dtype() == f32);
  CHECK(frac(integers).to_vector<double>() == std::vector<double>{0, 0, 0});
  CHECK(lgamma(gt(integers, 0)).dtype() == f32);
  CHECK_THROWS_WITH_AS(floor(gt(integers, 0)), Contains("[floor] booleans have no arithmetic"), Error);
  check_near(round(Tensor::from({-1.5, -0.5, 0.5, 2.5, 2.6})), {-2, 0, 0, 2, 3});
}

TEST_CASE("bitwise_not of integers and booleans") {
  CHECK(bitwise_not(Tensor::from<std::int32_t>({0, 5, -1})).to_vector<int>() == std::vector<int>{-1, -6, 0});
  CHECK(bitwise_not(gt(Tensor::from({1.0, -1.0}), 0)).to_vector<int>() == std::vector<int>{0, 1});
  CHECK_THROWS_WITH_AS(bitwise_not(ones({2})),
                       Contains("[bitwise_not] integers or booleans are needed, the dtype is f32"), Error);
}

TEST_CASE("lgamma has three derivatives, and says where they end") {
  const Tensor x = Tensor::from({1.0}).requires_grad_();
  const GradOptions again{.create_graph = true};
  const Tensor first = grad({lgamma(x)}, {x}, {}, again)[0];
  const Tensor second = grad({first}, {x}, {}, again)[0], third = grad({second}, {x}, {}, again)[0];
  check_near(first, {-0.57721566490153286});
  check_near(second, {1.6449340668482264});
  check_near(third, {-2.4041138063191885});
  CHECK_THROWS_WITH_AS(grad({third}, {x}), Contains("[tetragamma] has no derivative: lgamma is three times"), Error);
}

TEST_CASE("a step function passes its value, and throws when its gradient is asked for") {
  const Tensor x = Tensor::from({0.3, 1.7}).requires_grad_();
  const Tensor y = sum(floor(x));
  CHECK(y.item<double>() == 1);
  CHECK_THROWS_WITH_AS(y.backward(), Contains("[floor] is not differentiable"), Error);
}
