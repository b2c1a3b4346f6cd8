// Step 2: the engine, without its conveniences.

#include <cstdio>
#include <map>

#include "ff/autograd/node.h"
#include "ff/ff.h"

using ff::Tensor;
using ff::autograd::Edge;
using ff::autograd::Node;

// Nodes with the gradients that have arrived at them, the one that was made last first: whatever it hands on goes to
// nodes made before it, so each is met when all of its gradient is there.
using Waiting = std::map<std::uint64_t, std::pair<std::shared_ptr<Node>, Tensor>, std::greater<>>;

void add(Waiting& waiting, const Edge& edge, const Tensor& gradient) {
  auto& [node, sum] = waiting[edge.node->sequence];
  node = edge.node;
  sum = sum.defined() ? sum + gradient : gradient;
}

// What Tensor::backward() does for ops of one result.
void backward(const Tensor& y) {
  const ff::NoGrad no_grad;
  Waiting waiting;
  add(waiting, ff::autograd::edge_of(y), ff::ones_like(y));
  while (!waiting.empty()) {
    const auto [node, gradient] = waiting.begin()->second;
    waiting.erase(waiting.begin());
    std::printf("  %-16s dy = %g\n", node->name().data(), gradient.item<double>());
    const std::vector<Tensor> results = node->backward({gradient});
    for (std::size_t i = 0; i < results.size(); ++i)
      if (node->inputs[i].node && results[i].defined()) add(waiting, node->inputs[i], results[i]);
  }
}

int main() {
  const Tensor x = Tensor::from({2.0}).requires_grad_(), w = Tensor::from({0.5}).requires_grad_();
  const Tensor h = x * w;
  const Tensor y = ff::exp(h) + h;
  std::printf("y = exp(x w) + x w at x = 2, w = 0.5\n");
  backward(y);
  std::printf("dy/dx = w (exp(x w) + 1) = %.4f, dy/dw = x (exp(x w) + 1) = %.4f\n", x.grad().item<double>(),
              w.grad().item<double>());
}
