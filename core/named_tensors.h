#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ff/core/tensor.h"

namespace ff {

/// Tensors with their names, in an order that means something: a module's parameters, what an optimiser works on.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Tensors by name: a state, as saved to and read from files.
using TensorMap = std::map<std::string, Tensor>;

}  // namespace ff
