#pragma once

#include <string_view>
#include <vector>

#include "ff/core/tensor.h"

namespace ff {

/// While it lives, the first NaN or infinity that an op computes in this thread, forward or backward, throws an Error
/// that names the op, the line that called it, the shapes, and the statistics of what it was computed from. Every
/// result is read once more, which costs a little time.
class DetectAnomaly {
 public:
  /// check_infinity = false lets infinities pass, as masks of -inf make them.
  explicit DetectAnomaly(bool check_infinity = true);
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  int outer_;
};

namespace autograd {

class Node;

/// Whether a DetectAnomaly lives.
bool anomaly_enabled();
/// Throws Error if an output of the op is not finite.
void check_forward(std::string_view op, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);
/// node.backward(grads). Throws Error if a gradient that it gives is not finite; the ops it is made of are not looked
/// at one by one.
std::vector<Tensor> checked_backward(Node& node, const std::vector<Tensor>& grads);

}  // namespace autograd
}  // namespace ff
