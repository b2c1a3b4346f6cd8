#include "ff/autograd/ops/op_table.h"

#include "ff/autograd/ops/ops.h"

namespace ff {

Tensor Sampler::normal(const Shape& shape) {
  Tensor x = Tensor::empty(shape, f64);
  fill_normal(x.data<double>(), x.numel(), generator_.next(static_cast<std::uint64_t>(4 * x.numel())));
  return x;
}

Tensor Sampler::uniform(const Shape& shape, double low, double high) {
  Tensor x = Tensor::empty(shape, f64);
  fill_uniform(x.data<double>(), x.numel(), generator_.next(static_cast<std::uint64_t>(4 * x.numel())));
  return low + (high - low) * x;
}

Tensor Sampler::distinct(const Shape& shape) {
  Tensor x = Tensor::empty(shape, f64);
  const std::int64_t n = x.numel();
  double* values = x.data<double>();
  for (std::int64_t i = 0; i < n; ++i) values[i] = 0.15 * (static_cast<double>(i) - static_cast<double>(n) / 2) + 0.07;
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(values[i], values[random_bits(generator_.next(1), 0) % static_cast<std::uint64_t>(i + 1)]);
  return x;
}

const std::vector<OpRecord>& op_table() {
  static const std::vector<OpRecord> table = [] {
    std::vector<OpRecord> all;
    for (auto family : {arithmetic_ops,
                        elementwise_ops,
                        activation_ops,
                        compare_ops,
                        inplace_ops,
                        reduce_ops,
                        scan_ops,
                        sort_ops,
                        shape_ops,
                        slice_ops,
                        triangle_ops,
                        arrange_ops,
                        pad_ops,
                        join_ops,
                        indexing_ops,
                        scatter_ops,
                        search_ops,
                        subscript_ops,
                        random_ops,
                        matmul_ops,
                        einsum_ops,
                        softmax_ops,
                        layer_norm_ops,
                        rms_norm_ops,
                        norm_ops,
                        rotary_ops,
                        convolution_ops,
                        pooling_ops,
                        interpolate_ops,
                        dropout_ops,
                        glu_ops,
                        loss_ops,
                        classification_loss_ops,
                        linear_cross_entropy_ops,
                        softmax_attention_ops,
                        fourier_attention_ops})
      for (OpRecord& record : family()) all.push_back(std::move(record));
    return all;
  }();
  return table;
}

}  // namespace ff
