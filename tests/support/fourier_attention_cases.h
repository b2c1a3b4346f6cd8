#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/fourier_attention_reference.h"

namespace ff::test {

/// Random inputs of an attention.
struct FourierSetting {
  cpu::AttentionSizes sizes{};
  double power = 4, r = 1;
  double spread = 1;  ///< of queries and keys: normal of this deviation
  double range = 0;   ///< where positive: uniform in [-range, range] instead
  double offset = 0;  ///< added to queries and keys
};

std::string name(const FourierSetting&);

/// Exact in float32, so that kernels and reference see the same.
FourierInputs fourier_inputs(const FourierSetting&);

double largest(const std::vector<double>& x);  ///< |x|

template <class T>
std::vector<T> as(const std::vector<double>& x) {
  return std::vector<T>(x.begin(), x.end());
}

template <class T>
struct FourierRun {
  std::vector<T> out, row_max, row_sum, dq, dk, dv, dr;
};

/// Forward and backward of the kernel on dense arrays of float or double; results are filled with a wrong number first.
/// kept: weights are kept between the two where the kernel offers it.
template <class T>
FourierRun<T> run_fourier(const FourierInputs& in, bool kept = true);

/// Checks the double kernel to 1e-12 and the float kernel to 2e-6 of the largest |v| (out) and 2e-5 (gradients, each
/// relative to its own largest entry; a dr of one entry to the largest of all gradients) against the reference.
void check_fourier(const FourierInputs& in);

}  // namespace ff::test
