#pragma once

#include <vector>

namespace ff {

/// Dimensions of a tensor; of a reduction, empty: all of them.
using Dims = std::vector<int>;

}  // namespace ff
