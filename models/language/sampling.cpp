#include "ff/models/language/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "ff/core/check.h"

namespace ff::models {

void check_sampling(const SamplingOptions& options) {
  constexpr const char* op = "generate";
  check(options.temperature >= 0 && std::isfinite(options.temperature), op, "the temperature must be at least 0: {}",
        options.temperature);
  check(options.top_k >= 0, op, "top_k must be at least 0: {}", options.top_k);
  check(options.top_p > 0 && options.top_p <= 1, op, "top_p must be above 0 and at most 1: {}", options.top_p);
  check(options.repetition_penalty > 0 && std::isfinite(options.repetition_penalty), op,
        "the repetition penalty must be above 0: {}", options.repetition_penalty);
}

void penalise(std::vector<double>& logits, std::span<const std::int64_t> seen, double penalty) {
  if (penalty == 1) return;
  for (const std::int64_t token : std::unordered_set<std::int64_t>(seen.begin(), seen.end())) {
    double& logit = logits[static_cast<std::size_t>(token)];
    logit = logit > 0 ? logit / penalty : logit * penalty;
  }
}

std::int64_t choose_token(const std::vector<double>& logits, const SamplingOptions& options, double u) {
  std::vector<std::int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  auto logit = [&](std::int64_t token) { return logits[static_cast<std::size_t>(token)]; };
  auto likelier = [&](std::int64_t a, std::int64_t b) { return logit(a) != logit(b) ? logit(a) > logit(b) : a < b; };
  const double largest = *std::max_element(logits.begin(), logits.end());
  if (options.temperature == 0) return *std::min_element(order.begin(), order.end(), likelier);
  if (options.top_k > 0 && options.top_k < std::ssize(order)) {
    std::nth_element(order.begin(), order.begin() + options.top_k, order.end(), likelier);
    order.resize(static_cast<std::size_t>(options.top_k));
  }
  auto weight = [&](std::int64_t token) { return std::exp((logit(token) - largest) / options.temperature); };
  double total = 0;
  for (const std::int64_t token : order) total += weight(token);

  // Of a heap the likeliest come first, as many as are needed to make up the nucleus, or, where that is all tokens, to
  // reach the drawn one: seldom many, so that the vocabulary need not be sorted.
  const bool cut = options.top_p < 1;
  auto less_likely = [&](std::int64_t a, std::int64_t b) { return likelier(b, a); };
  std::make_heap(order.begin(), order.end(), less_likely);
  std::vector<double> cumulative;
  auto rest = order.end();
  for (double sum = 0; rest != order.begin() && (cut ? sum < options.top_p * total : sum <= u * total);) {
    std::pop_heap(order.begin(), rest--, less_likely);
    cumulative.push_back(sum += weight(*rest));
  }
  const auto drawn = std::upper_bound(cumulative.begin(), cumulative.end(), u * (cut ? cumulative.back() : total));
  const auto index = std::min(drawn - cumulative.begin(), std::ssize(cumulative) - 1);
  return *(order.end() - 1 - index);
}

}  // namespace ff::models
