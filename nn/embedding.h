#pragma once

#include "ff/nn/module.h"

namespace ff::nn {

struct EmbeddingOptions {
  /// Whether a step costs what the rows cost that it uses, not what the table does: keep_sparse_gradient() of weight.
  /// Its gradient has the same values either way; of the optimisers SparseAdam makes use of it.
  bool sparse = false;
};

/// Rows of weight (count, width) by index: index (i64 or i32) of any shape S to (S, width). weight starts standard
/// normal, as PyTorch's.
class Embedding : public Module {
 public:
  Embedding(std::int64_t count, std::int64_t width, const EmbeddingOptions& options = {});
  Tensor forward(const Tensor& index) override;

  Tensor weight;
};

}  // namespace ff::nn
