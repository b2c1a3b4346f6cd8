#include "ff/autograd/graph.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "ff/autograd/engine.h"
#include "ff/autograd/node.h"
#include "ff/core/check.h"

namespace ff::autograd {
namespace {

using NodePointer = std::shared_ptr<Node>;

// Every node that root leads to, in the order they were made.
std::vector<NodePointer> nodes_from(const NodePointer& root) {
  std::vector<NodePointer> nodes{root};
  std::unordered_set<Node*> seen{root.get()};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodePointer node = nodes[i];  // a copy: nodes grows
    for (const Edge& edge : node->inputs)
      if (edge.node && seen.insert(edge.node.get()).second) nodes.push_back(edge.node);
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  return nodes;
}

// The Euclidean norm, scaled so that squares do not overflow.
double norm_of(const std::vector<double>& values) {
  double largest = 0, sum = 0;
  for (double x : values) largest = std::isnan(x) ? x : std::max(largest, std::abs(x));
  if (largest == 0 || !std::isfinite(largest)) return largest;
  for (double x : values) sum += (x / largest) * (x / largest);
  return largest * std::sqrt(sum);
}

// Walks over a graph and writes down what is there.
class Explainer {
 public:
  Explainer(const Tensor& loss, const ExplainOptions& options)
      : loss_(loss), options_(options), nodes_(nodes_from(edge_of(loss).node)) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) index_[nodes_[i].get()] = static_cast<int>(i);
    graph_.nodes.resize(nodes_.size());
  }

  Graph explain() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) add_node(*nodes_[i], graph_.nodes[i]);
    add_leaves();
    for (std::size_t i = 0; i < nodes_.size(); ++i) add_saved(*nodes_[i], graph_.nodes[i]);
    add_edges();
    place_leaves();
    const Edge result = edge_of(loss_);
    output(result).values = values_of(loss_);
    if (options_.gradients) find_gradients();
    return std::move(graph_);
  }

 private:
  Graph::Values values_of(const Tensor& tensor) const {
    if (!tensor.defined() || tensor.numel() > options_.most_values) return {};
    return tensor.to_vector<double>();
  }

  Graph::Gradient gradient_of(const Tensor& tensor) const {
    std::vector<double> values = tensor.to_vector<double>();
    Graph::Gradient gradient{.norm = norm_of(values), .values = {}};
    if (tensor.numel() <= options_.most_values) gradient.values = std::move(values);
    return gradient;
  }

  Graph::Output& output(const Edge& edge) {
    return graph_.nodes[static_cast<std::size_t>(index_.at(edge.node.get()))]
        .outputs[static_cast<std::size_t>(edge.output)];
  }

  void add_node(const Node& node, Graph::Node& entry) {
    entry.op = node.name();
    entry.site = node.site;
    entry.scope = scope_index(node.scope.get());
    entry.released = node.released();
    for (const Node::Output& out : node.outputs)
      entry.outputs.push_back({.shape = out.shape, .dtype = out.dtype, .values = {}, .gradient = {}});
  }

  // The scope's place in the graph, entered with all around it if it is new.
  int scope_index(const Scope* scope) {
    std::vector<const Scope*> missing;
    for (; scope != nullptr && !scopes_.contains(scope); scope = scope->outer.get()) missing.push_back(scope);
    int parent = scope != nullptr ? scopes_.at(scope) : -1;
    for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
      std::string path = parent >= 0 ? graph_.scopes[static_cast<std::size_t>(parent)].path : "";
      if (!path.empty() && !(*it)->name.empty()) path += '.';
      graph_.scopes.push_back({path + (*it)->name, (*it)->type, (*it)->site, parent});
      parent = scopes_[*it] = static_cast<int>(graph_.scopes.size()) - 1;
    }
    return parent;
  }

  void add_leaves() {
    std::unordered_map<const Meta*, const std::string*> names;
    for (const auto& [name, tensor] : options_.names)
      if (tensor.defined() && tensor.meta()) names.emplace(tensor.meta().get(), &name);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Tensor leaf = nodes_[i]->leaf();
      if (!leaf.defined()) continue;
      Graph::Node& entry = graph_.nodes[i];
      entry.is_leaf = true;
      leaf_storages_.insert(leaf.storage().get());
      if (const auto found = names.find(leaf.meta().get()); found != names.end()) entry.name = *found->second;
      entry.outputs[0].values = values_of(leaf);
      if (!options_.gradients && leaf.grad().defined()) entry.outputs[0].gradient = gradient_of(leaf.grad());
    }
  }

  void add_saved(const Node& node, Graph::Node& entry) {
    for (const SavedTensor& saved : node.saved()) {
      const Tensor& tensor = saved.tensor;
      if (!tensor.defined()) continue;
      entry.saved.push_back({.shape = tensor.shape(),
                             .dtype = tensor.dtype(),
                             .bytes = static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype()),
                             .version = saved.version,
                             .version_now = tensor.version(),
                             .values = values_of(tensor)});
      const Storage* storage = tensor.storage().get();
      if (!leaf_storages_.contains(storage) && counted_.insert(storage).second) graph_.saved_bytes += storage->bytes();
      if (entry.saved.back().changed()) continue;
      // What is kept of a result tells what the result was.
      if (saved.output >= 0) {
        entry.outputs[static_cast<std::size_t>(saved.output)].values = entry.saved.back().values;
      } else if (tensor.meta() && index_.contains(tensor.meta()->source.node.get())) {
        output(tensor.meta()->source).values = entry.saved.back().values;
      }
    }
  }

  void add_edges() {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (std::size_t k = 0; k < nodes_[i]->inputs.size(); ++k)
        if (const Edge& edge = nodes_[i]->inputs[k]; edge.node)
          graph_.edges.push_back({index_.at(edge.node.get()), edge.output, static_cast<int>(i), static_cast<int>(k)});
  }

  // A leaf belongs to no module by itself: it is shown where it is used.
  void place_leaves() {
    std::vector<bool> placed(nodes_.size());
    for (const Graph::Edge& edge : graph_.edges) {
      const auto from = static_cast<std::size_t>(edge.from);
      Graph::Node& leaf = graph_.nodes[from];
      if (!leaf.is_leaf) continue;
      const int use = graph_.nodes[static_cast<std::size_t>(edge.to)].scope;
      leaf.scope = placed[from] ? common_scope(leaf.scope, use) : use;
      placed[from] = true;
    }
  }

  // The innermost scope that both are in; parents stand before their children.
  int common_scope(int a, int b) const {
    while (a != b) {
      int& inner = a > b ? a : b;
      inner = graph_.scopes[static_cast<std::size_t>(inner)].parent;
    }
    return a;
  }

  void find_gradients();

  Tensor loss_;
  const ExplainOptions& options_;
  std::vector<NodePointer> nodes_;
  std::unordered_map<const Node*, int> index_;
  std::unordered_map<const Scope*, int> scopes_;
  std::unordered_set<const Storage*> leaf_storages_, counted_;
  Graph graph_;
};

