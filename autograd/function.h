#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/node.h"
#include "ff/autograd/profiler.h"
#include "ff/core/call_site.h"

namespace ff {

/// What the forward of a Function leaves for its backward.
class Context {
 public:
  /// Keeps tensors for backward: inputs, outputs or others. Does nothing where no gradient will be asked for. Changing
  /// one in place before backward makes saved() throw.
  void save(std::initializer_list<Tensor> tensors);
  /// The i-th tensor saved; usable in differentiable ops, for higher derivatives. Throws Error if it was changed in
  /// place since, or freed by an earlier backward().
  Tensor saved(std::size_t i) const;
  /// Whether the gradient of the i-th tensor argument is wanted.
  bool needs_grad(std::size_t i) const { return i < needs_grad_.size() && needs_grad_[i]; }
  /// Whether any gradient will be: false while nothing is recorded.
  bool recording() const { return recording_; }

 private:
  Tensor tensor_of(const autograd::SavedTensor& saved) const;
  void begin(std::string_view op, const std::vector<Tensor>& inputs);
  // Enters the op into the graph if it is recorded.
  void end(const std::shared_ptr<autograd::Node>& node, const std::vector<Tensor>& inputs,
           std::vector<Tensor>& outputs);
  void leave_to(const std::shared_ptr<autograd::Replay>& replay);
  void release();

  std::vector<autograd::SavedTensor> saved_;
  std::vector<bool> needs_grad_;
  std::weak_ptr<autograd::Node> node_;
  std::string_view op_;
  bool recording_ = false, released_ = false;
  template <class F>
  friend class Function;
};

/// Gradients of a Function's tensor arguments, in their order; undefined for one that has none.
using Gradients = std::vector<Tensor>;

/// A differentiable function: derive as `struct Exp : Function<Exp>`, with
///   static constexpr const char* name = "exp";
///   Tensor forward(Context& ctx, const Tensor& x);           // any arguments; computes, saves what backward takes
///   Gradients backward(Context& ctx, const Tensor& dy);      // one gradient for each tensor argument of forward
/// and call Exp::apply(x), or Exp::apply(site, x) from a function with an argument `Where site = {}`, so that errors
/// and the graph name the line that called it. forward and backward share an object, so that what is no tensor is kept
/// in plain members. A forward that returns a vector of tensors has a backward(Context&, const Gradients& dys),
/// undefined where a gradient is zero. backward written with differentiable ops can itself be differentiated. A
/// gradient may have the shape and dtype its argument was broadcast and promoted to: it is summed and converted to the
/// argument's own. A function of one tensor whose gradient is mostly zeros may have, besides, a `bool
/// add_backward(Context&, const Tensor& dy, const Tensor& sum)`, see autograd::Node.
template <class F>
class Function {
 public:
  template <class First, class... Rest>
  static auto apply(First&& first, Rest&&... rest) {
    if constexpr (std::is_same_v<std::remove_cvref_t<First>, Where>) {
      const CallSite here(first);
      return run_and_record(std::forward<Rest>(rest)...);
    } else {
      return run_and_record(std::forward<First>(first), std::forward<Rest>(rest)...);
    }
  }

 private:
  struct OpNode final : autograd::Node {
    F function;
    Context context;
    std::string_view name() const override { return F::name; }
    std::vector<Tensor> backward(std::vector<Tensor> grads) override {
      if constexpr (requires { function.backward(context, grads[0]); }) {
        return function.backward(context, grads[0]);
      } else {
        return function.backward(context, grads);
      }
    }
    bool add_backward(const std::vector<Tensor>& grads, const Tensor& sum) override {
      if constexpr (requires { function.add_backward(context, grads[0], sum); })
        return function.add_backward(context, grads[0], sum);
      else
        return false;
    }
    void release() override { context.release(); }
    std::span<const autograd::SavedTensor> saved() const override { return context.saved_; }
    bool released() const override { return context.released_; }
  };

  template <class... Args>
  static auto run_and_record(Args&&... args) {
    auto node = autograd::make_node<OpNode>();
    std::vector<Tensor> inputs;
    (collect(inputs, args), ...);
    const ProfileSpan span(ProfilePhase::forward, F::name, inputs);
    node->context.begin(F::name, inputs);
    auto result = [&] {
      NoGrad no_grad;
      return node->function.forward(node->context, std::forward<Args>(args)...);
    }();
    if constexpr (std::is_same_v<decltype(result), Tensor>) {
      std::vector<Tensor> outputs{std::move(result)};
      node->context.end(node, inputs, outputs);
      span.gives(outputs);
      return std::move(outputs[0]);
    } else {
      node->context.end(node, inputs, result);
      span.gives(result);
      return result;
    }
  }

  static void collect(std::vector<Tensor>& inputs, const Tensor& tensor) { inputs.push_back(tensor); }
  static void collect(std::vector<Tensor>& inputs, const std::vector<Tensor>& tensors) {
    inputs.insert(inputs.end(), tensors.begin(), tensors.end());
  }
  template <class T>
  static void collect(std::vector<Tensor>&, const T&) {}
};

}  // namespace ff
