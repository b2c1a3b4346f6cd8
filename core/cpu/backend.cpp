#include "ff/core/cpu/backend.h"

#include <cstdint>
#include <cstdlib>

#include <fmt/ranges.h>
#include <hwy/targets.h>
#include <strings.h>

#include "ff/core/check.h"

namespace ff::cpu {
namespace {

// Bits, the best the lowest: what there was before one was chosen.
std::int64_t usable_targets() {
  static const std::int64_t usable = (hwy::SupportedTargets() | HWY_STATIC_TARGET) & HWY_TARGETS;
  return usable;
}

std::string choose() {
  const std::int64_t usable = usable_targets();
  const char* wanted = std::getenv("FF_SIMD");
  if (wanted == nullptr || *wanted == '\0') return hwy::TargetName(usable & -usable);
  for (std::int64_t rest = usable; rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    if (strcasecmp(wanted, hwy::TargetName(target)) != 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    return hwy::TargetName(target);
  }
  fail("simd", "FF_SIMD asks for '{}', but this machine and this build have {}", wanted,
       fmt::join(simd_targets(), ", "));
}

}  // namespace

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (std::int64_t rest = usable_targets(); rest != 0; rest &= rest - 1)
    names.emplace_back(hwy::TargetName(rest & -rest));
  return names;
}

const std::string& simd_target() {
  static const std::string target = choose();
  return target;
}

}  // namespace ff::cpu
