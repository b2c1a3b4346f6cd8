#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/named_tensors.h"

namespace ff::autograd {

/// A graph as plain data: what was computed and from what, where in the program and in which module, what is kept for
/// backward(), and the gradients. It holds no tensors. explain() makes one, to_html() and others show it.
struct Graph {
  /// The elements of a small tensor, in row-major order; none where it is larger, or nobody holds it any more.
  using Values = std::optional<std::vector<double>>;

  /// The gradient of one tensor.
  struct Gradient {
    double norm = 0;  ///< its Euclidean length
    Values values;
  };

  /// What a node computed; of a leaf's node: the leaf.
  struct Output {
    Shape shape;
    DType dtype = f32;
    Values values;
    std::optional<Gradient> gradient;
  };

  /// A tensor that is kept for backward().
  struct Saved {
    Shape shape;
    DType dtype = f32;
    std::uint64_t bytes = 0;
    std::uint64_t version = 0;      ///< the version that was saved
    std::uint64_t version_now = 0;  ///< another one where it was changed in place since
    Values values;

    bool changed() const { return version != version_now; }
  };

  struct Node {
    std::string op;        ///< "matmul"; "accumulate_grad" of a leaf
    bool is_leaf = false;  ///< where gradients end up: a parameter, or another tensor that requires a gradient
    std::string name;      ///< a leaf's, if ExplainOptions::names has it
    Where site = Where::unknown();
    int scope = -1;  ///< in scopes; -1: outside of all. A leaf is in the innermost one that all its uses are in
    std::vector<Output> outputs;
    std::vector<Saved> saved;
    bool released = false;  ///< what it saved was freed by a backward()
  };

  /// Output `output` of node `from` is input `input` of node `to`.
  struct Edge {
    int from = 0, output = 0, to = 0, input = 0;
  };

  /// One call of a module.
  struct Scope {
    std::string path;  ///< from the outermost module down: "blocks.0.attn"; empty for the outermost itself
    std::string type;  ///< "MultiHeadAttention"
    Where site = Where::unknown();
    int parent = -1;
  };

  std::vector<Node> nodes;    ///< in the order they were computed in; backward() goes through them from the last on
  std::vector<Edge> edges;    ///< by `to`, then `input`
  std::vector<Scope> scopes;  ///< each after its parent
  /// Memory that saved tensors keep alive, each block once, those of leaves not counted.
  std::uint64_t saved_bytes = 0;
};

struct ExplainOptions {
  NamedTensors names = {};        ///< what leaves are called: the parameters() of a module
  bool gradients = false;         ///< find the gradient of every node, by a backward pass of its own
  std::int64_t most_values = 64;  ///< the elements of tensors of up to so many are part of the Graph
};

/// The graph that loss was computed by. With options.gradients a backward pass is made (loss must be a scalar), which
/// keeps the graph and touches no grad(), but calls the hooks of tensors; without, leaves show the grad() that they
/// have. Both before and after loss.backward(), though a backward() that did not retain the graph has freed what was
/// saved. Throws Error where loss requires no gradient, or gradients are asked for after the graph was freed.
Graph explain(const Tensor& loss, const ExplainOptions& options = {}, Where site = {});

/// Graphviz's language: `dot -Tsvg`. Modules are clusters.
std::string to_dot(const Graph& graph);

/// {"nodes": [..], "edges": [..], "scopes": [..], "saved_bytes": ..}, named as in Graph; numbers that JSON lacks are
/// "nan", "inf" and "-inf".
std::string to_json(const Graph& graph);

/// A page that shows the graph, one file that needs nothing else: modules open and close, and one can walk through the
/// nodes in the order of computation and back. For up to a few thousand nodes.
std::string to_html(const Graph& graph, const std::string& title = "Graph");

}  // namespace ff::autograd
