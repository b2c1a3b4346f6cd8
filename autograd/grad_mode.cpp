#include "ff/autograd/grad_mode.h"

#include <utility>

namespace ff {
namespace {
thread_local bool enabled_here = true;
}

bool grad_enabled() { return enabled_here; }
GradMode::GradMode(bool enabled) : outer_(std::exchange(enabled_here, enabled)) {}
GradMode::~GradMode() { enabled_here = outer_; }

}  // namespace ff
