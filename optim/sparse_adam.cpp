#include "ff/optim/sparse_adam.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/core/parallel.h"
#include "ff/optim/kernels.h"

namespace ff::optim {
namespace {

constexpr std::int64_t grain = 1 << 15;  // elements a task looks at

// Of each of the rows, of n elements, whether it has one that is not zero.
template <class T>
std::vector<char> touched_rows(std::int64_t rows, std::int64_t n, const T* grad) {
  std::vector<char> touched(static_cast<std::size_t>(rows));
  parallel_for(rows, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(n, 1)), [&](auto begin, auto end) {
    for (std::int64_t r = begin; r < end; ++r)
      touched[static_cast<std::size_t>(r)] = std::any_of(grad + r * n, grad + (r + 1) * n, [](T g) { return g != 0; });
  });
  return touched;
}

}  // namespace

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

void SparseAdam::update(const Group& group, const Tensor& parameter, const Tensor& grad, State& state) {
  const kernels::AdamStep step{.lr = group.lr,
                               .beta1 = options_.betas[0],
                               .beta2 = options_.betas[1],
                               .eps = options_.eps,
                               .weight_decay = 0,
                               .decoupled = false,
                               .step = state.step};
  const std::int64_t rows = parameter.rank() > 0 ? parameter.size(0) : 1,
                     n = parameter.numel() / std::max<std::int64_t>(rows, 1);
  dispatch_floating(parameter.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const std::vector<char> touched = touched_rows(rows, n, grad.data<T>());
    for (auto begin = touched.begin(); begin != touched.end();) {  // from run to run of touched rows
      begin = std::find(begin, touched.end(), 1);
      const auto end = std::find(begin, touched.end(), 0);
      const std::int64_t from = n * (begin - touched.begin());
      if (begin != end)
        kernels::adam(n * (end - begin), parameter.data<T>() + from, grad.data<T>() + from,
                      state.slots[0].data<T>() + from, state.slots[1].data<T>() + from, step);
      begin = end;
    }
  });
}

}  // namespace ff::optim
