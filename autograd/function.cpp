#include "ff/autograd/function.h"

#include <algorithm>

#include "ff/autograd/anomaly.h"
#include "ff/autograd/checkpoint.h"
#include "ff/core/check.h"

namespace ff {

void Context::save(std::initializer_list<Tensor> tensors) {
  if (!recording_) return;
  for (const Tensor& tensor : tensors) saved_.push_back({tensor, tensor.defined() ? tensor.version() : 0});
}

Tensor Context::saved(std::size_t i) const {
  check(!released_, op_, "backward a second time: the tensors it saved are freed; pass retain_graph the first time");
  internal_check(i < saved_.size(), "more saved tensors read than were saved");
  const autograd::SavedTensor& saved = saved_[i];
  const Tensor tensor = tensor_of(saved);
  if (saved.output < 0) return tensor;
  Tensor output = tensor.as_strided(tensor.shape(), tensor.strides());
  if (auto node = node_.lock(); node && is_floating(output.dtype())) {
    auto& meta = autograd::meta_of(output);
    meta.requires_grad = true;
    meta.source = {node, saved.output};
    meta.hooks = node->outputs[static_cast<std::size_t>(saved.output)].hooks;
  }
  return output;
}

Tensor Context::tensor_of(const autograd::SavedTensor& saved) const {
  if (saved.replay) {
    const Tensor again = saved.replay->get(saved.replayed);
    Tensor alias = again.as_strided(again.shape(), again.strides());
    alias.meta() = saved.meta;
    return alias;
  }
  if (!saved.tensor.defined()) return {};
  check(saved.tensor.version() == saved.version, op_,
        "a tensor of shape {} saved for backward was changed in place: it is at version {}, {} was saved",
        saved.tensor.shape().str(), saved.tensor.version(), saved.version);
  return saved.tensor;
}

void Context::begin(std::string_view op, const std::vector<Tensor>& inputs) {
  op_ = op;
  if (!grad_enabled()) return;
  for (const Tensor& input : inputs) needs_grad_.push_back(input.defined() && input.requires_grad());
  recording_ = std::find(needs_grad_.begin(), needs_grad_.end(), true) != needs_grad_.end();
}

void Context::end(const std::shared_ptr<autograd::Node>& node, const std::vector<Tensor>& inputs,
                  std::vector<Tensor>& outputs) {
  if (autograd::anomaly_enabled()) autograd::check_forward(op_, inputs, outputs);
  if (!recording_) return;
  for (autograd::SavedTensor& saved : saved_) {
    const auto same = [&](const Tensor& t) { return saved.tensor.is(t); };
    const auto found = std::find_if(outputs.begin(), outputs.end(), same);
    if (!saved.tensor.defined() || found == outputs.end()) continue;
    if (std::any_of(inputs.begin(), inputs.end(), same)) continue;
    saved.output = static_cast<int>(found - outputs.begin());
    saved.tensor = saved.tensor.as_strided(saved.tensor.shape(), saved.tensor.strides());
  }
  if (const auto& replay = autograd::Replay::current()) leave_to(replay);
  node_ = node;
  autograd::record(node, inputs, outputs);
}

void Context::leave_to(const std::shared_ptr<autograd::Replay>& replay) {
  for (autograd::SavedTensor& saved : saved_) {
    const int at = replay->put(saved.tensor);
    if (at < 0) continue;
    saved.replay = replay, saved.replayed = at;
    if (saved.output < 0) saved.meta = saved.tensor.meta();
    saved.tensor = {};
  }
}

void Context::release() {
  for (const autograd::SavedTensor& saved : saved_)
    if (saved.replay) saved.replay->drop(saved.replayed);
  saved_.clear();
  released_ = true;
}

}  // namespace ff
