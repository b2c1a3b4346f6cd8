#pragma once

#include <string>

#include "ff/core/tensor.h"

namespace ff {

/// Reads a file in the IDX format of MNIST (LeCun, Cortes, Burges), plain or gzip: bytes as u8; signed bytes, shorts
/// and ints as i32; floats as f32; doubles as f64. Throws Error naming path and field where the file is anything else.
Tensor load_idx(const std::string& path);

}  // namespace ff
