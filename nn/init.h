#pragma once

#include <cstdint>

#include "ff/core/tensor.h"

/// Initial values, written over a floating tensor in place; random ones from ff::default_generator().
namespace ff::nn::init {

void constant_(const Tensor& tensor, double value);
void zeros_(const Tensor& tensor);
void ones_(const Tensor& tensor);

/// Uniform between low and high.
void uniform_(const Tensor& tensor, double low = 0, double high = 1);
/// Normal of that mean and standard deviation.
void normal_(const Tensor& tensor, double mean = 0, double std = 1);
/// Normal, those outside [low, high] drawn again; the bounds are values, not multiples of std. Throws Error where [low,
/// high] holds less than a hundredth of the distribution.
void trunc_normal_(const Tensor& tensor, double mean = 0, double std = 1, double low = -2, double high = 2);

/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010). A weight is (out, in, kernel..), of at
/// least two dimensions, or Error is thrown.
void xavier_uniform_(const Tensor& tensor, double gain = 1);
/// Uniform in +-sqrt(6 / ((1 + a^2) fan_in)) (He et al. 2015), for a leaky ReLU of slope a.
void kaiming_uniform_(const Tensor& tensor, double a = 0);

/// Inputs that each output of a weight (out, in, kernel..) is summed over.
std::int64_t fan_in(const Tensor& weight);
std::int64_t fan_out(const Tensor& weight);

}  // namespace ff::nn::init
