#include "ff/autograd/functional.h"

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

using Tensors = std::vector<Tensor>;

void check_close(const Tensor& got, const Tensor& want, double limit = 1e-13) {
  REQUIRE(got.shape() == want.shape());
  const auto d = test::largest_difference(got.to_vector<double>(), want.to_vector<double>(), want.shape());
  CHECK_MESSAGE(d.relative <= limit, d.str());
}

const Tensor A = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6}, {2, 3});
const Tensor x = Tensor::from({0.5, -1.0, 2.0}), u = Tensor::from({1.0, 10.0}), v = Tensor::from({1.0, -2.0, 0.5});

// x^T S x / 2 + sum(x^3), whose Hessian is S + 6 diag(x), S = A^T A.
Tensor cubic(const Tensors& in) { return sum(square(matmul(A, in[0]))) / 2 + sum(in[0] * in[0] * in[0]); }
Tensor cubic_hessian() { return matmul(transpose(A, 0, 1), A) + eye(3, {.dtype = f64}) * (6 * x); }

}  // namespace

TEST_CASE("jacobian of a linear map and of an elementwise function") {
  const auto j = jacobian([](const Tensors& in) { return matmul(A, in[0]) + sum(in[1]); }, {x, u});
  check_close(j[0], A);
  check_close(j[1], ones({2, 2}, {.dtype = f64}));
  check_close(jacobian([](const Tensors& in) { return exp(in[0]); }, {x})[0], eye(3, {.dtype = f64}) * exp(x));
  // A scalar function: the gradient. An input that is not used: zeros. No elements: none.
  const auto s = jacobian([](const Tensors& in) { return sum(square(in[0])); }, {x, u});
  check_close(s[0], 2 * x);
  check_close(s[1], zeros({2}, {.dtype = f64}));
  CHECK(jacobian([](const Tensors& in) { return slice(in[0], 0, 0, 0); }, {x})[0].shape() == Shape{0, 3});
  CHECK(jacobian([](const Tensors&) { return A; }, {x})[0].shape() == Shape{2, 3, 3});
}

TEST_CASE("hessian, hvp and vhp of a cubic") {
  check_close(hessian(cubic, {x})[0][0], cubic_hessian());
  check_close(hvp(cubic, {x}, {v}).inputs[0], matmul(cubic_hessian(), v));
  const Derivative product = vhp(cubic, {x}, {v});
  check_close(product.inputs[0], matmul(v, cubic_hessian()));
  check_close(product.value, cubic({x}));
  CHECK(!product.inputs[0].requires_grad());
  // Mixed blocks: f = sum(x) sum(u)^2.
  const auto h = hessian([](const Tensors& in) { return sum(in[0]) * square(sum(in[1])); }, {x, u});
  check_close(h[0][0], zeros({3, 3}, {.dtype = f64}));
  check_close(h[0][1], full({3, 2}, 22, {.dtype = f64}));
  check_close(h[1][0], full({2, 3}, 22, {.dtype = f64}));
  check_close(h[1][1], full({2, 2}, 3, {.dtype = f64}));
}

TEST_CASE("vjp and jvp are the two products with the Jacobian") {
  auto f = [](const Tensors& in) { return tanh(matmul(A, in[0])); };
  const Tensor j = jacobian(f, {x})[0];
  check_close(vjp(f, {x}, u).inputs[0], matmul(u, j));
  check_close(jvp(f, {x}, {v}).inputs[0], matmul(j, v));
  // A linear function has a constant Jacobian; one without inputs has none.
  check_close(jvp([](const Tensors& in) { return matmul(A, in[0]); }, {x}, {v}).inputs[0], matmul(A, v));
  check_close(jvp([](const Tensors&) { return u; }, {x}, {v}).inputs[0], zeros({2}, {.dtype = f64}));
}

TEST_CASE("derivatives that are differentiated again") {
  const Tensor y = x.copy().requires_grad_();
  const Tensor j = jacobian([](const Tensors& in) { return in[0] * in[0]; }, {y}, true)[0];  // 2 diag(y)
  check_close(grad({sum(square(j))}, {y})[0], 8 * x);
  const Tensor h = hessian(cubic, {y}, true)[0][0];
  check_close(grad({sum(h)}, {y})[0], full({3}, 6, {.dtype = f64}));
  const Tensor product = hvp(cubic, {y}, {v}, true).inputs[0];
  check_close(grad({sum(product)}, {y})[0], 6 * v);
}

TEST_CASE("functional derivatives: bad arguments") {
  CHECK_THROWS_WITH_AS(hessian([](const Tensors& in) { return in[0]; }, {x}), doctest::Contains("gives a scalar"),
                       Error);
  CHECK_THROWS_WITH_AS(vjp(cubic, {x}, v),
                       doctest::Contains("[vjp] a vector of shape (3,) given for a value of shape ()"), Error);
  CHECK_THROWS_WITH_AS(hvp(cubic, {x}, {u}), doctest::Contains("vector 0 is (2,) f64, its input (3,) f64"), Error);
  CHECK_THROWS_WITH_AS(jacobian(cubic, {Tensor::from<std::int64_t>({1})}), doctest::Contains("which has no derivative"),
                       Error);
}
