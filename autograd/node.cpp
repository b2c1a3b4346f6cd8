#include "ff/autograd/node.h"

#include <algorithm>
#include <atomic>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"

namespace ff::autograd {
namespace {

std::atomic<std::uint64_t> next_sequence{1};

// The end of the graph at a leaf: adds what arrives to the leaf's gradient.
class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& leaf) : leaf_(leaf) {
    outputs = {{leaf.shape(), leaf.dtype(), leaf.meta()->hooks}};
    sequence = next_sequence++;
  }
  std::string_view name() const override { return "accumulate_grad"; }

  std::vector<Tensor> backward(std::vector<Tensor> grads) override {
    Tensor grad = std::move(grads[0]);
    if (!grad.defined()) return {};
    add(std::move(grad));
    const auto hooks = meta_of(leaf_).accumulated;  // a hook may remove itself
    for (const auto& [id, hook] : hooks) hook(leaf_);
    return {};
  }

  Tensor leaf() const override { return leaf_; }

 private:
  void add(Tensor grad) {
    Tensor& sum = meta_of(leaf_).grad;
    if (grad_enabled()) {
      sum = sum.defined() ? sum + grad : grad;
    } else if (sum.defined() && sum.is_contiguous()) {
      add_touched(sum, grad.dense());
      give_back(leaf_, std::move(grad));
    } else if (sum.defined()) {
      sum = sum + grad;
    } else {
      // The gradient is taken over where nobody else has it: another leaf may have been handed the same tensor.
      sum = grad.sole() && grad.is_contiguous() ? std::move(grad) : grad.copy();
    }
  }

  Tensor leaf_;
};

}  // namespace

void destroy_iteratively(Node* node) noexcept {
  // Destroying a node may drop the last reference to others; those wait here until it is done.
  thread_local std::vector<Node*> waiting;
  thread_local bool draining = false;
  waiting.push_back(node);
  if (draining) return;
  draining = true;
  while (!waiting.empty()) {
    Node* next = waiting.back();
    waiting.pop_back();
    delete next;
  }
  draining = false;
}

int next_hook_id() {
  static std::atomic<int> next{0};
  return next++;
}

Meta& meta_of(const Tensor& tensor) {
  auto& meta = tensor.meta();
  if (!meta) meta = std::make_shared<Meta>();
  return *meta;
}

Edge edge_of(const Tensor& tensor) {
  if (!tensor.defined() || !tensor.requires_grad()) return {};
  Meta& meta = meta_of(tensor);
  if (meta.source.node) return meta.source;
  std::shared_ptr<Node> accumulator = meta.accumulator.lock();
  if (!accumulator) {
    if (!meta.hooks) meta.hooks = std::make_shared<Hooks>();
    accumulator = make_node<AccumulateGrad>(tensor);
    meta.accumulator = accumulator;
  }
  return {accumulator, 0};
}

void record(const std::shared_ptr<Node>& node, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs) {
  for (const Tensor& input : inputs) node->inputs.push_back(edge_of(input));
  node->sequence = next_sequence++;
  node->site = CallSite::current();
  node->scope = current_scope();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Tensor& output = outputs[i];
    auto hooks = std::make_shared<Hooks>();
    node->outputs.push_back({output.shape(), output.dtype(), hooks});
    if (!is_floating(output.dtype())) continue;
    // What is handed through must not become a result of this node itself.
    const bool input = std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& x) { return x.is(output); });
    if (input || output.meta()) output = output.as_strided(output.shape(), output.strides());
    Meta& meta = meta_of(output);
    meta.requires_grad = true;
    meta.source = {node, static_cast<int>(i)};
    meta.hooks = hooks;
  }
}

void rebase(const Tensor& x, const Tensor& result) {
  Meta& meta = meta_of(x);
  const Meta& from = meta_of(result);
  meta.requires_grad = from.requires_grad;
  meta.source = from.source;
  meta.hooks = from.hooks;
}

}  // namespace ff::autograd
