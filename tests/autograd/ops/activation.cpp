#include "ff/autograd/ops/activation.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;
using doctest::Contains;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
using Activation = std::function<Tensor(const Tensor&)>;

struct Named {
  const char* name;
  Activation f;
};

const std::vector<Named>& all() {
  static const std::vector<Named> activations{
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
      {"logsigmoid", [](const Tensor& x) { return logsigmoid(x); }},
      {"softplus", [](const Tensor& x) { return softplus(x); }},
      {"softplus(2)", [](const Tensor& x) { return softplus(x, 2, 5); }},
      {"softsign", [](const Tensor& x) { return softsign(x); }},
      {"relu", [](const Tensor& x) { return relu(x); }},
      {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
      {"prelu", [](const Tensor& x) { return prelu(x, Tensor::scalar(0.25, x.dtype())); }},
      {"elu", [](const Tensor& x) { return elu(x); }},
      {"selu", [](const Tensor& x) { return selu(x); }},
      {"celu", [](const Tensor& x) { return celu(x, 2); }},
      {"gelu", [](const Tensor& x) { return gelu(x); }},
      {"gelu(tanh)", [](const Tensor& x) { return gelu(x, GeluForm::tanh); }},
      {"silu", [](const Tensor& x) { return silu(x); }},
      {"mish", [](const Tensor& x) { return mish(x); }},
      {"hardtanh", [](const Tensor& x) { return hardtanh(x); }},
      {"relu6", [](const Tensor& x) { return relu6(x); }},
      {"hardsigmoid", [](const Tensor& x) { return hardsigmoid(x); }},
      {"hardswish", [](const Tensor& x) { return hardswish(x); }},
      {"hardshrink", [](const Tensor& x) { return hardshrink(x); }},
      {"softshrink", [](const Tensor& x) { return softshrink(x); }},
      {"tanhshrink", [](const Tensor& x) { return tanhshrink(x); }},
      {"threshold", [](const Tensor& x) { return threshold(x, 0.6, -2); }},
  };
  return activations;
}

void check_near(const Tensor& got, const std::vector<double>& want, double tolerance = 1e-14) {
  const auto d = test::largest_difference(got.to_vector<double>(), want);
  CHECK_MESSAGE(d.absolute <= tolerance, d.str());
}

}  // namespace

TEST_CASE("activations have the values of their formulas at 25 digits") {
  const Tensor x = Tensor::from({-3.0, -0.5, 0.7, 4.0});
  check_near(logsigmoid(x), {-3.048587351573742, -0.9740769841801067, -0.4031860488854579, -0.01814992791780974});
  check_near(softplus(x, 2), {0.0012378425688652247, 0.1566308437591114, 0.8102087049592255, 4.000167703186448});
  check_near(softplus(x, 2, 5), {0.0012378425688652247, 0.1566308437591114, 0.8102087049592255, 4});
  check_near(softplus(x, 1, 3), {0.04858735157374206, 0.4740769841801067, 1.1031860488854579, 4});
  check_near(silu(x), {-0.14227761953270035, -0.18877033439907273, 0.46773144051771626, 3.928055160151634});
  check_near(mish(x), {-0.14564746127562458, -0.22074377465173, 0.5611483776438518, 3.9974128069762385});
  check_near(gelu(x, GeluForm::tanh),
             {-0.003637392081773019, -0.15428599017485609, 0.5305701347051167, 3.9999297540518075});
  CHECK(test::same_bits(gelu(x, GeluForm::exact).to_vector<double>(), gelu(x).to_vector<double>()));
  check_near(elu(x, 1.5), {-1.4253193974482041, -0.5902040104310499, 0.7, 4});
  check_near(selu(x), {-1.670568728767112, -0.6917581878028713, 0.7354906911488363, 4.202803949421922});
  check_near(celu(x, 2), {-1.5537396797031404, -0.44239843385719024, 0.7, 4});
  check_near(tanhshrink(x), {-2.0049452463132695, -0.03788284273999024, 0.09563222288283649, 3.0006707002609327});
  check_near(softsign(x), {-0.75, -1 / 3.0, 0.7 / 1.7, 0.8});
  check_near(leaky_relu(x, 0.1), {-0.3, -0.05, 0.7, 4});
  check_near(hardtanh(x, -2, 1), {-2, -0.5, 0.7, 1});
  check_near(relu6(x * 2), {0, 0, 1.4, 6});
  check_near(hardsigmoid(x), {0, 2.5 / 6, 3.7 / 6, 1});
  check_near(hardswish(x), {0, -0.5 * 2.5 / 6, 0.7 * 3.7 / 6, 4});
  check_near(hardshrink(x), {-3, 0, 0.7, 4});
  check_near(softshrink(x), {-2.5, 0, 0.2, 3.5});
  check_near(threshold(x, 0.7, 9), {9, 9, 9, 4});
}

