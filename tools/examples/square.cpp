// Step 1: what y = x * x leaves behind.

#include <cstdio>

#include "ff/autograd/node.h"
#include "ff/ff.h"

int main() {
  const ff::Tensor x = ff::Tensor::from({3.0}).requires_grad_();
  const ff::Tensor y = x * x;

  const std::shared_ptr<ff::autograd::Node> node = y.grad_fn();
  std::printf("y was computed by %s, in line %d of this file\n", node->name().data(), node->site.line);
  for (const ff::autograd::Edge& edge : node->inputs)
    std::printf("  an edge to %s, which has %zu inputs of its own\n", edge.node->name().data(),
                edge.node->inputs.size());

  // Going backward is: hand each node the gradient of its output, and its answer to the nodes its edges lead to.
  const std::vector<ff::Tensor> gradients = node->backward({ff::Tensor::from({1.0})});
  std::printf("mul, given dy = 1, answers %g and %g\n", gradients[0].item<double>(), gradients[1].item<double>());

  y.backward();
  std::printf("x.grad() = %g, the sum\n", x.grad().item<double>());
}
