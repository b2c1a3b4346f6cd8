#pragma once

#include <vector>

#include "ff/autograd/ops/dims.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// One size may be -1: whatever is left. A view where the layout allows, else a copy.
Tensor reshape(const Tensor& x, const Shape& shape, Where site = {});
/// reshape() that is always a view: throws Error where the layout would take a copy.
Tensor view(const Tensor& x, const Shape& shape, Where site = {});
/// Dimensions begin to end (inclusive) made one.
Tensor flatten(const Tensor& x, int begin = 0, int end = -1, Where site = {});
/// Dimension dim made several of the given sizes, one of which may be -1. A view.
Tensor unflatten(const Tensor& x, int dim, const Shape& sizes, Where site = {});
/// Dimension i of the result is dims[i] of x. A view.
Tensor permute(const Tensor& x, const Dims& dims, Where site = {});
/// Two dimensions exchanged. A view.
Tensor transpose(const Tensor& x, int a, int b, Where site = {});
/// Dimension source[i] of x becomes destination[i] of the result; the others keep their order. A view.
Tensor movedim(const Tensor& x, const Dims& source, const Dims& destination, Where site = {});
Tensor movedim(const Tensor& x, int source, int destination, Where site = {});
/// A new dimension of size 1 before dim. A view.
Tensor unsqueeze(const Tensor& x, int dim, Where site = {});
/// Dimension dim, which must be 1, dropped. A view.
Tensor squeeze(const Tensor& x, int dim, Where site = {});
/// Dimensions dims, each of which must be 1, dropped; by default all that are 1. A view.
Tensor squeeze(const Tensor& x, const Dims& dims = {}, Where site = {});
/// Repeated, without a copy, to shape. A view; do not write to it.
Tensor broadcast_to(const Tensor& x, const Shape& shape, Where site = {});
/// broadcast_to() where -1 keeps the size x has there. A view; do not write to it.
Tensor expand(const Tensor& x, const Shape& shape, Where site = {});
/// One-dimensional tensors (or numbers) of sizes n1, n2, ...: each repeated along the others' dimensions to (n1, n2,
/// ...), as PyTorch's with indexing "ij". Views; do not write to them.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, Where site = {});
/// Dense: itself where it is, else a copy.
Tensor contiguous(const Tensor& x, Where site = {});
/// A dense copy.
Tensor clone(const Tensor& x, Where site = {});

}  // namespace ff
