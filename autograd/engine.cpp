#include "ff/autograd/engine.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ff/autograd/anomaly.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/node.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/profiler.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"
#include "ff/core/cpu/elementwise.h"

namespace ff {
namespace autograd {
namespace {

// One pass over the graph. Nodes are met in descending sequence: when one is reached, all that its outputs went into
// are done, and its gradients are complete.
class Pass {
 public:
  Pass(const std::vector<Edge>& roots, std::vector<Tensor> seeds, bool retain_graph) : retain_graph_(retain_graph) {
    find_nodes(roots);
    for (std::size_t i = 0; i < roots.size(); ++i) add(roots[i], std::move(seeds[i]));
  }

  // Adds to the gradient of every leaf.
  void accumulate() {
    accumulating_ = true;
    for (Node* node : nodes_) run(*node);
  }

  // The gradients of targets alone; nothing is accumulated.
  std::vector<Tensor> gradients_of(const std::vector<Edge>& targets) {
    std::unordered_map<Node*, std::vector<std::size_t>> wanted;
    for (std::size_t i = 0; i < targets.size(); ++i) wanted[targets[i].node.get()].push_back(i);
    const auto leads_there = nodes_leading_to(wanted);
    std::vector<Tensor> result(targets.size());
    for (Node* node : nodes_) {
      if (const auto found = wanted.find(node); found != wanted.end()) {
        call_hooks(*node);
        for (std::size_t i : found->second) result[i] = gradient(*node, targets[i].output);
      }
      if (leads_there.contains(node))
        run(*node);
      else
        gradients_.erase(node);
    }
    return result;
  }

 private:
  void find_nodes(const std::vector<Edge>& roots) {
    std::unordered_set<Node*> seen;
    auto visit = [&](const Edge& edge) {
      if (edge.node && seen.insert(edge.node.get()).second) nodes_.push_back(edge.node.get());
    };
    for (const Edge& root : roots) visit(root);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (const Edge& edge : nodes_[i]->inputs) visit(edge);
    std::sort(nodes_.begin(), nodes_.end(), [](const Node* a, const Node* b) { return a->sequence > b->sequence; });
  }

  // Nodes that must be run for a gradient to reach a wanted one further down.
  std::unordered_set<Node*> nodes_leading_to(const std::unordered_map<Node*, std::vector<std::size_t>>& wanted) const {
    std::unordered_set<Node*> leading;
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it)
      for (const Edge& edge : (*it)->inputs)
        if (edge.node && (wanted.contains(edge.node.get()) || leading.contains(edge.node.get()))) {
          leading.insert(*it);
          break;
        }
    return leading;
  }

  void add(const Edge& edge, Tensor gradient) {
    auto& slots = gradients_[edge.node.get()];
    slots.resize(edge.node->outputs.size());
    Tensor& slot = slots[static_cast<std::size_t>(edge.output)];
    slot = slot.defined() ? sum_of(std::move(slot), gradient) : std::move(gradient);
  }

  // In place where nobody else has the first term and nothing is recorded: then nobody can tell.
  static Tensor sum_of(Tensor sum, const Tensor& term) {
    if (grad_enabled() || !sum.sole() || !sum.is_contiguous() || !term.is_contiguous()) return sum + term;
    cpu::axpy(sum.dtype(), sum.numel(), 1.0, term.raw(), sum.raw());
    sum.bump_version();
    return sum;
  }

  Tensor gradient(Node& node, int output) {
    const auto found = gradients_.find(&node);
    return found == gradients_.end() ? Tensor() : found->second[static_cast<std::size_t>(output)];
  }

  void call_hooks(Node& node) {
    const auto found = gradients_.find(&node);
    if (found == gradients_.end() || !hooked_.insert(&node).second) return;
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      Tensor& gradient = found->second[i];
      if (!gradient.defined() || !node.outputs[i].hooks) continue;
      const auto hooks = node.outputs[i].hooks->list;  // a hook may remove itself
      for (const auto& [id, hook] : hooks)
        if (Tensor changed = hook(gradient); changed.defined())
          gradient = fit(node, node.outputs[i], std::move(changed));
    }
  }

  void run(Node& node) {
    if (!gradients_.contains(&node)) return;
    if (std::any_of(node.outputs.begin(), node.outputs.end(),
                    [](auto& o) { return o.hooks && !o.hooks->list.empty(); }))
      call_hooks(node);
    std::vector<Tensor> gradients = std::move(gradients_.extract(&node).mapped());
    // What goes wrong, and what is recorded, belongs to the line that computed the op and to its module.
    const CallSite computed_at(node.site, CallSite::Level::replay);
    const ScopeGuard scope(node.scope);
    const ProfileSpan span(ProfilePhase::backward, node.name(), gradients);
    if (span.recorded())
      for (const SavedTensor& saved : node.saved()) span.reads(saved.tensor);
    if (added_in_place(node, gradients)) {
      if (!retain_graph_) node.release();
      return;
    }
    std::vector<Tensor> results =
        anomaly_enabled() ? checked_backward(node, gradients) : node.backward(std::move(gradients));
    span.gives(results);
    if (!retain_graph_) node.release();
    check(results.size() <= node.inputs.size(), node.name(), "backward gave {} gradients for {} inputs", results.size(),
          node.inputs.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Edge& edge = node.inputs[i];
      if (!edge.node || !results[i].defined()) continue;
      add(edge, fit(node, edge.node->outputs[static_cast<std::size_t>(edge.output)], std::move(results[i])));
    }
  }

