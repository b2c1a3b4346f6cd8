#pragma once

#include <cstdint>
#include <vector>

namespace ff::models {

/// Eigenvalues of a symmetric n x n matrix, in no order, by Jacobi's rotations (Golub and Van Loan, Matrix
/// Computations, section 8.5). For matrices of up to some hundred rows.
std::vector<double> symmetric_eigenvalues(std::vector<double> matrix, std::int64_t n);

/// The effective rank (Roy and Vetterli 2007) of a matrix A, n columns wide, from A^T A: exp of the entropy of A's
/// singular values, scaled to sum to 1; 0 where all are 0. Eigenvalues of A^T A up to noise are taken for 0.
double effective_rank(std::vector<double> products, std::int64_t n, double noise = 0);

}  // namespace ff::models
