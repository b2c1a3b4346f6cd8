#pragma once

#include "ff/core/call_site.h"
#include "ff/core/random.h"
#include "ff/core/tensor.h"

namespace ff {

// Of floating tensors, with 0 <= p < 1. What is dropped is decided again in the backward pass: no mask is kept.

/// Each element 0 with probability p, else times 1 / (1 - p) (Srivastava et al. 2014); x itself if p = 0.
Tensor dropout(const Tensor& x, double p, Generator& generator = default_generator(), Where site = {});
/// Whole channels of x (B, C, ..) dropped, each with probability p, the others times 1 / (1 - p) (Tompson et al. 2015);
/// x itself if p = 0.
Tensor dropout2d(const Tensor& x, double p, Generator& generator = default_generator(), Where site = {});
/// Stochastic depth (Huang et al. 2016): each sample, an entry of dimension 0, dropped with probability p, the others
/// times 1 / (1 - p); x itself if p = 0.
Tensor drop_path(const Tensor& x, double p, Generator& generator = default_generator(), Where site = {});
/// residual + dropout(x, p) in one pass over memory, forward and backward: two tensors of one shape and dtype.
Tensor dropout_add(const Tensor& x, const Tensor& residual, double p, Generator& generator = default_generator(),
                   Where site = {});
/// residual + drop_path(x, p) in one pass over memory, forward and backward: two tensors of one shape and dtype.
Tensor drop_path_add(const Tensor& x, const Tensor& residual, double p, Generator& generator = default_generator(),
                     Where site = {});
/// The factors that dropout multiplies by: 0 or 1 / (1 - p), floating; element i is decided by word i of the stretch.
Tensor dropout_mask(const Shape& shape, double p, RandomKey key, DType dtype = f32, Where site = {});

}  // namespace ff
