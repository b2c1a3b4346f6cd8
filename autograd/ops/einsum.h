#pragma once

#include <string_view>
#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Einstein's sum convention: einsum("bij,bjk->bik", {a, b}) multiplies batches of matrices. A label (a letter) stands
/// for each dimension of each operand; entries of equal labels are multiplied, and the labels that the result lacks are
/// summed over. A label twice in one operand takes its diagonal; "..." stands for any dimensions, aligned at the right
/// and broadcast; a size of 1 broadcasts. Without "->" the result has the dimensions of "...", then the labels that
/// occur once, in ASCII order. Spaces do not count. The operands, of one dtype and not boolean, are multiplied from
/// left to right; the result has their dtype. One operand that is only permuted, or cut to its diagonal, gives a view.
/// Throws Error, naming the label or the place, where the equation is malformed or does not fit the shapes.
Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands, Where site = {});

}  // namespace ff
