#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ff/core/error.h"
#include "ff/nn/module.h"

namespace ff::nn {

/// Modules of one type, owned, named "0", "1", ...: the blocks of a network.
///   ModuleList<Block> blocks;    for (int i = 0; i < depth; ++i) blocks.emplace(dim, heads);
///   for (auto& block : blocks) x = (*block)(x);
template <class M>
class ModuleList : public Module {
 public:
  /// Makes one at the end.
  template <class Made = M, class... Args>
  Made& emplace(Args&&... args) {
    auto made = std::make_unique<Made>(std::forward<Args>(args)...);
    Made& reference = *made;
    append(std::move(made));
    return reference;
  }
  M& append(std::unique_ptr<M> module) {
    if (!module) throw Error("[ModuleList] a null module was given");
    add(std::to_string(modules_.size()), *module);
    modules_.push_back(std::move(module));
    return *modules_.back();
  }

  std::size_t size() const { return modules_.size(); }
  /// Throws Error where there is none.
  M& operator[](std::size_t i) const {
    if (i >= modules_.size())
      throw Error("[ModuleList] index " + std::to_string(i) + " is out of range: size " +
                  std::to_string(modules_.size()));
    return *modules_[i];
  }
  auto begin() const { return modules_.begin(); }
  auto end() const { return modules_.end(); }

 private:
  std::vector<std::unique_ptr<M>> modules_;
};

/// Modules applied one after the other: Sequential net; net.emplace<Linear>(784, 128); net.emplace<GELU>(); ...
class Sequential : public ModuleList<Module> {
 public:
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (const auto& module : *this) y = (*module)(y);
    return y;
  }
};

/// Gives x itself: a place to hang hooks on, or to leave empty.
class Identity : public Module {
 public:
  Tensor forward(const Tensor& x) override { return x; }
};

}  // namespace ff::nn
