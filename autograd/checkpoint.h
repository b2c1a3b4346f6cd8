#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/random.h"
#include "ff/core/tensor.h"

namespace ff {

/// f(inputs), without keeping what its ops save for backward: that is computed again, all at once, when the backward
/// pass first asks for some of it. Trades time (one more forward pass of f) for memory (Chen et al. 2016, "Training
/// Deep Nets with Sublinear Memory Cost"). Random ops draw the same numbers again. f must compute the same when called
/// a second time, from inputs and from tensors it captures, such as parameters; those receive gradients as usual. What
/// it refers to must live until then.
/// Derivatives of any order, grad() and hooks work as without it. Throws Error in backward where f did something else
/// the second time, or where an input or a parameter was changed in place in between.
Tensor checkpoint(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs,
                  Where site = {});
Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& input, Where site = {});

namespace autograd {

/// What the ops of one checkpointed call saved; empty until it is asked for.
class Replay {
 public:
  using Body = std::function<Tensor(const std::vector<Tensor>&)>;

  Replay(Body body, const std::vector<Tensor>& inputs);

  /// The call to be repeated: its ops leave what they save to this object. A result that f only hands through is that.
  static Tensor record(const std::shared_ptr<Replay>& replay, const std::vector<Tensor>& inputs);
  /// The Replay that ops of this thread leave what they save to; null for most.
  static const std::shared_ptr<Replay>& current();

  /// Takes the next tensor that an op saves. Returns where it will be found, or -1 if it is to be kept by the op:
  /// inputs and other leaves live on anyway.
  int put(const Tensor& tensor);
  /// The tensor that was put there, computed again if need be.
  Tensor get(int at);
  /// It is not needed any more.
  void drop(int at);

 private:
  void repeat();

  Body body_;
  std::vector<Tensor> inputs_;
  std::vector<std::uint64_t> versions_;
  RandomKey random_;
  std::vector<Shape> shapes_;    // of what was put, in order
  std::vector<Tensor> tensors_;  // the same, once repeated; undefined where dropped
  std::size_t next_ = 0;         // while repeating
  enum { recording, recorded, repeating, repeated } state_ = recording;
};

}  // namespace autograd
}  // namespace ff
