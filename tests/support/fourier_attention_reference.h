#pragma once

#include <cstdint>
#include <vector>

#include "ff/core/cpu/fourier_attention.h"

namespace ff::test {

/// Fourier attention and its gradients, all arrays dense: q (B, H, N, D), k (B, H, M, D), v (B, H, M, E), r (H, D),
/// dout and out (B, H, N, E), weights (B, H, N, M) before dropout.
struct FourierInputs {
  cpu::AttentionSizes sizes;
  cpu::AttentionMask mask;
  cpu::FourierKernel kernel;
  std::vector<double> q, k, v, r, dout;
};

struct FourierResults {
  std::vector<double> out, weights, dq, dk, dv, dr;
};

/// The formulas of core/cpu/fourier_attention.h in plain loops of long double, holding all weights.
FourierResults fourier_attention_reference(const FourierInputs&);

}  // namespace ff::test
