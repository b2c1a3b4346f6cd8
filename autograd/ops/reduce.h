#pragma once

#include <optional>

#include "ff/autograd/ops/dims.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Over dims, all where empty; a reduced dimension goes, or stays as 1 with keepdim. Integers are summed as i64.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// x summed over the dimensions along which a tensor of shape was broadcast: the adjoint of broadcast_to.
Tensor sum_to(const Tensor& x, const Shape& shape, Where site = {});
/// Product of the entries, 1 of none; integers and booleans are multiplied as i64. The gradient is right where entries
/// are 0: nothing is divided by them.
Tensor prod(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// Variance with the divisor n - correction, or 0 where that is negative: NaN of one entry with the default correction.
Tensor var(const Tensor& x, const Dims& dims = {}, std::int64_t correction = 1, bool keepdim = false, Where site = {});
/// sqrt(var(x)); the gradient where it is 0 is 0. Beside `using namespace ff` it must be called as ff::std.
Tensor std(const Tensor& x, const Dims& dims = {}, std::int64_t correction = 1, bool keepdim = false, Where site = {});
/// (sum |x|^p)^(1/p), any p but NaN; p = infinity: the largest |x|; -infinity: the smallest; 0: how many entries are
/// not 0. The gradient where the norm is 0, and of entries that are 0, is 0; the largest, if equal, share theirs
/// evenly. Integers are converted to f32. Throws Error over an empty extent for p < 0 and p = infinity.
Tensor norm(const Tensor& x, double p = 2, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// Largest (smallest) entries; NaN where there is one. The gradient is shared evenly between equals. Throws Error over
/// an empty extent. amax and amin are other names for them.
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor amax(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor amin(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// Index of the largest (smallest) entry along dim, the first of equals, NaN taken for the extreme; i64. Without dim:
/// of all entries, counted row-major. Throws Error over an empty extent.
Tensor argmax(const Tensor& x, std::optional<int> dim = {}, bool keepdim = false, Where site = {});
Tensor argmin(const Tensor& x, std::optional<int> dim = {}, bool keepdim = false, Where site = {});
/// Whether any entry (every entry) is true, or not 0 in a dtype other than boolean; of none: false (true). Booleans.
Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// How many entries are not 0; i64.
Tensor count_nonzero(const Tensor& x, const Dims& dims = {}, Where site = {});
/// log sum exp x, without overflow.
Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim = false, Where site = {});

}  // namespace ff
