#include "ff/autograd/scope.h"

#include <utility>

namespace ff::autograd {
namespace {

thread_local std::shared_ptr<const Scope> current;

}  // namespace

const std::shared_ptr<const Scope>& current_scope() { return current; }

ScopeGuard::ScopeGuard(std::shared_ptr<const Scope> scope) : outer_(std::exchange(current, std::move(scope))) {}
ScopeGuard::~ScopeGuard() { current = std::move(outer_); }

}  // namespace ff::autograd
