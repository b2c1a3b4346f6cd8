#pragma once

// For sources, not for public headers: fmt is heavy.

#include <fmt/format.h>

#include "ff/core/call_site.h"
#include "ff/core/error.h"

namespace ff {

/// Throws Error("[op] message (at the caller's line)"), the message formatted by fmt.
template <class... Args>
[[noreturn]] void fail(std::string_view op, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format("[{}] {}{}", op, fmt::format(format, std::forward<Args>(args)...), CallSite::trace()));
}

/// fail(), unless ok.
template <class... Args>
void check(bool ok, std::string_view op, fmt::format_string<Args...> format, Args&&... args) {
  if (!ok) [[unlikely]]
    fail(op, format, std::forward<Args>(args)...);
}

/// Throws InternalError, unless ok.
inline void internal_check(bool ok, const char* what) {
  if (!ok) [[unlikely]]
    throw InternalError(what);
}

}  // namespace ff
