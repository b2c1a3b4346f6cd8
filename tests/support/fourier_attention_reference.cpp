#include "tests/support/fourier_attention_reference.h"

#include <cmath>

namespace ff::test {
namespace {

using Real = long double;
using Reals = std::vector<Real>;
using Index = std::int64_t;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

bool sees(const FourierInputs& in, Index b, Index h, Index i, Index j) {
  const cpu::AttentionMask& m = in.mask;
  if (m.causal && j > i + in.sizes.keys - in.sizes.queries) return false;
  return !m.mask || m.mask[b * m.batch + h * m.head + i * m.query + j * m.key] != 0;
}

// What the weight is multiplied by.
Real dropout_factor(const FourierInputs& in, Index head, Index i, Index j) {
  if (in.mask.dropout == 0) return 1;
  const Index word = (head * in.sizes.queries + i) * in.sizes.keys + j;
  const bool dropped = random_bits(in.mask.random, static_cast<std::uint64_t>(word)) < drop_threshold(in.mask.dropout);
  return dropped ? 0 : 1 / (1 - static_cast<Real>(in.mask.dropout));
}

Real distance(const FourierInputs& in, Index head, Index i, Index j, Index d) {
  const Index dim = in.sizes.dim;
  return static_cast<Real>(in.q[at((head * in.sizes.queries + i) * dim + d)]) -
         static_cast<Real>(in.k[at((head * in.sizes.keys + j) * dim + d)]);
}

// The weights of query i, before dropout; all 0 where it sees nothing.
Reals weights_of_row(const FourierInputs& in, Index b, Index h, Index i) {
  const Index head = b * in.sizes.heads + h;
  const bool has_epsilon = in.kernel.epsilon > 0;
  Reals score(at(in.sizes.keys), -INFINITY);
  Real largest = has_epsilon ? std::log(static_cast<Real>(in.kernel.epsilon)) : -INFINITY;
  for (Index j = 0; j < in.sizes.keys; ++j) {
    if (!sees(in, b, h, i, j)) continue;
    score[at(j)] = 0;
    for (Index d = 0; d < in.sizes.dim; ++d) {
      const Real x = in.r[at(h * in.sizes.dim + d)] * distance(in, head, i, j, d);
      if (x != 0) score[at(j)] += static_cast<Real>(in.kernel.power) * std::log(std::abs(std::sin(x) / x));
    }
    largest = std::max(largest, score[at(j)]);
  }
  if (largest == -INFINITY) return Reals(at(in.sizes.keys), 0);
  Real sum = has_epsilon ? std::exp(std::log(static_cast<Real>(in.kernel.epsilon)) - largest) : 0;
  for (Real& s : score) sum += s = std::exp(s - largest);
  for (Real& s : score) s /= sum;
  return score;
}

Real c(Real x) { return std::abs(x) < 1e-3L ? -x / 3 - x * x * x / 45 : 1 / std::tan(x) - 1 / x; }

struct Sums {
  Reals dq, dk, dv, dr;
};

void add_gradients(const FourierInputs& in, Index head, Index i, const Reals& weight, Sums& sums) {
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  const double* dout = in.dout.data() + (head * queries + i) * values;
  Reals g(at(keys), 0);
  Real mean = 0;
  for (Index j = 0; j < keys; ++j) {
    const Real factor = dropout_factor(in, head, i, j);
    for (Index e = 0; e < values; ++e) {
      g[at(j)] += factor * dout[e] * in.v[at((head * keys + j) * values + e)];
      sums.dv[at((head * keys + j) * values + e)] += weight[at(j)] * factor * dout[e];
    }
    mean += weight[at(j)] * g[at(j)];
  }
  for (Index j = 0; j < keys; ++j) {
    if (weight[at(j)] == 0) continue;
    const Real ds = in.kernel.power * weight[at(j)] * (g[at(j)] - mean);
    for (Index d = 0; d < dim; ++d) {
      const Index r = head % heads * dim + d;
      const Real difference = distance(in, head, i, j, d), t = ds * c(in.r[at(r)] * difference);
      sums.dq[at((head * queries + i) * dim + d)] += in.r[at(r)] * t;
      sums.dk[at((head * keys + j) * dim + d)] -= in.r[at(r)] * t;
      sums.dr[at(r)] += difference * t;
    }
  }
}

std::vector<double> doubles(const Reals& x) { return std::vector<double>(x.begin(), x.end()); }

}  // namespace

FourierResults fourier_attention_reference(const FourierInputs& in) {
  const auto [batch, heads, queries, keys, dim, values] = in.sizes;
  Reals out(in.dout.size(), 0), weights(at(batch * heads * queries * keys));
  Sums sums{Reals(in.q.size(), 0), Reals(in.k.size(), 0), Reals(in.v.size(), 0), Reals(in.r.size(), 0)};
  for (Index head = 0; head < batch * heads; ++head) {
    for (Index i = 0; i < queries; ++i) {
      const Reals w = weights_of_row(in, head / heads, head % heads, i);
      for (Index j = 0; j < keys; ++j) {
        weights[at((head * queries + i) * keys + j)] = w[at(j)];
        for (Index e = 0; e < values; ++e)
          out[at((head * queries + i) * values + e)] +=
              w[at(j)] * dropout_factor(in, head, i, j) * in.v[at((head * keys + j) * values + e)];
      }
      add_gradients(in, head, i, w, sums);
    }
  }
  return {doubles(out), doubles(weights), doubles(sums.dq), doubles(sums.dk), doubles(sums.dv), doubles(sums.dr)};
}

}  // namespace ff::test