TEST_CASE("activations and their gradients, first and second, are finite at any size of x") {
  for (DType dtype : {f32, f64})
    for (const Named& activation : all()) {
      CAPTURE(std::string(activation.name));
      for (double v :
           {-3e38, -1e30, -1e4, -1000.0, -100.0, -30.0, -1e-30, 0.0, 1e-40, 30.0, 100.0, 1000.0, 1e30, 3e38}) {
        CAPTURE(v);
        if (std::string(activation.name) == "softplus(2)" && std::abs(v) > 1e38) continue;  // 2 x is no f32
        const Tensor x = Tensor::from({v}).copy(dtype).requires_grad_();
        const Tensor y = activation.f(x);
        const Tensor fused = grad({y}, {x}, {}, {.retain_graph = true})[0];
        const Tensor composed = grad({y}, {x}, {}, {.create_graph = true})[0];
        CHECK(std::isfinite(y.item<double>()));
        CHECK(std::abs(fused.item<double>() - composed.item<double>()) <= 1e-6);
        if (composed.requires_grad())
          CHECK(std::isfinite(grad({composed}, {x}, {}, {.allow_unused = true})[0].item<double>()));
      }
    }
}

TEST_CASE("activations far out are their asymptotes") {
  const Tensor far = Tensor::from({-1000.0, 1000.0}), far32 = cast(far, f32);
  for (const Tensor& x : {far, far32}) {
    check_near(softplus(x), {0, 1000}, 0);
    check_near(logsigmoid(x), {-1000, 0}, 0);
    check_near(silu(x), {0, 1000}, 0);
    check_near(mish(x), {0, 1000}, 0);
    check_near(gelu(x, GeluForm::tanh), {0, 1000}, 0);
    check_near(elu(x), {-1, 1000}, 0);
    check_near(celu(x, 2), {-2, 1000}, 0);
  }
  const Tensor ends = Tensor::from({-infinity, infinity});
  for (Tensor (*f)(const Tensor&, Where) : {(Tensor(*)(const Tensor&, Where))gelu, silu, mish, relu})
    for (DType dtype : {f32, f64}) check_near(f(cast(ends, dtype), {}), {0, infinity}, 0);
}

TEST_CASE("NaN goes through every activation") {
  for (const Named& activation : all()) {
    if (std::string(activation.name) == "threshold") continue;  // PyTorch's, too, gives value
    CAPTURE(std::string(activation.name));
    for (DType dtype : {f32, f64})
      CHECK(std::isnan(activation.f(Tensor::scalar(std::numeric_limits<double>::quiet_NaN(), dtype)).item<double>()));
  }
}

TEST_CASE("activations of integers: relu stays integral, the others are f32") {
  const Tensor x = Tensor::from<std::int64_t>({-2, 3});
  for (const Named& activation : all()) {
    if (std::string(activation.name) == "prelu") continue;
    CAPTURE(std::string(activation.name));
    const bool is_relu = std::string(activation.name) == "relu";
    CHECK(activation.f(x).dtype() == (is_relu ? i64 : f32));
  }
}

TEST_CASE("the gradient at a kink is that of the left side, and 0 at both limits of hardtanh") {
  const auto slope = [](const Activation& f, double at) {
    const Tensor x = Tensor::from({at}).requires_grad_();
    return grad({f(x)}, {x})[0].item<double>();
  };
  CHECK(slope([](const Tensor& x) { return relu(x); }, 0) == 0);
  CHECK(slope([](const Tensor& x) { return leaky_relu(x, 0.1); }, 0) == 0.1);
  CHECK(slope([](const Tensor& x) { return elu(x, 1.7); }, 0) == 1.7);
  CHECK(slope([](const Tensor& x) { return hardtanh(x); }, 1) == 0);
  CHECK(slope([](const Tensor& x) { return hardtanh(x); }, -1) == 0);
  CHECK(slope([](const Tensor& x) { return relu6(x); }, 0) == 0);
}

TEST_CASE("prelu: a weight a channel, and what it refuses") {
  const Tensor x = reshape(arange(-3, 3, 1, {.dtype = f64}), {1, 2, 3}), w = Tensor::from({0.5, 0.1});
  check_near(prelu(x, w), {-1.5, -1, -0.5, 0, 1, 2});
  check_near(prelu(neg(x), w), {3, 2, 1, 0, -0.1, -0.2});
  CHECK_THROWS_WITH_AS(prelu(x, Tensor::from({1.0, 2.0, 3.0})),
                       Contains("[prelu] a weight of one element or of one for each of 2 channels"), Error);
  CHECK_THROWS_WITH_AS(prelu(x, w.as_strided({2, 1}, {1, 1})), Contains("the shape is (2, 1) for x of (1, 2, 3)"),
                       Error);
}

TEST_CASE("activations refuse options that make no function") {
  const Tensor x = ones({2});
  CHECK_THROWS_WITH_AS(softplus(x, 0), Contains("[softplus] beta must be positive: 0"), Error);
  CHECK_THROWS_WITH_AS(celu(x, -1), Contains("[celu] alpha must be positive: -1"), Error);
  CHECK_THROWS_WITH_AS(hardtanh(x, 1, 1), Contains("[hardtanh] the lower limit 1 is not below the upper one 1"), Error);
  CHECK_THROWS_WITH_AS(hardshrink(x, -0.5), Contains("[hardshrink] lambd must not be negative: -0.5"), Error);
  CHECK_THROWS_WITH_AS(softshrink(x, -0.5), Contains("[softshrink] lambd"), Error);
}
