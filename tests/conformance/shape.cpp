// Shapes and layouts, and tensors made from nothing.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

Outputs shape_as_tensor(const Call& call) {
  const Shape& shape = call[0].shape();
  const Tensor all = Tensor::from(std::span<const std::int64_t>(shape.begin(), shape.end()), {shape.rank()});
  return slice(all, 0, call.integer("start", 0), call.integer("end", INT64_MAX));
}

// 0 keeps the size x has there, unless told otherwise.
Outputs reshaped(const Call& call) {
  Shape shape = shape_of(integers_of(call[1]));
  if (!call.integer("allowzero", 0))
    for (int i = 0; i < shape.rank(); ++i)
      if (shape[i] == 0) shape[i] = call[0].size(i);
  return reshape(call[0], shape);
}

// Two dimensions: those before the axis, and the others.
Outputs flat(const Call& call) {
  const Tensor& x = call[0];
  std::int64_t axis = call.integer("axis", 1);
  if (axis < 0) axis += x.rank();
  const std::int64_t rows =
      std::accumulate(x.shape().begin(), x.shape().begin() + axis, std::int64_t{1}, std::multiplies<>());
  return reshape(x, {rows, rows == 0 ? 0 : x.numel() / rows});
}

Outputs permuted(const Call& call) {
  std::vector<std::int64_t> backwards(static_cast<std::size_t>(call[0].rank()));
  std::iota(backwards.rbegin(), backwards.rend(), 0);
  return permute(call[0], dims_of(call.integers("perm", backwards)));
}

Outputs squeezed(const Call& call) {
  const std::vector<std::int64_t> axes = attribute_or_input(call, "axes", 1);
  return squeeze(call[0], dims_of(axes));
}

// The axes are those of the result, in any order.
Outputs unsqueezed(const Call& call) {
  std::vector<std::int64_t> axes = attribute_or_input(call, "axes", 1);
  for (std::int64_t& axis : axes)
    if (axis < 0) axis += call[0].rank() + static_cast<std::int64_t>(axes.size());
  std::sort(axes.begin(), axes.end());
  Tensor y = call[0];
  for (const std::int64_t axis : axes) y = unsqueeze(y, static_cast<int>(axis));
  return y;
}

Outputs joined(const Call& call) { return concatenate(call.inputs(), static_cast<int>(call.integer("axis", 0))); }

Outputs pieces(const Call& call) {
  const int axis = static_cast<int>(call.integer("axis", 0));
  std::vector<std::int64_t> sizes = attribute_or_input(call, "split", 1);
  if (sizes.empty()) {
    const auto count = static_cast<std::int64_t>(call.outputs());
    sizes.assign(call.outputs(), call[0].size(axis) / count);
  }
  return split(call[0], sizes, axis);
}

Outputs sliced(const Call& call) {
  const std::vector<std::int64_t> begin = integers_of(call[1]), end = integers_of(call[2]);
  Tensor y = call[0];
  for (std::size_t i = 0; i < begin.size(); ++i) {
    const auto axis = call.has(3) ? integers_of(call[3])[i] : static_cast<std::int64_t>(i);
    y = slice(y, static_cast<int>(axis), begin[i], end[i], call.has(4) ? integers_of(call[4])[i] : 1);
  }
  return y;
}

Outputs expanded(const Call& call) {
  return broadcast_to(call[0], broadcast_shapes("Expand", call[0].shape(), shape_of(integers_of(call[1]))));
}

Outputs padded(const Call& call) {
  static const std::map<std::string, PadMode> modes{
      {"constant", PadMode::constant}, {"reflect", PadMode::reflect}, {"edge", PadMode::replicate}};
  // All beginnings, then all ends; the library's are pairs, the last dimension's first.
  const std::vector<std::int64_t> given = integers_of(call[1]);
  std::vector<std::int64_t> pads;
  for (std::size_t i = given.size() / 2; i-- > 0;) {
    pads.push_back(given[i]);
    pads.push_back(given[given.size() / 2 + i]);
  }
  return pad(call[0], pads, modes.at(call.text("mode", "constant")), call.has(2) ? call[2].item<double>() : 0);
}

