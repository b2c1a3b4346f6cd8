#include "ff/core/cpu/backend.h"

#include <hwy/targets.h>

namespace ff::cpu {

std::string simd_target() {
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;  // bits, the best the lowest
  return hwy::TargetName(usable & -usable);
}

}  // namespace ff::cpu
