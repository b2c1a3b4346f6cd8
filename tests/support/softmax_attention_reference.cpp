#include "tests/support/softmax_attention_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ff::test {
namespace {

using cpu::AttentionMask;
using cpu::AttentionSizes;
using cpu::Heads;

double dot(const double* x, const double* y, std::int64_t n) {
  double sum = 0;
  for (std::int64_t d = 0; d < n; ++d) sum += x[d] * y[d];
  return sum;
}

// Weights of row i over all keys, before dropout, all 0 where it sees none; returns log sum exp.
double weigh_row(const AttentionSizes& s, const AttentionMask& mask, double scale, Heads<const double> q,
                 Heads<const double> k, std::int64_t b, std::int64_t h, std::int64_t i, std::vector<double>& weights) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  double max = -infinity, sum = 0;
  for (std::int64_t j = 0; j < s.keys; ++j) {
    double& score = weights[static_cast<std::size_t>(j)];
    score = sees(s, mask, b, h, i, j) ? scale * dot(q.at(b, h, i), k.at(b, h, j), s.dim) : -infinity;
    max = std::max(max, score);
  }
  for (double& w : weights) {
    w = max == -infinity ? 0 : std::exp(w - max);
    sum += w;
  }
  if (sum == 0) return -infinity;
  for (double& w : weights) w /= sum;
  return max + std::log(sum);
}

}  // namespace

bool sees(const AttentionSizes& s, const AttentionMask& mask, std::int64_t b, std::int64_t h, std::int64_t i,
          std::int64_t j) {
  if (mask.causal && j > i + s.keys - s.queries) return false;
  return !mask.mask || mask.mask[b * mask.batch + h * mask.head + i * mask.query + j * mask.key] != 0;
}

double dropout_factor(const AttentionSizes& s, const AttentionMask& mask, std::int64_t b, std::int64_t h,
                      std::int64_t i, std::int64_t j) {
  if (mask.dropout == 0) return 1;
  const auto word = static_cast<std::uint64_t>(((b * s.heads + h) * s.queries + i) * s.keys + j);
  return random_bits(mask.random, word) < drop_threshold(mask.dropout) ? 0 : 1 / (1 - mask.dropout);
}

SoftmaxAttentionReference softmax_attention_reference(const AttentionSizes& s, const AttentionMask& mask, double scale,
                                                      Heads<const double> q, Heads<const double> k,
                                                      Heads<const double> v, Heads<const double> dout) {
  auto zeros = [&](std::int64_t rows, std::int64_t features) {
    return std::vector<double>(static_cast<std::size_t>(s.batch * s.heads * rows * features));
  };
  SoftmaxAttentionReference r{zeros(s.queries, s.value_dim), zeros(s.queries, 1), zeros(s.queries, s.dim),
                              zeros(s.keys, s.dim), zeros(s.keys, s.value_dim)};
  std::vector<double> weights(static_cast<std::size_t>(s.keys));
  for (std::int64_t row = 0; row < s.batch * s.heads * s.queries; ++row) {
    const std::int64_t head = row / s.queries, i = row % s.queries, b = head / s.heads, h = head % s.heads;
    r.lse[static_cast<std::size_t>(row)] = weigh_row(s, mask, scale, q, k, b, h, i, weights);
    double *out = r.out.data() + row * s.value_dim, *dq = r.dq.data() + row * s.dim;
    const double* g = dout.at(b, h, i);
    double mean = 0;  // sum_j of weight times gradient of the weight
    for (std::int64_t j = 0; j < s.keys; ++j) {
      const double kept = weights[static_cast<std::size_t>(j)] * dropout_factor(s, mask, b, h, i, j);
      double* dv = r.dv.data() + (head * s.keys + j) * s.value_dim;
      for (std::int64_t e = 0; e < s.value_dim; ++e) {
        out[e] += kept * v.at(b, h, j)[e];
        dv[e] += kept * g[e];
      }
      mean += kept * dot(g, v.at(b, h, j), s.value_dim);
    }
    for (std::int64_t j = 0; j < s.keys; ++j) {
      const double product = dropout_factor(s, mask, b, h, i, j) * dot(g, v.at(b, h, j), s.value_dim);
      const double ds = weights[static_cast<std::size_t>(j)] * (product - mean) * scale;
      double* dk = r.dk.data() + (head * s.keys + j) * s.dim;
      for (std::int64_t d = 0; d < s.dim; ++d) {
        dq[d] += ds * k.at(b, h, j)[d];
        dk[d] += ds * q.at(b, h, i)[d];
      }
    }
  }
  return r;
}

}  // namespace ff::test
