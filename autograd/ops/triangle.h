#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// The lower triangle of matrices (.., m, n), zeros elsewhere: what is kept is column - row <= diagonal.
Tensor tril(const Tensor& x, std::int64_t diagonal = 0, Where site = {});
/// The upper triangle of matrices (.., m, n), zeros elsewhere: what is kept is column - row >= diagonal.
Tensor triu(const Tensor& x, std::int64_t diagonal = 0, Where site = {});
/// Entries x[.., i, .., i + offset, ..] of dimensions a and b (i - offset and i for a negative offset), which go, as a
/// last dimension. A view. As PyTorch's.
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, int a = 0, int b = 1, Where site = {});
/// Zeros but for x's last dimension on a diagonal of dimensions a and b of the result, square: (.., n) gives (.., m, m)
/// with m = n + |offset|. The adjoint of diagonal().
Tensor diag_embed(const Tensor& x, std::int64_t offset = 0, int a = -2, int b = -1, Where site = {});
/// Of a vector, the matrix with it on a diagonal; of a matrix, that diagonal (a view).
Tensor diag(const Tensor& x, std::int64_t offset = 0, Where site = {});

}  // namespace ff
