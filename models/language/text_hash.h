#pragma once

#include <functional>
#include <string_view>

namespace ff::models {

/// Lets a hash table whose keys are std::string be asked with a std::string_view.
struct TextHash : std::hash<std::string_view> {
  using is_transparent = void;
};

}  // namespace ff::models
