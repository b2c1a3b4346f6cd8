// An optimiser's state as a map of tensors, and back.

#include "ff/core/check.h"
#include "ff/optim/optimizer.h"

namespace ff::optim {
namespace {

// The groups' learning rates. A parameter's entries have a dot, so no name can be taken for it.
const std::string lr_name = "lr";

Tensor counter(std::int64_t step) { return Tensor::from(std::vector<std::int64_t>{step}, {}); }

}  // namespace

TensorMap Optimizer::state_dict() const {
  TensorMap state;
  std::vector<double> rates;
  for (const Group& group : groups_) rates.push_back(group.lr);
  state.emplace(lr_name, Tensor::from(rates, {std::ssize(rates)}));
  for (const auto& [name, of_parameter] : states_) {
    state.emplace(name + ".step", counter(of_parameter.step));
    for (std::size_t i = 0; i < slots_.size(); ++i)
      state.emplace(name + "." + slots_[i], of_parameter.slots[i].detach());
  }
  return state;
}

void Optimizer::load_state_dict(const TensorMap& state) {
  std::string problems;
  TensorMap left = state;
  auto take = [&](const std::string& name, const Shape& shape, DType dtype) {
    const auto node = left.extract(name);
    const Tensor entry = node ? node.mapped() : Tensor();
    if (!entry.defined()) {
      problems += fmt::format("\n  {}: missing", name);
    } else if (!(entry.shape() == shape) || entry.dtype() != dtype) {
      problems += fmt::format("\n  {}: shape {} and dtype {}; {} and {} are needed", name, entry.shape().str(),
                              ff::name(entry.dtype()), shape.str(), ff::name(dtype));
    } else {
      return entry;
    }
    return Tensor();
  };

  const Tensor rates = take(lr_name, {std::ssize(groups_)}, f64);
  std::map<std::string, State> states;
  for (const Group& group : groups_)
    for (const auto& [name, parameter] : group.parameters) {
      bool any = state.contains(name + ".step");
      for (const std::string& slot : slots_) any = any || state.contains(name + "." + slot);
      if (!any) continue;
      State& of_parameter = states[name];
      if (const Tensor step = take(name + ".step", {}, i64); step.defined())
        of_parameter.step = step.item<std::int64_t>();
      for (const std::string& slot : slots_)
        if (const Tensor entry = take(name + "." + slot, parameter.shape(), parameter.dtype()); entry.defined())
          of_parameter.slots.push_back(entry.copy());
    }
  for (const auto& [name, entry] : left) problems += fmt::format("\n  {}: not of this optimiser's state", name);
  if (!problems.empty())
    fail("load_state_dict", "the state does not fit the optimiser; nothing was loaded:{}", problems);

  const std::vector<double> lr = rates.to_vector<double>();
  for (std::size_t i = 0; i < groups_.size(); ++i) groups_[i].lr = lr[i];
  states_ = std::move(states);
}

}  // namespace ff::optim
