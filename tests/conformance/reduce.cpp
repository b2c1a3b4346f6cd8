// Reductions, scans, and what orders or chooses entries by their value.

#include "ff/autograd/ops/ops.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

using Reduction = std::function<Tensor(const Tensor& x, const Dims& dims, bool keepdim)>;

// f over the axes, an attribute (in newer opsets an input); integers keep their dtype.
Operator reduction(const Reduction& f) {
  return [f](const Call& call) {
    const Dims axes = dims_of(attribute_or_input(call, "axes", 1));
    const bool keep = call.integer("keepdims", 1) != 0;
    if (call.integer("noop_with_empty_axes", 0) && axes.empty()) return call[0];
    return cast(f(call[0], axes, keep), call[0].dtype());
  };
}

using Extreme = Tensor (*)(const Tensor& x, std::optional<int> dim, bool keepdim, Where);

Operator index_of(Extreme f) {
  return [f](const Call& call) {
    const int axis = static_cast<int>(call.integer("axis", 0));
    const bool keep = call.integer("keepdims", 1) != 0;
    if (!call.integer("select_last_index", 0)) return f(call[0], axis, keep, {});
    // The last of equals is the first from the other end.
    return static_cast<double>(call[0].size(axis) - 1) - f(flip(call[0], {axis}), axis, keep, {});
  };
}

Outputs running_sum(const Call& call) {
  const int axis = call[1].item<int>();
  const bool backwards = call.integer("reverse", 0) != 0;
  Tensor x = backwards ? flip(call[0], {axis}) : call[0];
  if (call.integer("exclusive", 0)) {
    const Tensor zero = zeros_like(slice(x, axis, 0, 1));
    x = concatenate({zero, slice(x, axis, 0, -1)}, axis);
  }
  const Tensor y = cast(cumsum(x, axis), x.dtype());
  return backwards ? flip(y, {axis}) : y;
}

Outputs largest(const Call& call) {
  const int axis = static_cast<int>(call.integer("axis", -1));
  call.ignore("sorted");  // they always are
  const auto [values, indices] = topk(call[0], call[1].item<std::int64_t>(), axis, call.integer("largest", 1) != 0);
  return {values, indices};
}

Operator along_axis(Tensor (*f)(const Tensor&, int, Where)) {
  return [f](const Call& call) { return f(call[0], static_cast<int>(call.integer("axis", -1)), {}); };
}

// 1 at the first largest entry, 0 elsewhere.
Tensor hard_max(const Tensor& x, int axis, Where) {
  return move_dim(cast(one_hot(argmax(x, axis), x.size(axis)), x.dtype()), -1, axis);
}

Outputs normalized_by_moments(const Call& call) {
  const Dims axes = dims_of(call.integers("axes", {0, 2, 3}));
  const Tensor centred = call[0] - mean(call[0], axes, true);
  return centred / (sqrt(mean(square(centred), axes, true)) + 1e-9);
}

}  // namespace

Operators reduce_operators() {
  const auto log_sum = [](const Tensor& x, const Dims& dims, bool keep) { return log(sum(x, dims, keep)); };
  const auto squares = [](const Tensor& x, const Dims& dims, bool keep) { return sum(square(x), dims, keep); };
  const auto norm_of = [](double p) {
    return [p](const Tensor& x, const Dims& dims, bool keep) { return norm(x, p, dims, keep); };
  };
  const auto plain = [](Tensor (*f)(const Tensor&, const Dims&, bool, Where)) {
    return reduction([f](const Tensor& x, const Dims& dims, bool keep) { return f(x, dims, keep, {}); });
  };
  return {{"ArgMax", index_of(argmax)},
          {"ArgMin", index_of(argmin)},
          {"CumSum", running_sum},
          {"Hardmax", along_axis(hard_max)},
          {"LogSoftmax", along_axis(log_softmax)},
          {"MeanVarianceNormalization", normalized_by_moments},
          {"ReduceL1", reduction(norm_of(1))},
          {"ReduceL2", reduction(norm_of(2))},
          {"ReduceLogSum", reduction(log_sum)},
          {"ReduceLogSumExp", plain(logsumexp)},
          {"ReduceMax", plain(max)},
          {"ReduceMean", plain(mean)},
          {"ReduceMin", plain(min)},
          {"ReduceProd", plain(prod)},
          {"ReduceSum", plain(sum)},
          {"ReduceSumSquare", reduction(squares)},
          {"Softmax", along_axis(softmax)},
          {"TopK", largest}};
}

}  // namespace ff::conformance
