#pragma once

#include <string>

namespace ff::cpu {

/// The instruction set that the kernels run with on this machine: "AVX3", "AVX2", "SSE4", "NEON", ...
std::string simd_target();

/// How the BLAS library describes itself. Defined in matmul.cpp, which alone knows it.
std::string blas_config();

}  // namespace ff::cpu
