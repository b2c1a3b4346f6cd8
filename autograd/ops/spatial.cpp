#include "ff/autograd/ops/spatial.h"

#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff::spatial {

void check_image(const char* op, int n, const Tensor& x) {
  kernels::check_floating(op, x);
  check(x.rank() == n + 1 || x.rank() == n + 2, op, "x must be {} or {}: its shape is {}",
        n == 1 ? "(B, C, L)" : "(B, C, H, W)", n == 1 ? "(C, L)" : "(C, H, W)", x.shape().str());
}

Tensor to_images(const Tensor& x, int n) {
  const Tensor batch = x.rank() == n + 1 ? unsqueeze(x, 0) : x;
  return n == 1 ? unsqueeze(batch, 2) : batch;
}

Tensor from_images(const Tensor& y, const Tensor& like, int n) {
  const Tensor flat = n == 1 ? squeeze(y, 2) : y;
  return like.rank() == n + 1 ? squeeze(flat, 0) : flat;
}

void check_values(const char* op, std::string_view what, std::array<std::int64_t, 2> values, std::int64_t low) {
  for (std::int64_t value : values)
    check(value >= low && value <= INT32_MAX, op, "{} must be at least {}{}: {}", what, low,
          value < low ? "" : " and less than 2^31", value);
}

void check_result(const char* op, const Shape& shape) {
  double numel = 1;
  for (std::int64_t size : shape) numel *= static_cast<double>(size);
  check(numel < 0x1p48, op, "the result would have shape {}", shape.str());
}

}  // namespace ff::spatial
