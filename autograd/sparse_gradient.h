#pragma once

#include <vector>

#include "ff/core/pieces.h"
#include "ff/core/tensor.h"

namespace ff {

/// Makes the gradient of a leaf, a table of which a step uses few rows (entries along the first dimension), cost what
/// those rows cost. grad() is a dense tensor all the same, and has the values that it would have. But where
/// embedding(), index_select() or slice() take rows from the leaf itself, backward() adds to zeros that are kept from
/// step to step, in place, and notes which rows; as soon as the gradient is dropped (zero_grad()), these rows alone are
/// cleared. No pass over the table is made, and none by SparseAdam, grad_norm() and clip_grad_norm(); the zeros stay
/// allocated. A gradient that comes from elsewhere, too, or while a graph of it is asked for, or that somebody changes
/// or keeps, is one like any other. Throws Error unless leaf is a leaf of at least one dimension.
void keep_sparse_gradient(const Tensor& leaf, Where site = {});
/// Whether it was made to.
bool keeps_sparse_gradient(const Tensor& leaf);

/// Runs of elements, ascending and apart, made of whole rows, outside of which a contiguous gradient is zero; null
/// where that is not known, and every element must be looked at. Good until the gradient changes.
const std::vector<Run>* touched(const Tensor& gradient);

namespace autograd {

/// To be called after rows of a dense tensor were changed in place: a change as bump_version() tells of, but what is
/// known of the tensor's other rows remains known. rows may come in any order, and overlap.
void touch_rows(const Tensor& tensor, std::vector<Run> rows);

/// Zeros to add the gradient of leaf to; undefined unless it keeps a sparse one.
Tensor take_zeros(const Tensor& leaf);

/// Clears a gradient that leaf is done with, to be taken again; does nothing unless leaf keeps a sparse one, what was
/// touched is known, and nobody else has the tensor.
void give_back(const Tensor& leaf, Tensor gradient);

/// sum += term, both contiguous, in place; what is not touched of term is not read.
void add_touched(const Tensor& sum, const Tensor& term);

/// gradient *= factor, in place; what is not touched of it is not read.
void scale_touched(const Tensor& gradient, double factor);

}  // namespace autograd
}  // namespace ff
