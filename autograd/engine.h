#pragma once

#include <vector>

#include "ff/core/tensor.h"

namespace ff {

/// Options of grad().
struct GradOptions {
  bool retain_graph = false;  ///< keep what was saved, for another pass
  bool create_graph = false;  ///< record the pass itself, for higher derivatives; retains the graph
  bool allow_unused =
      false;  ///< give an undefined gradient for an input that the outputs do not depend on, not an error
};

/// Gradients of the sum of outputs, each weighted by its grad_outputs entry (undefined or left out: ones, for scalars
/// only), with respect to inputs; no tensor's grad() is touched. Throws Error where an input does not require a
/// gradient, or is not used and allow_unused is not set.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs = {}, const GradOptions& options = {},
                         Where site = {});

/// Tensor::backward() of several tensors at once.
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs = {},
              bool retain_graph = false, bool create_graph = false, Where site = {});

}  // namespace ff
