// Functions of the elements of one tensor.

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

Operator unary(Tensor (*f)(const Tensor&, Where)) {
  return [f](const Call& call) { return f(call[0], {}); };
}

Outputs bounded(const Call& call) {
  if (call.has(1) && call.has(2)) return clamp(call[0], call[1], call[2]);
  if (call.has(1)) return clamp_min(call[0], call[1]);
  return call.has(2) ? clamp_max(call[0], call[2]) : call[0];
}

Outputs infinite(const Call& call) {
  Tensor y = isinf(call[0]);
  if (!call.integer("detect_negative", 1)) y = logical_and(y, gt(call[0], 0.0));
  if (!call.integer("detect_positive", 1)) y = logical_and(y, lt(call[0], 0.0));
  return y;
}

// The library's selu has the constants of its paper; ONNX's may have others.
Outputs scaled_elu(const Call& call) {
  if (!call.has("alpha") && !call.has("gamma")) return selu(call[0]);
  return call.number("gamma", 1.0507010221481323) * elu(call[0], call.number("alpha", 1.6732631921768188));
}

Outputs hard_sigmoid(const Call& call) {
  return clamp(call.number("alpha", 0.2) * call[0] + call.number("beta", 0.5), 0.0, 1.0);
}

Outputs thresholded_relu(const Call& call) { return where(gt(call[0], call.number("alpha", 1)), call[0], 0.0); }

Outputs shrink(const Call& call) {
  const double lambda = call.number("lambd", 0.5), bias = call.number("bias", 0);
  if (bias == 0) return hardshrink(call[0], lambda);
  if (bias == lambda) return softshrink(call[0], lambda);
  return where(lt(call[0], -lambda), call[0] + bias, where(gt(call[0], lambda), call[0] - bias, 0.0));
}

// The slope broadcasts to the whole tensor here, not along the channels only.
Outputs sloped_relu(const Call& call) { return where(lt(call[0], 0.0), call[1] * call[0], call[0]); }

}  // namespace

Operators elementwise_operators() {
  return {{"Abs", unary(abs)},
          {"Acos", unary(acos)},
          {"Acosh", unary(acosh)},
          {"Asin", unary(asin)},
          {"Asinh", unary(asinh)},
          {"Atan", unary(atan)},
          {"Atanh", unary(atanh)},
          {"Cast", [](const Call& call) { return cast(call[0], dtype_of_onnx(call.integer("to", 0))); }},
          {"CastLike", [](const Call& call) { return cast(call[0], call[1].dtype()); }},
          {"Ceil", unary(ceil)},
          {"Celu", [](const Call& call) { return celu(call[0], call.number("alpha", 1)); }},
          {"Clip", bounded},
          {"Cos", unary(cos)},
          {"Cosh", unary(cosh)},
          {"Elu", [](const Call& call) { return elu(call[0], call.number("alpha", 1)); }},
          {"Erf", unary(erf)},
          {"Exp", unary(exp)},
          {"Floor", unary(floor)},
          {"HardSigmoid", hard_sigmoid},
          {"HardSwish", [](const Call& call) { return hardswish(call[0]); }},
          {"Identity", [](const Call& call) { return call[0]; }},
          {"IsInf", infinite},
          {"IsNaN", unary(isnan)},
          {"LeakyRelu", [](const Call& call) { return leaky_relu(call[0], call.number("alpha", 0.01)); }},
          {"Log", unary(log)},
          {"Neg", unary(neg)},
          {"Not", unary(logical_not)},
          {"PRelu", sloped_relu},
          {"Reciprocal", unary(reciprocal)},
          {"Relu", unary(relu)},
          {"Round", unary(round)},
          {"Selu", scaled_elu},
          {"Shrink", shrink},
          {"Sigmoid", unary(sigmoid)},
          {"Sign", unary(sign)},
          {"Sin", unary(sin)},
          {"Sinh", unary(sinh)},
          {"Softplus", [](const Call& call) { return softplus(call[0]); }},
          {"Softsign", unary(softsign)},
          {"Sqrt", unary(sqrt)},
          {"Tan", unary(tan)},
          {"Tanh", unary(tanh)},
          {"ThresholdedRelu", thresholded_relu}};
}

}  // namespace ff::conformance
