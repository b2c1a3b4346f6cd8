#pragma once

#include <string>
#include <vector>

namespace ff::cpu {

/// The instruction sets that kernels were compiled for and this machine has, the best first: "AVX3" (AVX-512), "AVX2",
/// "SSE4", "NEON", ..., and last one without vectors that every machine has, "SCALAR" or "EMU128".
std::vector<std::string> simd_targets();

/// The one that the kernels run with: the best, or that which the environment variable FF_SIMD names (in capitals or
/// not), by which a machine computes the bits of a lesser one. It is chosen once, when first asked for or when the
/// first tensor is made, and says nothing to OpenBLAS, whose variable is OPENBLAS_CORETYPE. Throws Error where FF_SIMD
/// names none of simd_targets().
const std::string& simd_target();

/// How the BLAS library describes itself. Defined in matmul.cpp, which alone knows it.
std::string blas_config();

}  // namespace ff::cpu
