// The float64 kernel: the formulas row by row. It serves gradient checks and references, where digits count and time
// does not; scores are plain logarithms, row_max the largest of a row.

#include <algorithm>
#include <cmath>
#include <limits>

#include "ff/core/cpu/fourier_attention.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/special.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Inputs {
  const AttentionSizes& sizes;
  const AttentionMask& mask;
  const FourierKernel& kernel;
  Heads<const double> q, k, v;
  const double* r;
};

// scores[j] = power sum_d log|sinc(R_d (q_id - k_jd))|, -infinity where query i does not see key j.
void score_row(const Inputs& in, std::int64_t b, std::int64_t h, std::int64_t i, double* scores) {
  const double *q = in.q.at(b, h, i), *r = in.r + h * in.sizes.dim;
  std::fill_n(scores, in.sizes.keys, 0.0);
  hide_masked(in.sizes, in.mask, {b, h, i, 1, 0, in.sizes.keys}, scores, in.sizes.keys);
  for (std::int64_t j = 0; j < in.sizes.keys; ++j) {
    if (scores[j] != 0) continue;
    const double* k = in.k.at(b, h, j);
    double sum = 0;
    for (std::int64_t d = 0; d < in.sizes.dim; ++d) sum += log_sinc(r[d] * (q[d] - k[d]));
    scores[j] = in.kernel.power * sum;
  }
}

// exp(scores - largest) in place.
void weigh_row(double* scores, std::int64_t keys, double largest) {
  for (std::int64_t j = 0; j < keys; ++j) scores[j] = scores[j] == -infinity ? 0 : std::exp(scores[j] - largest);
}

// The largest score, that of epsilon among them.
double largest_score(const Inputs& in, const double* scores) {
  double largest = in.kernel.epsilon > 0 ? std::log(in.kernel.epsilon) : -infinity;
  for (std::int64_t j = 0; j < in.sizes.keys; ++j) largest = std::max(largest, scores[j]);
  return largest;
}

// Factors of dropout for row i, or ones.
void factor_row(const Inputs& in, std::int64_t b, std::int64_t h, std::int64_t i, double* factors) {
  std::fill_n(factors, in.sizes.keys, 1.0);
  if (in.mask.dropout > 0) dropout_factors(in.sizes, in.mask, {b, h, i, 1, 0, in.sizes.keys}, factors, in.sizes.keys);
}

struct Forward {
  Inputs in;
  Heads<double> out;
  FourierRows<double> rows;
};

void attend_row(const Forward& f, std::int64_t b, std::int64_t h, std::int64_t i, double* weights, double* factors) {
  const AttentionSizes& sizes = f.in.sizes;
  score_row(f.in, b, h, i, weights);
  const double largest = largest_score(f.in, weights), epsilon = f.in.kernel.epsilon;
  weigh_row(weights, sizes.keys, largest);
  factor_row(f.in, b, h, i, factors);
  double sum = epsilon > 0 ? std::exp(std::log(epsilon) - largest) : 0;
  double* out = f.out.at(b, h, i);
  std::fill_n(out, sizes.value_dim, 0.0);
  for (std::int64_t j = 0; j < sizes.keys; ++j) {
    sum += weights[j];
    const double *v = f.in.v.at(b, h, j), weight = weights[j] * factors[j];
    for (std::int64_t e = 0; e < sizes.value_dim; ++e) out[e] += weight * v[e];
  }
  for (std::int64_t e = 0; e < sizes.value_dim && sum != 0; ++e) out[e] /= sum;
  const std::int64_t row = (b * sizes.heads + h) * sizes.queries + i;
  f.rows.max[row] = largest;
  f.rows.sum[row] = sum;
}

struct Backward {
  Inputs in;
  Heads<const double> out;
  FourierRows<const double> rows;
  Heads<const double> dout;
  Heads<double> dq, dk, dv;
  double* dr;  // of (b, h)
};