Outputs constant(const Call& call) {
  if (call.has("value")) return call.tensor("value");
  if (call.has("value_float")) return full({}, call.number("value_float", 0));
  if (call.has("value_int")) return full({}, static_cast<double>(call.integer("value_int", 0)), {.dtype = i64});
  if (call.has("value_floats")) {
    const std::vector<float> values = call.numbers("value_floats");
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
  }
  const std::vector<std::int64_t> values = call.integers("value_ints");
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

Outputs constant_of_shape(const Call& call) {
  const Tensor value = call.has("value") ? call.tensor("value") : full({1}, 0);
  return full(shape_of(integers_of(call[0])), value.item<double>(), {.dtype = value.dtype()});
}

Outputs range(const Call& call) {
  return arange(call[0].item<double>(), call[1].item<double>(), call[2].item<double>(), {.dtype = call[0].dtype()});
}

// Ones at the column k to the right of the row: a row of zeros and ones, shifted.
Outputs identity_like(const Call& call) {
  const std::int64_t rows = call[0].size(0), columns = call[0].size(1), k = call.integer("k", 0);
  const DType dtype = call.has("dtype") ? dtype_of_onnx(call.integer("dtype", 0)) : call[0].dtype();
  const Tensor row = arange(0, static_cast<double>(rows), 1, {.dtype = i64});
  const Tensor column = arange(0, static_cast<double>(columns), 1, {.dtype = i64});
  return cast(eq(unsqueeze(row, 1) + static_cast<double>(k), column), dtype);
}

Outputs triangle(const Call& call) {
  const std::int64_t k = call.has(1) ? call[1].item<std::int64_t>() : 0;
  return call.integer("upper", 1) ? triu(call[0], k) : tril(call[0], k);
}

// (B, C s s, H, W) to (B, C, H s, W s). DCR: the offset within a block stands before the channel.
Outputs depth_to_space(const Call& call) {
  const std::int64_t s = call.integer("blocksize", 1);
  if (call.text("mode", "DCR") == "CRD") return pixel_shuffle(call[0], s);
  const Shape& n = call[0].shape();
  const Tensor blocks = reshape(call[0], {n[0], s * s, n[1] / (s * s), n[2], n[3]});
  return pixel_shuffle(reshape(transpose(blocks, 1, 2), n), s);
}

Outputs space_to_depth(const Call& call) {
  const std::int64_t s = call.integer("blocksize", 1);
  const Shape& n = call[0].shape();
  const Tensor y = reshape(pixel_unshuffle(call[0], s), {n[0], n[1], s * s, n[2] / s, n[3] / s});
  return reshape(transpose(y, 1, 2), {n[0], n[1] * s * s, n[2] / s, n[3] / s});
}

// Each sequence of a batch reversed as far as it goes.
Outputs reverse_sequences(const Call& call) {
  const int batch = static_cast<int>(call.integer("batch_axis", 1));
  const int time = static_cast<int>(call.integer("time_axis", 0));
  const std::vector<std::int64_t> lengths = integers_of(call[1]);
  std::vector<Tensor> sequences = split(call[0], std::vector<std::int64_t>(lengths.size(), 1), batch);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const Tensor head = slice(sequences[i], time, 0, lengths[i]), tail = slice(sequences[i], time, lengths[i]);
    sequences[i] = concatenate({flip(head, {time}), tail}, time);
  }
  return concatenate(sequences, batch);
}

// 0.5 - 0.5 cos and its like: a + b cos(2 pi n / N) + c cos(4 pi n / N), n = 0 .. size - 1.
Operator window(double a, double b, double c) {
  return [=](const Call& call) {
    const double size = call[0].item<double>(), period = call.integer("periodic", 1) ? size : size - 1;
    const DType dtype = dtype_of_onnx(call.integer("output_datatype", 1));
    const Tensor angle = arange(0, size, 1, {.dtype = f64}) * (2 * M_PI / period);
    return cast(a + b * cos(angle) + c * cos(2.0 * angle), dtype);
  };
}

}  // namespace

Operators shape_operators() {
  return {{"BlackmanWindow", window(0.42, -0.5, 0.08)},
          {"Concat", joined},
          {"Constant", constant},
          {"ConstantOfShape", constant_of_shape},
          {"DepthToSpace", depth_to_space},
          {"Expand", expanded},
          {"EyeLike", identity_like},
          {"Flatten", flat},
          {"HammingWindow", window(25.0 / 46, -21.0 / 46, 0)},
          {"HannWindow", window(0.5, -0.5, 0)},
          {"Pad", padded},
          {"Range", range},
          {"Reshape", reshaped},
          {"ReverseSequence", reverse_sequences},
          {"Shape", shape_as_tensor},
          {"Size", [](const Call& call) { return full({}, static_cast<double>(call[0].numel()), {.dtype = i64}); }},
          {"Slice", sliced},
          {"SpaceToDepth", space_to_depth},
          {"Split", pieces},
          {"Squeeze", squeezed},
          {"Tile", [](const Call& call) { return repeat(call[0], shape_of(integers_of(call[1]))); }},
          {"Transpose", permuted},
          {"Trilu", triangle},
          {"Unsqueeze", unsqueezed}};
}

}  // namespace ff::conformance
