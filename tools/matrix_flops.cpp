#include "tools/matrix_flops.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <vector>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"

namespace ff::tools {
namespace {

using autograd::Graph;

// The shapes of a node's inputs by number, those that need a gradient: null where one needs none.
using Inputs = std::vector<const Shape*>;

std::vector<Inputs> inputs_of(const Graph& graph) {
  std::vector<Inputs> inputs(graph.nodes.size());
  for (const Graph::Edge& edge : graph.edges) {
    Inputs& of_node = inputs[static_cast<std::size_t>(edge.to)];
    const auto index = static_cast<std::size_t>(edge.input);
    of_node.resize(std::max(of_node.size(), index + 1));
    of_node[index] =
        &graph.nodes[static_cast<std::size_t>(edge.from)].outputs[static_cast<std::size_t>(edge.output)].shape;
  }
  for (Inputs& of_node : inputs) of_node.resize(std::max<std::size_t>(of_node.size(), 3));
  return inputs;
}

double product(const Shape& shape, std::int64_t inner) {
  return 2 * static_cast<double>(shape.numel()) * static_cast<double>(inner);
}

// y = a b, whose inner dimension is the last of a and dimension `row` of b: a product for each gradient that is needed,
// each as large as the product itself.
MatrixFlops of_product(const Shape& y, const Shape* a, const Shape* b, int row) {
  const double forward = product(y, b != nullptr ? b->at(row) : a->at(-1));
  return {forward, forward * ((a != nullptr) + (b != nullptr))};
}

// weight (O, C, h, w): each output is the product of a row of it and a window.
MatrixFlops of_convolution(const Graph::Node& node, const Inputs& inputs) {
  const Shape& weight = inputs[1] != nullptr ? *inputs[1] : node.saved.at(1).shape;
  const double forward = product(node.outputs[0].shape, weight.numel() / std::max<std::int64_t>(weight[0], 1));
  return {forward, forward * ((inputs[0] != nullptr) + (inputs[1] != nullptr))};
}

// q (B, H, N, D), k (B, H, M, D), v (B, H, M, E), saved in this order. Of each pair of a query and a key: the score, D
// terms, and the value's share, E; back, the gradients of the weight and of the value, E each, of query and key, D
// each.
MatrixFlops of_attention(const Graph::Node& node, bool causal, bool scores_are_products) {
  const Shape &q = node.saved.at(0).shape, &k = node.saved.at(1).shape, &v = node.saved.at(2).shape;
  const auto queries = static_cast<double>(q[2]), keys = static_cast<double>(k[2]);
  // The last query sees all keys, and each before it one less.
  const double seen = causal ? queries * keys - queries * (queries - 1) / 2 : queries * keys;
  const double pairs = 2 * static_cast<double>(q[0] * q[1]) * seen;
  const double score = scores_are_products ? static_cast<double>(q[3]) : 0, value = static_cast<double>(v[3]);
  return {pairs * (score + value), 2 * pairs * (score + value)};
}

// The product of linear(), saved: x (R, I), weight (C, I); and its gradients, which are computed with it.
MatrixFlops of_linear_cross_entropy(const Graph::Node& node, const Inputs& inputs) {
  const Shape &x = node.saved.at(0).shape, &weight = node.saved.at(1).shape;
  const double forward = product(x, weight[0]);
  return {forward, forward * ((inputs[0] != nullptr) + (inputs[1] != nullptr))};
}

MatrixFlops of_node(const Graph::Node& node, const Inputs& in, bool causal) {
  const std::string_view op = node.op;
  if (op == "matmul") return of_product(node.outputs[0].shape, in[0], in[1], -2);
  if (op == "addmm") return of_product(node.outputs[0].shape, in[1], in[2], -2);
  if (op == "linear") return of_product(node.outputs[0].shape, in[0], in[1], -1);
  if (op == "linear_cross_entropy") return of_linear_cross_entropy(node, in);
  if (op == "convolution") return of_convolution(node, in);
  if (op == "softmax_attention") return of_attention(node, causal, true);
  if (op == "fourier_attention") return of_attention(node, causal, false);
  return {};
}

}  // namespace

MatrixFlops matrix_flops(const Graph& graph, bool causal) {
  const std::vector<Inputs> inputs = inputs_of(graph);
  MatrixFlops sum;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const MatrixFlops flops = of_node(graph.nodes[i], inputs[i], causal);
    sum.forward += flops.forward;
    sum.backward += flops.backward;
  }
  return sum;
}

MatrixFlops matrix_flops(const models::RunConfig& config, const Tensor& loss) {
  const bool causal = config.task == models::Task::language || config.vision.model.attention.causal;
  return matrix_flops(autograd::explain(loss), causal);
}

double peak_flops(std::int64_t size, int tries) {
  const NoGrad no_grad;
  const Tensor a = randn({size, size}), b = randn({size, size});
  double best = INFINITY;
  for (int i = 0; i < tries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Tensor product = matmul(a, b);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return 2 * std::pow(static_cast<double>(size), 3) / best;
}

}  // namespace ff::tools
