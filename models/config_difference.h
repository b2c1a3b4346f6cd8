#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ff::models {

/// What differs between two configurations, JSON texts: "train.lr: 0.001 there, 0.01 here", a line each, but for the
/// keys to be ignored ("train.max_seconds"). Throws Error where one of them is not JSON.
std::vector<std::string> config_differences(std::string_view there, std::string_view here,
                                            const std::vector<std::string>& ignored = {});

}  // namespace ff::models
