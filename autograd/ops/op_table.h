#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ff/core/random.h"
#include "ff/core/tensor.h"

namespace ff {

/// One way to call an op, for checks: call(inputs) is differentiated with respect to every floating input.
struct OpSample {
  std::string label;
  std::vector<Tensor> inputs;  ///< f64, away from kinks and poles; integer and boolean ones are passed on as they are
  std::function<Tensor(const std::vector<Tensor>&)> call;
};

/// Makes inputs for samples.
class Sampler {
 public:
  explicit Sampler(std::uint64_t seed) : generator_(seed) {}
  Tensor normal(const Shape& shape);
  Tensor uniform(const Shape& shape, double low, double high);
  /// Distinct values at least 0.1 apart, in random order around 0: no ties and no kinks at 0.
  Tensor distinct(const Shape& shape);

 private:
  Generator generator_;
};

/// What is known of an op: one record drives all its tests and listings.
struct OpRecord {
  std::string_view name;
  /// Whether it has a derivative; where not, going backward through it throws, or its result is not floating.
  bool differentiable = true;
  std::function<std::vector<OpSample>(Sampler&)> samples;
};

/// Every op of ops.h that is computed by a Function of its own, and the compositions that stand for a fused kernel.
const std::vector<OpRecord>& op_table();

// What each file of this folder contributes; op_table.cpp puts them together. An explicit list, since an object that
// registers itself is dropped from a static library without a word.
std::vector<OpRecord> arithmetic_ops();
std::vector<OpRecord> elementwise_ops();
std::vector<OpRecord> activation_ops();
std::vector<OpRecord> compare_ops();
std::vector<OpRecord> inplace_ops();
std::vector<OpRecord> reduce_ops();
std::vector<OpRecord> scan_ops();
std::vector<OpRecord> sort_ops();
std::vector<OpRecord> shape_ops();
std::vector<OpRecord> slice_ops();
std::vector<OpRecord> triangle_ops();
std::vector<OpRecord> arrange_ops();
std::vector<OpRecord> pad_ops();
std::vector<OpRecord> join_ops();
std::vector<OpRecord> indexing_ops();
std::vector<OpRecord> scatter_ops();
std::vector<OpRecord> search_ops();
std::vector<OpRecord> subscript_ops();
std::vector<OpRecord> random_ops();
std::vector<OpRecord> matmul_ops();
std::vector<OpRecord> einsum_ops();
std::vector<OpRecord> softmax_ops();
std::vector<OpRecord> layer_norm_ops();
std::vector<OpRecord> rms_norm_ops();
std::vector<OpRecord> norm_ops();
std::vector<OpRecord> rotary_ops();
std::vector<OpRecord> convolution_ops();
std::vector<OpRecord> pooling_ops();
std::vector<OpRecord> interpolate_ops();
std::vector<OpRecord> dropout_ops();
std::vector<OpRecord> glu_ops();
std::vector<OpRecord> loss_ops();
std::vector<OpRecord> classification_loss_ops();
std::vector<OpRecord> linear_cross_entropy_ops();
std::vector<OpRecord> softmax_attention_ops();
std::vector<OpRecord> fourier_attention_ops();

}  // namespace ff
