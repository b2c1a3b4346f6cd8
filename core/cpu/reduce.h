#pragma once

#include <cstdint>
#include <vector>

#include "ff/core/dtype.h"
#include "ff/core/pieces.h"
#include "ff/core/shape.h"

namespace ff::cpu {

enum class Reduction { sum, prod, max, min, any, all };

/// y = op of x over the dimensions marked true in reduced (one bool a dimension of shape); y dense, of the remaining
/// dimensions in order. x is read through its strides. dtypes: sum and prod give x's own dtype for f32, f64, i32 and
/// i64 (cast before); max and min any but boolean; any and all boolean to boolean. Sums of floats are pairwise with
/// double or blocked accumulation: error independent of the number of terms in practice. max and min propagate NaN.
/// Over an empty extent: sum 0, prod 1, any 0, all 1; max and min must not be asked (check before).
void reduce(Reduction op, DType dtype, const Shape& shape, const bool* reduced, const void* x, const Strides& x_strides,
            void* y);

/// y = index of the largest (or smallest) entry of each row of a dense (rows, n) array, the first of equals, NaN taken
/// for the extreme. n >= 1.
void argmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, std::int64_t* y);
void argmin(DType dtype, std::int64_t rows, std::int64_t n, const void* x, std::int64_t* y);

/// n dense floating elements.
struct Elements {
  DType dtype;
  std::int64_t n;
  const void* x;
  const std::vector<Run>* nonzero = nullptr;  ///< runs, ascending and apart, outside of which x is 0; null: not known
};

/// Sum of squares of all elements of several arrays, in double, in one parallel region. Of an array whose runs are
/// given little more than these is read, and the sum is the same to the last bit.
double sum_of_squares(const std::vector<Elements>& arrays);

}  // namespace ff::cpu