// While it lives, no leaf has a gradient, and hooks of its own are called after those of every tensor; then all is as
// it was.
class Watch {
 public:
  using See = std::function<void(std::size_t node, std::size_t output, const Tensor& gradient)>;

  Watch(const std::vector<NodePointer>& nodes, const See& see) : nodes_(nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Tensor leaf = nodes[i]->leaf();
      if (leaf.defined()) grads_.emplace_back(leaf, leaf.grad());
      for (std::size_t k = 0; k < nodes[i]->outputs.size(); ++k) {
        Hooks& hooks = *nodes[i]->outputs[k].hooks;
        ids_.push_back(next_hook_id());
        hooks.list.emplace_back(ids_.back(), [=](const Tensor& gradient) {
          see(i, k, gradient);
          return Tensor();
        });
      }
    }
    for (const auto& [leaf, grad] : grads_) meta_of(leaf).grad = {};
  }

  ~Watch() {
    auto id = ids_.begin();
    for (const NodePointer& node : nodes_)
      for (const Node::Output& output : node->outputs) {
        auto& list = output.hooks->list;
        list.erase(std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.first == *id; }));
        ++id;
      }
    for (const auto& [leaf, grad] : grads_) meta_of(leaf).grad = grad;
  }

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  const std::vector<NodePointer>& nodes_;
  std::vector<int> ids_;  // of the hooks, node by node
  std::vector<std::pair<Tensor, Tensor>> grads_;
};

void Explainer::find_gradients() {
  const Watch watch(nodes_, [this](std::size_t node, std::size_t k, const Tensor& gradient) {
    graph_.nodes[node].outputs[k].gradient = gradient_of(gradient);
  });
  ff::backward({loss_}, {}, /*retain_graph=*/true);
}

}  // namespace

Graph explain(const Tensor& loss, const ExplainOptions& options, Where site) {
  const CallSite here(site);
  check(loss.requires_grad(), "explain",
        "a tensor of shape {} has no graph: it does not require a gradient, as nothing it was computed from does",
        loss.shape().str());
  return Explainer(loss, options).explain();
}

}  // namespace ff::autograd
