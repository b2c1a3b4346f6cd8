#include "ff/optim/sgd.h"

#include "ff/core/check.h"
#include "ff/optim/kernels.h"

namespace ff::optim {

SGD::SGD(const NamedTensors& parameters, const SGDOptions& options)
    : SGD(std::vector<ParamGroup>{{.parameters = parameters}}, options) {}

SGD::SGD(std::vector<ParamGroup> groups, const SGDOptions& options)
    : Optimizer(std::move(groups), options.lr, options.weight_decay,
                options.momentum != 0 ? std::vector<std::string>{"momentum_buffer"} : std::vector<std::string>{}),
      options_(options) {
  check(options.momentum >= 0, "SGD", "momentum must be at least 0: {}", options.momentum);
  check(!options.nesterov || (options.momentum > 0 && options.dampening == 0), "SGD",
        "Nesterov's momentum needs momentum and no dampening: {} and {}", options.momentum, options.dampening);
}

void SGD::update(const Update& target, std::int64_t begin, std::int64_t end) const {
  const kernels::SgdStep step{.lr = target.group.lr,
                              .momentum = options_.momentum,
                              .dampening = options_.dampening,
                              .weight_decay = target.group.weight_decay,
                              .nesterov = options_.nesterov,
                              .first = target.state.step == 1,
                              .grad_scale = target.grad_scale};
  dispatch_floating(target.parameter.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T* buffer = target.state.slots.empty() ? nullptr : target.state.slots[0].data<T>() + begin;
    kernels::sgd(end - begin, target.parameter.data<T>() + begin, target.grad.data<T>() + begin, buffer, step);
  });
}

}  // namespace ff::optim