  // Whether the gradient of node's only input that needs one was added to what is there of it already. A sum that
  // somebody else has is not touched, and none is changed that a graph may be asked of, or that is watched.
  bool added_in_place(Node& node, const std::vector<Tensor>& gradients) {
    if (grad_enabled() || anomaly_enabled()) return false;
    const Edge* target = nullptr;
    for (const Edge& edge : node.inputs) {
      if (!edge.node) continue;
      if (target != nullptr) return false;
      target = &edge;
    }
    if (target == nullptr) return false;
    const auto found = gradients_.find(target->node.get());
    if (found == gradients_.end()) return begun_in_place(node, gradients, *target);
    const Tensor& sum = found->second[static_cast<std::size_t>(target->output)];
    return sum.defined() && sum.sole() && sum.is_contiguous() && add_in_place(node, gradients, sum);
  }

  static bool add_in_place(Node& node, const std::vector<Tensor>& gradients, const Tensor& sum) {
    const std::uint64_t before = sum.version();
    if (!node.add_backward(gradients, sum)) return false;
    if (sum.version() == before) sum.bump_version();  // anywhere, for all that is known
    return true;
  }

  // Whether the gradient of a leaf that keeps a sparse one was begun, in zeros that are there already.
  bool begun_in_place(Node& node, const std::vector<Tensor>& gradients, const Edge& target) {
    if (!accumulating_) return false;
    const Tensor leaf = target.node->leaf();
    Tensor sum = take_zeros(leaf);
    if (!sum.defined()) return false;
    const bool added = add_in_place(node, gradients, sum);
    added ? add(target, std::move(sum)) : give_back(leaf, std::move(sum));
    return added;
  }

  // The gradient of a broadcast or converted tensor, in the tensor's own shape and dtype.
  static Tensor fit(const Node& node, const Node::Output& target, Tensor gradient) {
    if (!(gradient.shape() == target.shape)) {
      const bool broadcast = gradient.rank() >= target.shape.rank() && [&] {
        for (int i = 1; i <= target.shape.rank(); ++i) {
          const auto t = target.shape[target.shape.rank() - i];
          if (t != 1 && t != gradient.shape()[gradient.rank() - i]) return false;
        }
        return true;
      }();
      check(broadcast, node.name(), "backward gave a gradient of shape {} for an input of shape {}",
            gradient.shape().str(), target.shape.str());
      gradient = sum_to(gradient, target.shape);
    }
    return cast(gradient, target.dtype);
  }

  bool retain_graph_, accumulating_ = false;
  std::vector<Node*> nodes_;  // descending sequence
  std::unordered_map<Node*, std::vector<Tensor>> gradients_;
  std::unordered_set<Node*> hooked_;
};

// The gradients that a pass starts from: ones for scalars where none are given.
std::vector<Tensor> seeds_of(const char* op, const std::vector<Tensor>& outputs, const std::vector<Tensor>& given) {
  check(given.empty() || given.size() == outputs.size(), op, "{} gradients given for {} outputs", given.size(),
        outputs.size());
  std::vector<Tensor> seeds;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& output = outputs[i];
    check(output.requires_grad(), op,
          "a tensor of shape {} does not require a gradient: nothing it was computed from does", output.shape().str());
    if (i < given.size() && given[i].defined()) {
      check(given[i].shape() == output.shape(), op, "gradient of shape {} given for an output of shape {}",
            given[i].shape().str(), output.shape().str());
      check(given[i].dtype() == output.dtype(), op, "gradient of dtype {} given for an output of dtype {}",
            ff::name(given[i].dtype()), ff::name(output.dtype()));
      seeds.push_back(given[i]);
    } else {
      check(output.numel() == 1, op, "a gradient must be given for an output that is not a scalar: shape {}",
            output.shape().str());
      seeds.push_back(ones(output.shape(), {.dtype = output.dtype()}));
    }
  }
  return seeds;
}

std::vector<Edge> edges_of(const std::vector<Tensor>& tensors) {
  std::vector<Edge> edges;
  for (const Tensor& tensor : tensors) edges.push_back(edge_of(tensor));
  return edges;
}

}  // namespace
}  // namespace autograd

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs, const GradOptions& options, Where site) {
  const CallSite here(site);
  std::vector<Tensor> seeds = autograd::seeds_of("grad", outputs, grad_outputs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i].requires_grad(), "grad", "input {} of shape {} does not require a gradient", i,
          inputs[i].shape().str());
  GradMode mode(options.create_graph);
  const std::vector<autograd::Edge> roots = autograd::edges_of(outputs);  // they alone hold the node of a leaf
  autograd::Pass pass(roots, std::move(seeds), options.retain_graph || options.create_graph);
  std::vector<Tensor> result = pass.gradients_of(autograd::edges_of(inputs));
  for (std::size_t i = 0; i < result.size(); ++i)
    check(result[i].defined() || options.allow_unused, "grad", "the outputs do not depend on input {} of shape {}", i,
          inputs[i].shape().str());
  return result;
}

void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs, bool retain_graph,
              bool create_graph, Where site) {
  const CallSite here(site);
  std::vector<Tensor> seeds = autograd::seeds_of("backward", outputs, grad_outputs);
  GradMode mode(create_graph);
  autograd::Pass(autograd::edges_of(outputs), std::move(seeds), retain_graph || create_graph).accumulate();
}

}  // namespace ff
