#include "ff/nn/module.h"

#include <algorithm>
#include <cstdlib>
#include <typeinfo>
#include <utility>

#include <cxxabi.h>

#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"

namespace ff::nn {
namespace {

bool holds(const NamedTensors& tensors, const Tensor& tensor) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.second.is(tensor); });
}

std::string join(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

}  // namespace

Tensor Module::forward(const Tensor& x) {
  fail("forward", "this module has no forward of a single tensor; one of shape {} was given", x.shape().str());
}

void Module::check_name(const std::string& name) const {
  check(!name.empty() && name.find('.') == std::string::npos, "module",
        "a name must not be empty or have a dot: \"{}\"", name);
  auto same_slot = [&](const Slot& slot) { return slot.name == name; };
  auto same_child = [&](const auto& child) { return child.first == name; };
  const bool taken = std::any_of(parameters_.begin(), parameters_.end(), same_slot) ||
                     std::any_of(buffers_.begin(), buffers_.end(), same_slot) ||
                     std::any_of(children_.begin(), children_.end(), same_child);
  check(!taken, "module", "the name \"{}\" is registered already", name);
}

void Module::add(const std::string& name, Module& module) {
  check_name(name);
  module.walk(name, [&](const std::string& path, const Module& part) {
    check(&part != this, "module", "\"{}\" would be a part of itself", path);
  });
  children_.emplace_back(name, &module);
}

void Module::add_parameter(const std::string& name, Tensor& tensor) {
  check_name(name);
  check(tensor.defined(), "module", "parameter \"{}\" is undefined", name);
  check(is_floating(tensor.dtype()), "module", "parameter \"{}\" must be floating; its dtype is {}", name,
        ff::name(tensor.dtype()));
  tensor.requires_grad_();
  parameters_.push_back({name, &tensor, true});
}

void Module::add_buffer(const std::string& name, Tensor& tensor, bool persistent) {
  check_name(name);
  check(tensor.defined(), "module", "buffer \"{}\" is undefined", name);
  buffers_.push_back({name, &tensor, persistent});
}

void Module::walk(const std::string& path, const Visit& visit) const {
  visit(path, *this);
  for (const auto& [name, child] : children_) child->walk(join(path, name), visit);
}

void Module::collect(const std::string& path, std::vector<std::pair<std::string, Module*>>& all) {
  if (std::any_of(all.begin(), all.end(), [this](const auto& entry) { return entry.second == this; })) return;
  all.emplace_back(path, this);
  for (const auto& [name, child] : children_) child->collect(join(path, name), all);
}

NamedTensors Module::parameters() const {
  NamedTensors all;
  walk("", [&](const std::string& path, const Module& module) {
    for (const Slot& slot : module.parameters_)
      if (slot.tensor->defined() && !holds(all, *slot.tensor)) all.emplace_back(join(path, slot.name), *slot.tensor);
  });
  return all;
}

NamedTensors Module::buffers() const {
  NamedTensors all;
  walk("", [&](const std::string& path, const Module& module) {
    for (const Slot& slot : module.buffers_)
      if (slot.tensor->defined() && !holds(all, *slot.tensor)) all.emplace_back(join(path, slot.name), *slot.tensor);
  });
  return all;
}

NamedTensors Module::state_entries() const {
  NamedTensors all;
  walk("", [&](const std::string& path, const Module& module) {
    for (const auto* slots : {&module.parameters_, &module.buffers_})
      for (const Slot& slot : *slots)
        if (slot.persistent && slot.tensor->defined()) all.emplace_back(join(path, slot.name), *slot.tensor);
  });
  return all;
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  std::vector<std::pair<std::string, Module*>> all;
  collect("", all);
  return all;
}

std::int64_t Module::num_parameters() const {
  std::int64_t n = 0;
  for (const auto& [name, tensor] : parameters()) n += tensor.numel();
  return n;
}

std::vector<std::string> Module::parameters_without_grad() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : parameters())
    if (tensor.requires_grad() && !tensor.grad().defined()) names.push_back(name);
  return names;
}

void Module::train(bool mode) {
  for (const auto& [name, module] : named_modules()) module->training_ = mode;
}

void Module::apply(const std::function<void(Module&)>& f) {
  for (const auto& [name, module] : named_modules()) f(*module);
}

void Module::zero_grad() {
  for (const auto& [name, tensor] : parameters()) tensor.set_grad({});
}

void Module::requires_grad_(bool value) {
  for (const auto& [name, tensor] : parameters()) tensor.requires_grad_(value);
}

void Module::to(DType dtype) {
  check(is_floating(dtype), "to", "a module is converted to a floating dtype, not {}", ff::name(dtype));
  std::vector<std::pair<Tensor, Tensor>> converted;  // from, to: what was shared stays so
  auto convert = [&](Tensor& tensor) {
    if (!tensor.defined() || !is_floating(tensor.dtype()) || tensor.dtype() == dtype) return;
    for (const auto& [from, to] : converted)
      if (from.is(tensor)) return void(tensor = to);
    Tensor other = tensor.copy(dtype);
    other.requires_grad_(tensor.requires_grad());
    if (keeps_sparse_gradient(tensor)) keep_sparse_gradient(other);
    converted.emplace_back(tensor, other);
    tensor = other;
  };
  for (const auto& [name, module] : named_modules())
    for (const auto* slots : {&module->parameters_, &module->buffers_})
      for (const Slot& slot : *slots) convert(*slot.tensor);
}

}  // namespace ff::nn
