#pragma once

#include <memory>
#include <string>

#include "ff/core/call_site.h"

namespace ff::autograd {

/// A part of a program that ops are computed in: one call of a module. The graph draws it as a box.
struct Scope {
  std::string name;  ///< "attn", "blocks.0": the module's path in the one around it; may be empty
  std::string type;  ///< "MultiHeadAttention"
  Where site;        ///< the line that called it
  std::shared_ptr<const Scope> outer;
};

/// The innermost scope of this thread; null outside of all.
const std::shared_ptr<const Scope>& current_scope();

/// Sets current_scope() while it lives.
class ScopeGuard {
 public:
  explicit ScopeGuard(std::shared_ptr<const Scope> scope);
  ~ScopeGuard();
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  std::shared_ptr<const Scope> outer_;
};

}  // namespace ff::autograd
