#include "ff/optim/average.h"

#include "ff/core/check.h"
#include "ff/core/parallel.h"
#include "ff/core/pieces.h"
#include "ff/optim/kernels.h"

namespace ff::optim {

Average::Average(NamedTensors parameters, double decay) : parameters_(std::move(parameters)), decay_(decay) {
  check(decay >= 0 && decay < 1, "Average", "decay must be in [0, 1): {}", decay);
  for (const auto& [name, parameter] : parameters_) {
    check(parameter.defined() && is_floating(parameter.dtype()) && parameter.is_contiguous(), "Average",
          "parameter \"{}\" must be a contiguous floating tensor", name);
    averages_.push_back(parameter.copy());
  }
}

void Average::update() {
  std::vector<std::int64_t> sizes;
  for (const Tensor& average : averages_) sizes.push_back(average.numel());
  const std::vector<Piece> pieces = cut_into_pieces(sizes, kernels::grain);
  parallel_for(std::ssize(pieces), 1, [&](std::int64_t i, std::int64_t) {
    const auto [array, begin, end] = pieces[static_cast<std::size_t>(i)];
    const Tensor &average = averages_[array], &parameter = parameters_[array].second;
    dispatch_floating(average.dtype(), [&, from = begin, count = end - begin](auto tag) {
      using T = decltype(tag);
      kernels::average(count, average.data<T>() + from, parameter.data<T>() + from, 1 - decay_);
    });
  });
  for (const Tensor& average : averages_) average.bump_version();
}

void Average::swap() {
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const Tensor& parameter = parameters_[i].second;
    const Tensor held = averages_[i].copy();
    averages_[i].assign(parameter);
    parameter.assign(held);
  }
}

TensorMap Average::state_dict() const {
  TensorMap state;
  for (std::size_t i = 0; i < averages_.size(); ++i) state.emplace(parameters_[i].first, averages_[i].detach());
  return state;
}

void Average::load_state_dict(const TensorMap& state) {
  std::string problems;
  TensorMap left = state;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const std::string& name = parameters_[i].first;
    const auto node = left.extract(name);
    if (!node || !node.mapped().defined()) {
      problems += fmt::format("\n  {}: missing", name);
    } else if (!(node.mapped().shape() == averages_[i].shape()) || node.mapped().dtype() != averages_[i].dtype()) {
      problems +=
          fmt::format("\n  {}: shape {} and dtype {}; {} and {} are needed", name, node.mapped().shape().str(),
                      ff::name(node.mapped().dtype()), averages_[i].shape().str(), ff::name(averages_[i].dtype()));
    }
  }
  for (const auto& [name, entry] : left) problems += fmt::format("\n  {}: not a parameter", name);
  if (!problems.empty())
    fail("load_state_dict", "the state does not fit the averages; nothing was loaded:{}", problems);
  for (std::size_t i = 0; i < averages_.size(); ++i) averages_[i].assign(state.at(parameters_[i].first));
}

}  // namespace ff::optim
