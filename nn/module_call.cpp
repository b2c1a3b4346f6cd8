// Calling a module: the scope that its ops are computed in, and the hooks around them.

#include <cstdlib>
#include <typeinfo>
#include <utility>

#include <cxxabi.h>

#include "ff/autograd/function.h"
#include "ff/nn/module.h"

namespace ff::nn {
namespace {

// The module that is being called in this thread, of those that call each other the last.
thread_local const Module* innermost = nullptr;

class Innermost {
 public:
  explicit Innermost(const Module* module) : outer_(std::exchange(innermost, module)) {}
  ~Innermost() { innermost = outer_; }
  Innermost(const Innermost&) = delete;
  Innermost& operator=(const Innermost&) = delete;

 private:
  const Module* outer_;
};

// "MultiHeadAttention" of ff::nn::MultiHeadAttention.
std::string type_name(const Module& module) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(typeid(module).name(), nullptr, nullptr, &status), &std::free);
  const std::string full = demangled ? demangled.get() : typeid(module).name();
  const std::size_t colons = full.rfind("::", full.find('<'));
  return colons == std::string::npos ? full : full.substr(colons + 2);
}

// A tensor of its own with the same elements, so that hooks on it belong to one call of a module.
struct Boundary : Function<Boundary> {
  static constexpr const char* name = "module_boundary";
  static Tensor forward(Context&, const Tensor& x) { return x.as_strided(x.shape(), x.strides()); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

}  // namespace

Tensor Module::operator()(const Tensor& x, Where site) {
  return call(
      x, [this](const Tensor& input) { return forward(input); }, site);
}

Tensor Module::call(const Tensor& x, const std::function<Tensor(const Tensor&)>& forward, Where site) {
  const CallSite here(site, CallSite::Level::module);
  const autograd::ScopeGuard inside(scope(site));
  const ProfileSpan span(ProfilePhase::module, autograd::current_scope()->type);
  const Innermost calling(this);
  Tensor input = x;
  const auto pre_hooks = pre_hooks_;  // a hook may remove itself
  for (const auto& [id, hook] : pre_hooks)
    if (Tensor changed = hook(*this, input); changed.defined()) input = std::move(changed);
  const bool watched = grad_enabled() && !(backward_hooks_.empty() && backward_pre_hooks_.empty());
  Tensor output = watched ? with_backward_hooks(input, forward) : forward(input);
  const auto hooks = hooks_;
  for (const auto& [id, hook] : hooks)
    if (Tensor changed = hook(*this, input, output); changed.defined()) output = std::move(changed);
  return output;
}

std::shared_ptr<const autograd::Scope> Module::scope(Where site) const {
  std::string path;
  if (innermost != nullptr) innermost->find_path(*this, path);
  return std::make_shared<autograd::Scope>(autograd::Scope{path, type_name(*this), site, autograd::current_scope()});
}

// The path of part below this module, in front of what path holds.
bool Module::find_path(const Module& part, std::string& path) const {
  for (const auto& [name, child] : children_)
    if (child == &part || child->find_path(part, path)) {
      path = path.empty() ? name : name + "." + path;
      return true;
    }
  return false;
}

Tensor Module::with_backward_hooks(const Tensor& x, const std::function<Tensor(const Tensor&)>& forward) {
  const auto grad_output = std::make_shared<Tensor>();
  const bool needs_grad = x.requires_grad();
  Tensor input = x;
  if (needs_grad) {
    input = Boundary::apply(x);
    input.register_hook(
        [this, grad_output](const Tensor& dx) { return after_backward(dx, std::exchange(*grad_output, Tensor())); });
  }
  Tensor output = forward(input);
  if (!output.requires_grad()) return output;
  output = Boundary::apply(output);
  output.register_hook([this, grad_output, needs_grad](const Tensor& dy) {
    const Tensor changed = before_backward(dy);
    if (needs_grad)
      *grad_output = changed;
    else
      after_backward({}, changed);
    return changed;
  });
  return output;
}

Tensor Module::before_backward(Tensor grad_output) {
  const auto hooks = backward_pre_hooks_;  // a hook may remove itself
  for (const auto& [id, hook] : hooks)
    if (Tensor changed = hook(*this, grad_output); changed.defined()) grad_output = std::move(changed);
  return grad_output;
}

Tensor Module::after_backward(const Tensor& grad_input, const Tensor& grad_output) {
  Tensor result = grad_input;
  const auto hooks = backward_hooks_;
  for (const auto& [id, hook] : hooks)
    if (Tensor changed = hook(*this, result, grad_output); changed.defined()) result = std::move(changed);
  return result;
}

int Module::register_forward_pre_hook(ForwardPreHook hook) {
  pre_hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

int Module::register_forward_hook(ForwardHook hook) {
  hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

int Module::register_full_backward_pre_hook(BackwardPreHook hook) {
  backward_pre_hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

int Module::register_full_backward_hook(BackwardHook hook) {
  backward_hooks_.emplace_back(next_hook_, std::move(hook));
  return next_hook_++;
}

void Module::remove_hook(int id) {
  const auto has_id = [id](const auto& entry) { return entry.first == id; };
  std::erase_if(pre_hooks_, has_id);
  std::erase_if(hooks_, has_id);
  std::erase_if(backward_pre_hooks_, has_id);
  std::erase_if(backward_hooks_, has_id);
}

}  // namespace ff::nn
