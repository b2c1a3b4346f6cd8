#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ff/autograd/scope.h"
#include "ff/core/call_site.h"
#include "ff/core/named_tensors.h"
#include "ff/core/tensor.h"

namespace ff::nn {

class Module;

/// Called with the input of a module before it is computed; what it returns, if defined, takes the input's place.
using ForwardPreHook = std::function<Tensor(Module& module, const Tensor& x)>;
/// Called with the input and output of a module; what it returns, if defined, takes the output's place.
using ForwardHook = std::function<Tensor(Module& module, const Tensor& x, const Tensor& y)>;

/// Called in backward with the gradient of a module's output before it goes into the module; what it returns, if
/// defined, takes its place.
using BackwardPreHook = std::function<Tensor(Module& module, const Tensor& grad_output)>;
/// Called in backward when the gradient of a module's input is known (undefined where the input needs none), with that
/// of its output; what it returns, if defined, takes the place of grad_input.
using BackwardHook = std::function<Tensor(Module& module, const Tensor& grad_input, const Tensor& grad_output)>;

/// Where a module and a state that it loaded differ: names the state lacks, and names the module lacks.
struct LoadReport {
  std::vector<std::string> missing, unexpected;
};

/// A part of a network, with parameters, buffers and parts of its own. Parts are plain members that the constructor
/// registers by name:
///   struct Classifier : ff::nn::Module {
///     ff::nn::Linear hidden{784, 128}, out{128, 10};
///     Classifier() { add("hidden", hidden); add("out", out); }
///     Tensor forward(const Tensor& x) { return out(ff::gelu(hidden(x))); }
///   };
/// What is registered is referred to, so that a module is neither copied nor moved. Full names are the path joined by
/// dots ("blocks.0.attn.qkv.weight"); a module's own tensors come before its parts', each in order of registration.
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// What the module computes. Throws Error where a module has no forward of one tensor. A module with another
  /// signature declares its own forward beside (`using Module::forward;`) and an operator() that passes it through
  /// call().
  virtual Tensor forward(const Tensor& x);
  /// forward(x), with the hooks called before and after.
  Tensor operator()(const Tensor& x, Where site = {});

  /// Registers a part: a member, or what else lives as long as the module. Names are not empty, have no dot, and are
  /// used once in a module, or Error is thrown.
  void add(const std::string& name, Module& module);
  /// Registers a tensor that is learned, floating, and has it require a gradient. Two names may hold the same tensor
  /// (of one module or of two): it is then shared, as an embedding is with the output layer.
  void add_parameter(const std::string& name, Tensor& tensor);
  /// Registers a tensor that is part of the state but not learned; one that is not persistent is left out of
  /// state_dict().
  void add_buffer(const std::string& name, Tensor& tensor, bool persistent = true);

  /// Every parameter with its full name; a shared one once, under its first name.
  NamedTensors parameters() const;
  NamedTensors buffers() const;
  /// This module (its name is empty) and all below, each before its parts, and once.
  std::vector<std::pair<std::string, Module*>> named_modules();
  /// Number of elements of all parameters.
  std::int64_t num_parameters() const;
  /// Names of the parameters that require a gradient and have none: after backward(), those that it did not reach.
  std::vector<std::string> parameters_without_grad() const;

  /// Parameters and persistent buffers by full name; a shared one under each of its names. They share memory with the
  /// module: copy() those to be kept.
  TensorMap state_dict() const;
  /// Overwrites parameters and persistent buffers with the entries of state; floating dtypes are converted. Throws an
  /// Error that lists everything wrong, and loads nothing, where shapes or kinds of dtype differ, where entries of one
  /// shared tensor do, and, if strict, where names are missing or unexpected. One name of a shared tensor is enough.
  LoadReport load_state_dict(const TensorMap& state, bool strict = true);

  /// Training or evaluation, for the module and all its parts: what dropout goes by. A new module is in training.
  void train(bool mode = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  /// Calls f with every module, in the order of named_modules().
  void apply(const std::function<void(Module&)>& f);
  /// Drops the gradients of all parameters.
  void zero_grad();
  /// Has all parameters require a gradient, or none: a frozen module.
  void requires_grad_(bool value = true);
  /// Converts floating parameters and buffers to a floating dtype. They become new tensors: make optimisers after.
  void to(DType dtype);

  /// All return a number for remove_hook(). Hooks are called in order of registration, when the module is called, not
  /// by forward() itself; the backward ones when backward comes through that call, so the module must live until then.
  int register_forward_pre_hook(ForwardPreHook hook);
  int register_forward_hook(ForwardHook hook);
  int register_full_backward_pre_hook(BackwardPreHook hook);
  int register_full_backward_hook(BackwardHook hook);
  void remove_hook(int id);

 protected:
  /// forward(x) with the hooks around it: for an operator() of more arguments than one.
  Tensor call(const Tensor& x, const std::function<Tensor(const Tensor&)>& forward, Where site = {});

 private:
  struct Slot {
    std::string name;
    Tensor* tensor;
    bool persistent;
  };
  using Visit = std::function<void(const std::string& path, const Module& module)>;

  void check_name(const std::string& name) const;
  std::shared_ptr<const autograd::Scope> scope(Where site) const;
  Tensor with_backward_hooks(const Tensor& x, const std::function<Tensor(const Tensor&)>& forward);
  Tensor before_backward(Tensor grad_output);
  Tensor after_backward(const Tensor& grad_input, const Tensor& grad_output);
  bool find_path(const Module& part, std::string& path) const;
  void walk(const std::string& path, const Visit& visit) const;
  void collect(const std::string& path, std::vector<std::pair<std::string, Module*>>& all);
  NamedTensors state_entries() const;

  std::vector<Slot> parameters_, buffers_;
  std::vector<std::pair<std::string, Module*>> children_;
  std::vector<std::pair<int, ForwardPreHook>> pre_hooks_;
  std::vector<std::pair<int, ForwardHook>> hooks_;
  std::vector<std::pair<int, BackwardPreHook>> backward_pre_hooks_;
  std::vector<std::pair<int, BackwardHook>> backward_hooks_;
  int next_hook_ = 0;
  bool training_ = true;
};

}  // namespace ff::nn
