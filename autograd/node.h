#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ff/autograd/scope.h"
#include "ff/core/call_site.h"
#include "ff/core/pieces.h"
#include "ff/core/tensor.h"

namespace ff::autograd {

class Node;
class Replay;

/// Where the gradient of an op's input goes: to output `output` of `node`, which computed that input. No node: nowhere.
struct Edge {
  std::shared_ptr<Node> node;
  int output = 0;
};

/// Functions called, in order, with the gradient of one tensor.
struct Hooks {
  using Hook = std::function<Tensor(const Tensor&)>;
  std::vector<std::pair<int, Hook>> list;
};

/// A tensor kept for backward(), and the version it had then.
struct SavedTensor {
  Tensor tensor;
  std::uint64_t version = 0;
  int output = -1;  ///< an output of the op itself, kept without its graph: the node must not keep itself alive
  std::shared_ptr<Replay> replay{};  ///< of a checkpoint, which has the tensor in its place
  int replayed = -1;                 ///< where
  std::shared_ptr<Meta> meta{};      ///< what autograd knew of a tensor that a checkpoint has
};

/// An op that was computed, as backward() meets it: takes the gradients of its outputs, gives those of its inputs.
class Node : public std::enable_shared_from_this<Node> {
 public:
  /// What is known of an output: its gradient must have this shape and dtype.
  struct Output {
    Shape shape;
    DType dtype;
    std::shared_ptr<Hooks> hooks;
  };

  Node() = default;
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual std::string_view name() const = 0;
  /// grads has one entry an output, undefined for zero; the result one an input, likewise.
  virtual std::vector<Tensor> backward(std::vector<Tensor> grads) = 0;
  /// Adds the gradient of the only input that needs one to sum, in place; false, and nothing is done, where backward()
  /// must give it. For ops whose gradient is zero but in some places, with no need to fill the others. Calls
  /// touch_rows() where the places are rows.
  virtual bool add_backward(const std::vector<Tensor>& /*grads*/, const Tensor& /*sum*/) { return false; }
  /// Frees the tensors saved for backward().
  virtual void release() {}
  /// What is kept for backward(), until it is freed.
  virtual std::span<const SavedTensor> saved() const { return {}; }
  virtual bool released() const { return false; }
  /// The leaf whose gradient is accumulated here; undefined in the node of an op.
  virtual Tensor leaf() const { return {}; }

  std::vector<Edge> inputs;
  std::vector<Output> outputs;
  /// Larger than that of any node the inputs come from, so that descending order is a topological one.
  std::uint64_t sequence = 0;
  Where site = Where::unknown();       ///< the line that called the op
  std::shared_ptr<const Scope> scope;  ///< the module call that it was computed in
};

/// Makes a node that is destroyed without recursion, however long the chain of nodes that it alone keeps alive: a
/// million ops must not take a million stack frames.
template <class N, class... Args>
std::shared_ptr<N> make_node(Args&&... args);

void destroy_iteratively(Node* node) noexcept;

template <class N, class... Args>
std::shared_ptr<N> make_node(Args&&... args) {
  return std::shared_ptr<N>(new N(std::forward<Args>(args)...), destroy_iteratively);
}

/// The elements of a gradient that may not be zero, as they were at a version of it.
struct Touched {
  std::vector<Run> runs;  ///< ascending and apart, of whole rows
  std::uint64_t version;
};

/// What autograd knows of a tensor.
struct Meta {
  bool requires_grad = false;
  Edge source;                      ///< the op that computed it; none for a leaf
  Tensor grad;                      ///< accumulated by backward()
  std::weak_ptr<Node> accumulator;  ///< a leaf's: the node that adds to grad
  std::shared_ptr<Hooks> hooks;
  std::vector<std::pair<int, std::function<void(const Tensor&)>>> accumulated;  ///< called after grad was added to
  bool sparse_gradient = false;
  std::vector<Tensor> zeros;       ///< of a leaf that keeps a sparse gradient (sparse_gradient.h): for its next ones
  std::optional<Touched> touched;  ///< of such a leaf's gradient
};

/// A number for a hook, used once.
int next_hook_id();

/// The meta of a tensor, made if there is none.
Meta& meta_of(const Tensor& tensor);

/// Where the gradient of tensor goes: to the op that computed it, or to its accumulator; nowhere if it needs none.
Edge edge_of(const Tensor& tensor);

/// Enters node into the graph: as consumer of inputs and source of those of outputs that are floating.
void record(const std::shared_ptr<Node>& node, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs);

/// Gives x, whose elements were overwritten with those of result, result's place in the graph: x is no leaf from then
/// on. Its hooks so far stay with what it was.
void rebase(const Tensor& x, const Tensor& result);

}  // namespace ff::autograd
