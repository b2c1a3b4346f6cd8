#include "ff/nn/embedding.h"

#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {

Embedding::Embedding(std::int64_t count, std::int64_t width, const EmbeddingOptions& options) {
  check(count >= 1 && width >= 1, "Embedding", "{} rows of {}; at least one of each is needed", count, width);
  weight = Tensor::empty({count, width});
  init::normal_(weight);
  add_parameter("weight", weight);
  if (options.sparse) keep_sparse_gradient(weight);
}

Tensor Embedding::forward(const Tensor& index) { return embedding(index, weight); }

}  // namespace ff::nn
