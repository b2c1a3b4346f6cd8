#include "ff/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ff/core/check.h"
#include "ff/core/parallel.h"
#include "ff/core/pieces.h"
#include "ff/optim/kernels.h"

namespace ff::optim {

std::vector<ParamGroup> no_decay_groups(const NamedTensors& parameters, double weight_decay,
                                        const std::vector<std::string>& names) {
  std::vector<ParamGroup> groups(2);
  groups[0].weight_decay = weight_decay;
  groups[1].weight_decay = 0;
  for (const auto& [name, parameter] : parameters) {
    const bool named = std::any_of(names.begin(), names.end(), [&name = name](const std::string& other) {
      return name == other || name.ends_with("." + other);
    });
    groups[parameter.rank() <= 1 || named ? 1 : 0].parameters.emplace_back(name, parameter);
  }
  std::erase_if(groups, [](const ParamGroup& group) { return group.parameters.empty(); });
  return groups;
}

Optimizer::Optimizer(std::vector<ParamGroup> groups, double lr, double weight_decay, std::vector<std::string> slots)
    : slots_(std::move(slots)) {
  for (ParamGroup& group : groups) {
    const double rate = group.lr.value_or(lr), decay = group.weight_decay.value_or(weight_decay);
    check(rate >= 0 && std::isfinite(rate), "optimizer", "lr must be at least 0: {}", rate);
    check(decay >= 0 && std::isfinite(decay), "optimizer", "weight_decay must be at least 0: {}", decay);
    groups_.push_back({std::move(group.parameters), rate, rate, decay});
  }
  check_parameters();
}

void Optimizer::check_parameters() const {
  NamedTensors all;
  std::set<std::string> names;
  for (const Group& group : groups_)
    for (const auto& [name, parameter] : group.parameters) {
      check(parameter.defined(), "optimizer", "parameter \"{}\" is undefined", name);
      check(is_floating(parameter.dtype()) && parameter.is_contiguous() && parameter.is_leaf(), "optimizer",
            "parameter \"{}\" must be a contiguous floating leaf; its shape is {}, its strides {}, its dtype {}", name,
            parameter.shape().str(), parameter.strides().str(), ff::name(parameter.dtype()));
      check(names.insert(name).second, "optimizer", "two parameters are named \"{}\"", name);
      for (const auto& [other, seen] : all)
        check(!seen.is(parameter), "optimizer", "\"{}\" and \"{}\" are one parameter", other, name);
      all.emplace_back(name, parameter);
    }
  check(!all.empty(), "optimizer", "there are no parameters");
}

void Optimizer::step(double grad_scale) {
  std::vector<Update> updates;
  std::vector<std::int64_t> sizes;
  for (const Group& group : groups_)
    for (const auto& [name, parameter] : group.parameters) {
      const Tensor grad = parameter.grad();
      if (!grad.defined()) continue;
      auto found = states_.find(name);
      if (found == states_.end()) found = states_.emplace(name, make_state(parameter)).first;
      ++found->second.step;
      updates.push_back({group, parameter, grad.dense(), found->second, grad_scale});
      sizes.push_back(parameter.numel());
    }
  const std::vector<Piece> pieces = cut_into_pieces(sizes, kernels::grain);
  parallel_for(std::ssize(pieces), 1, [&](std::int64_t i, std::int64_t) {
    const auto [array, begin, end] = pieces[static_cast<std::size_t>(i)];
    update(updates[array], begin, end);
  });
  for (const Update& done : updates) done.parameter.bump_version();
}

void Optimizer::zero_grad() {
  for (const Group& group : groups_)
    for (const auto& [name, parameter] : group.parameters) parameter.set_grad({});
}

void Optimizer::scale_lr(double factor) {
  for (Group& group : groups_) group.lr = factor * group.initial_lr;
}

Optimizer::State Optimizer::make_state(const Tensor& parameter) const {
  State state;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    state.slots.push_back(Tensor::empty(parameter.shape(), parameter.dtype()));
    state.slots.back().fill(0);
  }
  return state;
}

}  // namespace ff::optim