double dot(const double* x, const double* y, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

// What pair (i, j) of dS = ds adds to dq, dk and dr.
void add_score_gradient(const Backward& f, std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j, double ds) {
  const std::int64_t dim = f.in.sizes.dim;
  const double *q = f.in.q.at(b, h, i), *k = f.in.k.at(b, h, j), *r = f.in.r + h * dim;
  double *dq = f.dq.at(b, h, i), *dk = f.dk.at(b, h, j);
  for (std::int64_t d = 0; d < dim; ++d) {
    const double t = f.in.kernel.power * ds * log_sinc_grad(r[d] * (q[d] - k[d]));
    dq[d] += r[d] * t;
    dk[d] -= r[d] * t;
    f.dr[d] += (q[d] - k[d]) * t;
  }
}

void row_gradients(const Backward& f, std::int64_t b, std::int64_t h, std::int64_t i, double* weights,
                   double* factors) {
  const AttentionSizes& sizes = f.in.sizes;
  const std::int64_t row = (b * sizes.heads + h) * sizes.queries + i;
  std::fill_n(f.dq.at(b, h, i), sizes.dim, 0.0);
  if (f.rows.sum[row] == 0) return;
  score_row(f.in, b, h, i, weights);
  weigh_row(weights, sizes.keys, f.rows.max[row]);
  factor_row(f.in, b, h, i, factors);
  const double *dout = f.dout.at(b, h, i), mean = dot(dout, f.out.at(b, h, i), sizes.value_dim);
  for (std::int64_t j = 0; j < sizes.keys; ++j) {
    if (weights[j] == 0) continue;  // and then c may be infinite
    const double weight = weights[j] / f.rows.sum[row];
    double* dv = f.dv.at(b, h, j);
    for (std::int64_t e = 0; e < sizes.value_dim; ++e) dv[e] += weight * factors[j] * dout[e];
    const double g = factors[j] * dot(dout, f.in.v.at(b, h, j), sizes.value_dim);
    add_score_gradient(f, b, h, i, j, weight * (g - mean));
  }
}

}  // namespace

void fourier_attention(const AttentionSizes& sizes, const AttentionMask& mask, const FourierKernel& kernel,
                       Heads<const double> q, Heads<const double> k, Heads<const double> v, const double* r,
                       Heads<double> out, const FourierRows<double>& rows) {
  const Forward forward{{sizes, mask, kernel, q, k, v, r}, out, rows};
  parallel_for(sizes.batch * sizes.heads * sizes.queries, 16, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<double> weights(sizes.keys), factors(sizes.keys);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t head = row / sizes.queries;
      attend_row(forward, head / sizes.heads, head % sizes.heads, row % sizes.queries, weights.data(), factors.data());
    }
  });
}

void fourier_attention_backward(const AttentionSizes& sizes, const AttentionMask& mask, const FourierKernel& kernel,
                                Heads<const double> q, Heads<const double> k, Heads<const double> v, const double* r,
                                Heads<const double> out, const FourierRows<const double>& rows,
                                Heads<const double> dout, Heads<double> dq, Heads<double> dk, Heads<double> dv,
                                double* dr) {
  const std::int64_t heads = sizes.batch * sizes.heads, size = sizes.heads * sizes.dim;
  const Scratch<double> dr_parts(heads * sizes.dim, 0.0);
  parallel_for(heads, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<double> weights(sizes.keys), factors(sizes.keys);
    for (std::int64_t head = begin; head < end; ++head) {
      const std::int64_t b = head / sizes.heads, h = head % sizes.heads;
      const Backward backward{{sizes, mask, kernel, q, k, v, r}, out, rows, dout, dq, dk, dv,
                              dr_parts.data() + head * sizes.dim};
      for (std::int64_t j = 0; j < sizes.keys; ++j) {
        std::fill_n(dk.at(b, h, j), sizes.dim, 0.0);
        std::fill_n(dv.at(b, h, j), sizes.value_dim, 0.0);
      }
      for (std::int64_t i = 0; i < sizes.queries; ++i) row_gradients(backward, b, h, i, weights.data(), factors.data());
    }
  });
  for (std::int64_t i = 0; i < size; ++i) {
    dr[i] = 0;
    for (std::int64_t b = 0; b < sizes.batch; ++b) dr[i] += dr_parts[b * size + i];
  }
}

}  // namespace ff::cpu
