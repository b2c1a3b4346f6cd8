#pragma once

#include <vector>

#include "ff/core/cpu/attention.h"

namespace ff::test {

/// Results of softmax attention and the gradients of sum(out * dout), arrays dense as (B, H, rows, features).
struct SoftmaxAttentionReference {
  std::vector<double> out, lse, dq, dk, dv;
};

/// The definition as plain loops in double, a row of weights at a time.
SoftmaxAttentionReference softmax_attention_reference(const cpu::AttentionSizes&, const cpu::AttentionMask&,
                                                      double scale, cpu::Heads<const double> q,
                                                      cpu::Heads<const double> k, cpu::Heads<const double> v,
                                                      cpu::Heads<const double> dout);

/// What weight (b, h, i, j) is multiplied by: 0 where it is dropped, 1 / (1 - p) where it is kept, 1 without dropout.
double dropout_factor(const cpu::AttentionSizes&, const cpu::AttentionMask&, std::int64_t b, std::int64_t h,
                      std::int64_t i, std::int64_t j);

/// Whether query i sees key j.
bool sees(const cpu::AttentionSizes&, const cpu::AttentionMask&, std::int64_t b, std::int64_t h, std::int64_t i,
          std::int64_t j);

}  // namespace ff::test
