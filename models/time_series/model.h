#pragma once

#include "ff/models/block.h"
#include "ff/models/time_series/config.h"
#include "ff/nn/containers.h"
#include "ff/nn/conv.h"
#include "ff/nn/linear.h"

namespace ff::models {

/// Classifies series (B, dimensions, steps) of up to config.length steps: logits (B, classes). A step that is NaN in
/// every dimension is not there: padding, which makes a batch of series of unequal length, changes nothing. A NaN in
/// some dimensions is a missing value, taken to be the mean. Values are standardised by `data_mean` and `data_std`,
/// which are to be those of the training data. Patches of steps become tokens by a convolution, to which learned
/// positions are added; then pre-norm blocks, which see the tokens that are there, and a head on the mean of those.
/// Parameters are named as in timm's vision transformers, and start as those here do.
class TimeSeriesTransformer : public nn::Module {
 public:
  /// Throws Error where the heads do not divide the width, or the stride leaves out steps.
  explicit TimeSeriesTransformer(const TimeSeriesModelConfig& config);
  Tensor forward(const Tensor& series) override;

  const TimeSeriesModelConfig& config() const { return config_; }
  /// Tokens that so many steps make.
  std::int64_t tokens(std::int64_t steps) const;

  Tensor data_mean, data_std;  ///< (dimensions), buffers, 0 and 1 until they are set
  nn::Conv1d patch_embed;
  Tensor pos_embed;  ///< (1, tokens(length), width)
  nn::Dropout pos_drop;
  nn::ModuleList<Block> blocks;
  nn::LayerNorm norm;
  nn::Linear head;

 private:
  Tensor present_tokens(const Tensor& missing) const;

  TimeSeriesModelConfig config_;
};

}  // namespace ff::models
