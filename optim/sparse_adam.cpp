#include "ff/optim/sparse_adam.h"

#include <algorithm>

#include "ff/autograd/sparse_gradient.h"
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

// Runs of rows whose gradient is not zero, as far as they lie in [begin, end): found by looking, at those alone that
// may be such where that is known.
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
    const auto moves = [=](std::int64_t row) {
      return std::any_of(grad + row * n, grad + (row + 1) * n, [](T g) { return g != 0; });
    };
    const auto update_run = [&](std::int64_t from, std::int64_t to) {
      if (from < to)
        kernels::adam(to - from, parameter.data<T>() + from, grad + from, target.state.slots[0].data<T>() + from,
                      target.state.slots[1].data<T>() + from, step);
    };
    for (const Run& run : runs_within(touched(target.grad), begin, end)) {
      std::int64_t from = run.begin;
      for (std::int64_t row = run.begin / n; row * n < run.end; ++row) {
        if (moves(row)) continue;
        update_run(from, row * n);
        from = std::max(run.begin, (row + 1) * n);
      }
      update_run(from, run.end);
    }
  });
}

}  // namespace ff::optim
