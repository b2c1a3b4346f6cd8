#include "ff/optim/adam.h"

#include "ff/core/check.h"
#include "ff/optim/kernels.h"

namespace ff::optim {

Adam::Adam(const NamedTensors& parameters, const AdamOptions& options)
    : Adam(std::vector<ParamGroup>{{.parameters = parameters}}, options) {}

Adam::Adam(std::vector<ParamGroup> groups, const AdamOptions& options) : Adam(std::move(groups), options, false) {}

Adam::Adam(std::vector<ParamGroup> groups, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(groups), options.lr, options.weight_decay, {"exp_avg", "exp_avg_sq"}),
      options_(options),
      decoupled_(decoupled) {
  const auto [beta1, beta2] = options.betas;
  check(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "Adam", "betas must be in [0, 1): {} and {}", beta1, beta2);
  check(options.eps >= 0, "Adam", "eps must be at least 0: {}", options.eps);
}

void Adam::update(const Update& target, std::int64_t begin, std::int64_t end) const {
  const kernels::AdamStep step{.lr = target.group.lr,
                               .beta1 = options_.betas[0],
                               .beta2 = options_.betas[1],
                               .eps = options_.eps,
                               .weight_decay = target.group.weight_decay,
                               .decoupled = decoupled_,
                               .step = target.state.step,
                               .grad_scale = target.grad_scale};
  dispatch_floating(target.parameter.dtype(), [&](auto tag) {
    using T = decltype(tag);
    kernels::adam(end - begin, target.parameter.data<T>() + begin, target.grad.data<T>() + begin,
                  target.state.slots[0].data<T>() + begin, target.state.slots[1].data<T>() + begin, step);
  });
}

AdamW::AdamW(const NamedTensors& parameters, const AdamWOptions& options)
    : AdamW(std::vector<ParamGroup>{{.parameters = parameters}}, options) {}

AdamW::AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options)
    : Adam(std::move(groups),
           {.lr = options.lr, .betas = options.betas, .eps = options.eps, .weight_decay = options.weight_decay}, true) {
}

}  // namespace ff::optim
