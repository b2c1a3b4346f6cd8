#include "ff/autograd/checkpoint.h"

#include <algorithm>
#include <utility>

#include "ff/autograd/grad_mode.h"
#include "ff/core/check.h"

namespace ff {
namespace autograd {
namespace {

thread_local std::shared_ptr<Replay> active;

class Activation {
 public:
  explicit Activation(std::shared_ptr<Replay> replay) : outer_(std::exchange(active, std::move(replay))) {}
  ~Activation() { active = std::move(outer_); }
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;

 private:
  std::shared_ptr<Replay> outer_;
};

// Sets the default generator back to a state, and at the end to what it was.
class RandomState {
 public:
  explicit RandomState(RandomKey state) : outer_(default_generator().state()) { default_generator().set_state(state); }
  ~RandomState() { default_generator().set_state(outer_); }
  RandomState(const RandomState&) = delete;
  RandomState& operator=(const RandomState&) = delete;

 private:
  RandomKey outer_;
};

}  // namespace

Replay::Replay(Body body, const std::vector<Tensor>& inputs)
    : body_(std::move(body)), inputs_(inputs), random_(default_generator().state()) {
  for (const Tensor& input : inputs) versions_.push_back(input.defined() ? input.version() : 0);
}

const std::shared_ptr<Replay>& Replay::current() { return active; }

Tensor Replay::record(const std::shared_ptr<Replay>& replay, const std::vector<Tensor>& inputs) {
  const Activation on(replay);
  Tensor y = replay->body_(inputs);
  replay->state_ = recorded;
  return y;
}

int Replay::put(const Tensor& tensor) {
  if (!tensor.defined()) return -1;
  const bool input = std::any_of(inputs_.begin(), inputs_.end(), [&](const Tensor& x) { return x.is(tensor); });
  if (input || (tensor.is_leaf() && tensor.requires_grad())) return -1;
  if (state_ == recording) {
    shapes_.push_back(tensor.shape());
    return static_cast<int>(shapes_.size()) - 1;
  }
  check(next_ < shapes_.size() && shapes_[next_] == tensor.shape(), "checkpoint",
        "the function computed something else when it was called again: a tensor of shape {} in place of {}",
        tensor.shape().str(), next_ < shapes_.size() ? shapes_[next_].str() : "none");
  tensors_.push_back(tensor);
  return static_cast<int>(next_++);
}

Tensor Replay::get(int at) {
  if (state_ == recorded) repeat();
  internal_check(state_ == repeated, "a checkpoint was read while it was being recorded");
  return tensors_[static_cast<std::size_t>(at)];
}

void Replay::drop(int at) {
  if (state_ == repeated) tensors_[static_cast<std::size_t>(at)] = {};
}

void Replay::repeat() {
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    check(!inputs_[i].defined() || inputs_[i].version() == versions_[i], "checkpoint",
          "input {} of shape {} was changed in place: it is at version {}, the function was called with {}", i,
          inputs_[i].shape().str(), inputs_[i].version(), versions_[i]);
  const GradMode enabled(true);
  const RandomState same(random_);
  // The ops below save to this object and are forgotten; those of the first call read it.
  const std::shared_ptr<Replay> self(this, [](Replay*) {});
  const Activation on(self);
  state_ = repeating;
  try {
    body_(inputs_);
  } catch (...) {
    state_ = recorded, next_ = 0;
    tensors_.clear();
    throw;
  }
  check(next_ == shapes_.size(), "checkpoint",
        "the function computed something else when it was called again: {} tensors were saved, not {}", next_,
        shapes_.size());
  state_ = repeated;
  for (Tensor& tensor : tensors_) tensor = tensor.detach();
}

}  // namespace autograd

Tensor checkpoint(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs,
                  Where site) {
  if (!grad_enabled()) return f(inputs);
  const CallSite here(site, CallSite::Level::module);
  return autograd::Replay::record(std::make_shared<autograd::Replay>(f, inputs), inputs);
}

Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& input, Where site) {
  return checkpoint([f](const std::vector<Tensor>& inputs) { return f(inputs[0]); }, {input}, site);
}

}  // namespace ff
