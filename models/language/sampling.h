#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ff::models {

/// How the next token is chosen from the logits of all. They apply in this order: penalty, temperature, top_k, top_p.
struct SamplingOptions {
  double temperature = 1;         ///< what the logits are divided by; 0: always the likeliest token
  std::int64_t top_k = 0;         ///< choose among the k likeliest tokens alone; 0: among all
  double top_p = 1;               ///< among the fewest of the likeliest that have this share of the probability
  double repetition_penalty = 1;  ///< above 1, tokens that the text has already are less likely; see penalise()
};

/// Throws Error where an option makes no sense.
void check_sampling(const SamplingOptions& options);

/// Keskar et al. 2019 (arXiv 1909.05858), as Hugging Face's repetition_penalty: the logit of each token that `seen`
/// has, however often, is divided by penalty where it is positive, else multiplied by it.
void penalise(std::vector<double>& logits, std::span<const std::int64_t> seen, double penalty);

/// A token drawn by u, uniform in [0, 1), from softmax(logits / temperature) cut down by top_k and top_p (nucleus
/// sampling, Holtzman et al. 2020); among equals, those of lower numbers count as likelier. At least one token is left.
std::int64_t choose_token(const std::vector<double>& logits, const SamplingOptions& options, double u);

}  // namespace ff::models
