#pragma once

#include <cstdint>

#include "ff/autograd/graph.h"
#include "ff/models/run_config.h"

namespace ff::tools {

/// Multiplications and additions of matrix products, two for each term of a sum.
struct MatrixFlops {
  double forward = 0, backward = 0;

  double step() const { return forward + backward; }
};

/// Those of computing a graph and the gradients of its leaves, by formula: of matmul, addmm, linear, convolution, and
/// of attention, where what is recomputed for the gradient counts once and masked pairs do not count if causal is true
/// of the graph's attention. Fourier attention's scores are no matrix product: its values' products alone count.
MatrixFlops matrix_flops(const autograd::Graph& graph, bool causal);

/// Those of a training step on the batches that loss is of, computed by the model that config describes.
MatrixFlops matrix_flops(const models::RunConfig& config, const Tensor& loss);

/// FLOP/s of a product of two matrices (size, size), the best of so many.
double peak_flops(std::int64_t size, int tries);

}  // namespace ff::tools
