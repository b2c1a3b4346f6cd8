#pragma once

#include <functional>
#include <string_view>

namespace ff::models {

/// Told how the reading of data goes, where that may take a while: what is being done, and what share of it is done, 0
/// to 1.
using LoadListener = std::function<void(std::string_view doing, double share)>;

}  // namespace ff::models
