#include "ff/optim/sparse_adam.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/optim/kernels.h"

namespace ff::optim {

SparseAdam::SparseAdam(const NamedTensors& parameters, const SparseAdamOptions& options)
    : SparseAdam(std::vector<ParamGroup>{{.parameters = parameters}}, options) {}

SparseAdam::SparseAdam(std::vector<ParamGroup> groups, const SparseAdamOptions& options)
    : Optimizer(std::move(groups), options.lr, 0, {"exp_avg", "exp_avg_sq"}), options_(options) {
  const auto [beta1, beta2] = options.betas;
  check(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "SparseAdam", "betas must be in [0, 1): {} and {}", beta1,
        beta2);
  check(options.eps >= 0, "SparseAdam", "eps must be at least 0: {}", options.eps);
  for (const Group& group : this->groups())
    check(group.weight_decay == 0, "SparseAdam", "there is no weight decay for rows that wait: {}", group.weight_decay);
}

// Runs of touched rows, as far as they lie in [begin, end).
void SparseAdam::update(const Update& target, std::int64_t begin, std::int64_t end) const {
  const kernels::AdamStep step{.lr = target.group.lr,
                               .beta1 = options_.betas[0],
                               .beta2 = options_.betas[1],
                               .eps = options_.eps,
                               .weight_decay = 0,
                               .decoupled = false,
                               .step = target.state.step,
                               .grad_scale = target.grad_scale};
  const Tensor& parameter = target.parameter;
  const std::int64_t n = parameter.numel() / (parameter.rank() > 0 ? parameter.size(0) : 1);  // elements of a row
  dispatch_floating(parameter.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const T* grad = target.grad.data<T>();
    const auto touched = [=](std::int64_t row) {
      return std::any_of(grad + row * n, grad + (row + 1) * n, [](T g) { return g != 0; });
    };
    std::int64_t from = begin;  // of the run
    const auto update_until = [&](std::int64_t to) {
      if (from < to)
        kernels::adam(to - from, parameter.data<T>() + from, grad + from, target.state.slots[0].data<T>() + from,
                      target.state.slots[1].data<T>() + from, step);
    };
    for (std::int64_t row = begin / n; row * n < end; ++row) {
      if (touched(row)) continue;
      update_until(row * n);
      from = std::max(begin, (row + 1) * n);
    }
    update_until(end);
  });
}

}  // namespace ff::optim
