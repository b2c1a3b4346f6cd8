#pragma once

#include <string>

#include "ff/core/tensor.h"

namespace ff {

/// Writes a tensor as NumPy's numpy.save() does (format version 1.0, row-major, little-endian), atomically.
void save_npy(const std::string& path, const Tensor& tensor);

/// Reads what numpy.save() wrote: versions 1.0 to 3.0, either byte order, row- or column-major; float32, float64,
/// int32, int64, uint8 and bool. Throws Error naming path and field where the file is anything else.
Tensor load_npy(const std::string& path);

}  // namespace ff
