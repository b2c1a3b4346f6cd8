// The autograd methods of Tensor.

#include "ff/core/tensor.h"

#include <utility>

#include "ff/autograd/engine.h"
#include "ff/autograd/node.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"

namespace ff {

using autograd::meta_of;

bool Tensor::requires_grad() const { return meta() && meta()->requires_grad; }

bool Tensor::is_leaf() const { return !meta() || !meta()->source.node; }

const Tensor& Tensor::requires_grad_(bool value, Where site) const {
  const CallSite here(site);
  check(is_leaf(), "requires_grad_", "only a leaf can be told; this tensor of shape {} was computed by {}",
        shape().str(), is_leaf() ? "" : meta()->source.node->name());
  check(!value || is_floating(dtype()), "requires_grad_", "only floating tensors have gradients; the dtype is {}",
        name(dtype()));
  meta_of(*this).requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const { return meta() ? meta()->grad : Tensor(); }

void Tensor::set_grad(const Tensor& grad, Where site) const {
  const CallSite here(site);
  check(!grad.defined() || (grad.shape() == shape() && grad.dtype() == dtype()), "set_grad",
        "a gradient of shape {} does not fit a tensor of shape {} and dtype {}",
        grad.defined() ? grad.shape().str() : "", shape().str(), name(dtype()));
  autograd::give_back(*this, std::exchange(meta_of(*this).grad, grad));
}

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph, Where site) const {
  ff::backward({*this}, {gradient}, retain_graph, create_graph, site);
}

Tensor Tensor::detach() const { return as_strided(shape(), strides()); }

int Tensor::register_hook(std::function<Tensor(const Tensor&)> hook, Where site) const {
  const CallSite here(site);
  check(requires_grad(), "register_hook", "a tensor of shape {} that requires no gradient was given a hook",
        shape().str());
  auto& hooks = meta_of(*this).hooks;
  if (!hooks) hooks = std::make_shared<autograd::Hooks>();
  hooks->list.emplace_back(autograd::next_hook_id(), std::move(hook));
  return hooks->list.back().first;
}

int Tensor::register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook, Where site) const {
  const CallSite here(site);
  check(is_leaf() && requires_grad(), "register_post_accumulate_grad_hook",
        "a leaf that requires a gradient is needed: a tensor of shape {}", shape().str());
  meta()->accumulated.emplace_back(autograd::next_hook_id(), std::move(hook));
  return meta()->accumulated.back().first;
}

void Tensor::remove_hook(int id) const {
  if (!meta()) return;
  const auto has_id = [id](const auto& entry) { return entry.first == id; };
  if (meta()->hooks) std::erase_if(meta()->hooks->list, has_id);
  std::erase_if(meta()->accumulated, has_id);
}

void Tensor::retain_grad(Where site) const {
  const CallSite here(site);
  check(requires_grad(), "retain_grad", "a tensor of shape {} requires no gradient", shape().str());
  if (is_leaf()) return;
  register_hook([kept = std::weak_ptr(meta())](const Tensor& grad) {
    if (auto meta = kept.lock()) meta->grad = grad;
    return Tensor();
  });
}

std::shared_ptr<autograd::Node> Tensor::grad_fn() const { return meta() ? meta()->source.node : nullptr; }

}  // namespace ff
