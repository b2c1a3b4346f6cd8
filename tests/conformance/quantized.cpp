// Small integers that stand for real numbers: (q - zero point) scale.

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

// The differences from a zero point, in f64, where products and sums of 8-bit integers are exact.
Tensor centred(const Tensor& q, const Tensor& zero) {
  return zero.defined() ? cast(q, f64) - cast(zero, f64) : cast(q, f64);
}

Tensor quantize(const Tensor& x, const Tensor& scale, const Tensor& zero) {
  const Tensor q = round(x / scale);
  return cast(clamp(zero.defined() ? q + cast(zero, q.dtype()) : q, 0.0, 255.0), u8);
}

// One number for all, or one for each entry along the axis.
Tensor along_axis(const Call& call, const Tensor& parameter) {
  if (!parameter.defined() || parameter.numel() == 1) return parameter;
  Shape shape = Shape::filled(call[0].rank(), 1);
  shape[normalize_dim("QuantizeLinear", static_cast<int>(call.integer("axis", 1)), call[0].rank())] = -1;
  return reshape(parameter, shape);
}

Outputs quantized(const Call& call) {
  call.ignore("axis");
  return quantize(call[0], along_axis(call, call[1]), along_axis(call, call[2]));
}

Outputs dequantized(const Call& call) {
  call.ignore("axis");
  return cast(centred(call[0], along_axis(call, call[2])), f32) * along_axis(call, call[1]);
}

// The range of x, widened to hold 0, on the 256 integers.
Outputs quantized_to_range(const Call& call) {
  const Tensor low = clamp_max(min(call[0]), 0.0), high = clamp_min(max(call[0]), 0.0);
  const Tensor scale = (high - low) / 255.0;
  const Tensor zero = quantize(-low, scale, {});
  return {quantize(call[0], scale, zero), scale, zero};
}

Outputs convolved(const Call& call) {
  return cast(convolve(call, centred(call[0], call[2]), centred(call[1], call[3]), {}), i32);
}

Outputs multiplied(const Call& call) { return cast(matmul(centred(call[0], call[2]), centred(call[1], call[3])), i32); }

// Inputs: q, scale and zero point of each factor, then those of the result.
Operator requantized(const std::function<Tensor(const Call&, const Tensor&, const Tensor&)>& product) {
  return [product](const Call& call) {
    const Tensor y = product(call, centred(call[0], call[2]), centred(call[3], call[5]));
    return quantize(y * (call[1] * call[4]), call[6], call[7]);
  };
}

}  // namespace

Operators quantized_operators() {
  return {{"ConvInteger", convolved},
          {"DequantizeLinear", dequantized},
          {"DynamicQuantizeLinear", quantized_to_range},
          {"MatMulInteger", multiplied},
          {"QLinearConv",
           requantized([](const Call& call, const Tensor& x, const Tensor& w) { return convolve(call, x, w, {}); })},
          {"QLinearMatMul", requantized([](const Call&, const Tensor& a, const Tensor& b) { return matmul(a, b); })},
          {"QuantizeLinear", quantized}};
}

}  // namespace ff::conformance
