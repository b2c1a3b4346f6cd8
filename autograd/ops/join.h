#pragma once

#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// One after the other along dim; the other sizes must agree.
Tensor concatenate(const std::vector<Tensor>& tensors, int dim = 0, Where site = {});
/// Along a new dimension dim; all sizes must agree.
Tensor stack(const std::vector<Tensor>& tensors, int dim = 0, Where site = {});
/// Pieces of the given sizes along dim. Views.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim = 0, Where site = {});
/// Pieces of one size along dim, the last of what is left. Views.
std::vector<Tensor> split(const Tensor& x, std::int64_t size, int dim = 0, Where site = {});
/// `count` pieces of one size along dim, rounded up, as PyTorch's: the last may be smaller, and there may be fewer.
/// Views.
std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, int dim = 0, Where site = {});
/// The entries along dim, which goes. Views.
std::vector<Tensor> unbind(const Tensor& x, int dim = 0, Where site = {});

}  // namespace ff
