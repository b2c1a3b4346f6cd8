// Products of matrices.

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

Outputs general_product(const Call& call) {
  const Tensor a = call.integer("transA", 0) ? transpose(call[0], 0, 1) : call[0];
  const Tensor b = call.integer("transB", 0) ? transpose(call[1], 0, 1) : call[1];
  const double alpha = call.number("alpha", 1), beta = call.number("beta", 1);
  return call.has(2) ? addmm(call[2], a, b, beta, alpha) : alpha * matmul(a, b);
}

// By the first row: the sum of x_j times the determinant of what is left without row 0 and column j, signs in turn.
Tensor determinant(const Tensor& x) {
  const std::int64_t n = x.size(-1);
  if (n == 1) return reshape(x, Shape(std::span(x.shape().begin(), static_cast<std::size_t>(x.rank() - 2))));
  const Tensor below = slice(x, -2, 1);
  Tensor sum;
  for (std::int64_t j = 0; j < n; ++j) {
    const Tensor rest = concatenate({slice(below, -1, 0, j), slice(below, -1, j + 1)}, -1);
    const Tensor term = select(select(x, -2, 0), -1, j) * determinant(rest);
    sum = j == 0 ? term : j % 2 == 1 ? sum - term : sum + term;
  }
  return sum;
}

}  // namespace

Operators matmul_operators() {
  return {{"Det", [](const Call& call) { return determinant(call[0]); }},
          {"Einsum", [](const Call& call) { return einsum(call.text("equation", ""), call.inputs()); }},
          {"Gemm", general_product},
          {"MatMul", [](const Call& call) { return matmul(call[0], call[1]); }}};
}

}  // namespace ff::conformance
