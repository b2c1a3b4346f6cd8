#pragma once

#include "ff/nn/module.h"

namespace ff::nn {

/// Rows of weight (count, width) by index: index (i64 or i32) of any shape S to (S, width). weight starts standard
/// normal, as PyTorch's.
class Embedding : public Module {
 public:
  Embedding(std::int64_t count, std::int64_t width);
  Tensor forward(const Tensor& index) override;

  Tensor weight;
};

}  // namespace ff::nn
