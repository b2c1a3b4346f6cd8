#include "ff/autograd/ops/attention_arguments.h"

#include <limits>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/decode.h"

namespace ff::attention {

cpu::AttentionSizes sizes(const char* op, const Tensor& q, const Tensor& k, const Tensor& v) {
  // Shapes are put into words only where they are wrong: a step of decoding would spend a tenth of its time on it.
  const auto refuse = [&](const char* what) {
    fail(op, "{}: q {}, k {}, v {}", what, q.shape().str(), k.shape().str(), v.shape().str());
  };
  if (!(q.rank() == 4 && k.rank() == 4 && v.rank() == 4 && q.size(0) == k.size(0) && q.size(0) == v.size(0) &&
        k.size(1) == v.size(1) && q.size(3) == k.size(3) && k.size(2) == v.size(2)))
    refuse("q (B, H, N, D), k (B, H, M, D) and v (B, H, M, E) are needed");
  if (q.size(1) != k.size(1) && (k.size(1) == 0 || q.size(1) % k.size(1) != 0))
    refuse("the heads of k and v must be those of q, or divide them");
  if (q.size(3) == 0 || v.size(3) == 0) refuse("no features");
  check(is_floating(q.dtype()) && q.dtype() == k.dtype() && q.dtype() == v.dtype(), op,
        "floating tensors of one dtype are needed: q {}, k {}, v {}", name(q.dtype()), name(k.dtype()),
        name(v.dtype()));
  return {q.size(0), q.size(1), q.size(2), k.size(2), q.size(3), v.size(3)};
}

void check_options(const char* op, const cpu::AttentionSizes& s, const Tensor& mask, double dropout) {
  check(dropout >= 0 && dropout < 1, op, "the dropout probability must lie in [0, 1): {}", dropout);
  if (!mask.defined()) return;
  const Shape scores{s.batch, s.heads, s.queries, s.keys};
  check(mask.dtype() == boolean, op, "the mask must be boolean: {}", name(mask.dtype()));
  check(broadcast_shapes(op, mask.shape(), scores) == scores, op, "a mask of shape {} does not broadcast to {}",
        mask.shape().str(), scores.str());
}

RandomKey random_key(const cpu::AttentionSizes& s, double dropout, const std::optional<RandomKey>& given) {
  if (dropout == 0) return {};
  return given ? *given : default_generator().next(static_cast<std::uint64_t>(s.batch * s.heads * s.queries * s.keys));
}

cpu::AttentionMask kernel_mask(const cpu::AttentionSizes& s, bool causal, const Tensor& mask, double dropout,
                               RandomKey random) {
  cpu::AttentionMask m{.causal = causal, .dropout = dropout, .random = random};
  if (mask.defined()) {
    const Strides strides = broadcast_strides(mask.shape(), mask.strides(), {s.batch, s.heads, s.queries, s.keys});
    m.mask = static_cast<const std::uint8_t*>(mask.raw());
    m.batch = strides[0], m.head = strides[1], m.query = strides[2], m.key = strides[3];
  }
  return m;
}

Tensor with_dense_rows(const Tensor& x) { return x.strides()[3] == 1 || x.size(3) == 1 ? x : x.copy(); }

bool decodes(bool recording, const cpu::AttentionSizes& s, DType dtype, double dropout) {
  return !recording && s.queries <= cpu::decode_queries && dtype == f32 && dropout == 0;
}

std::int64_t shared_by(const cpu::AttentionSizes& s, const Tensor& k) {
  return k.size(1) > 0 ? s.heads / k.size(1) : 1;
}

Tensor repeat_shared(const Tensor& x, std::int64_t heads) {
  if (x.size(1) == heads) return x;
  const std::int64_t shared = heads / x.size(1);
  return reshape(broadcast_to(unsqueeze(x, 2), {x.size(0), x.size(1), shared, x.size(2), x.size(3)}),
                 {x.size(0), heads, x.size(2), x.size(3)});
}

Tensor sum_shared(const Tensor& dx, std::int64_t shared) {
  if (shared == 1) return dx;
  const NoGrad no_grad;
  return sum(reshape(dx, {dx.size(0), dx.size(1) / shared, shared, dx.size(2), dx.size(3)}), {2});
}

Tensor empty_heads(std::int64_t batch, std::int64_t heads, std::int64_t rows, std::int64_t features, DType dtype) {
  const Tensor memory = Tensor::empty({batch, rows, heads, features}, dtype);
  return memory.as_strided({batch, heads, rows, features}, {rows * heads * features, features, heads * features, 1});
}

Tensor mask_scores(const Tensor& scores, bool causal, const Tensor& mask) {
  const double never = -std::numeric_limits<double>::infinity();
  Tensor s = scores;
  if (mask.defined()) s = masked_fill(s, logical_not(mask), never);
  if (causal) {
    const std::int64_t n = s.size(2), m = s.size(3);
    const Tensor i = reshape(arange(0, static_cast<double>(n), 1, {.dtype = i64}), {n, 1});
    const Tensor j = arange(0, static_cast<double>(m), 1, {.dtype = i64});
    s = masked_fill(s, gt(j, i + static_cast<double>(m - n)), never);
  }
  return s;
}

}  // namespace ff::attention
