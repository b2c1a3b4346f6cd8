#include "ff/models/language/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/random.h"

namespace ff::models {
namespace {

constexpr const char* op = "generate";

// Evaluation mode as long as it lives.
class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Module& module) : module_(module), was_training_(module.training()) { module.eval(); }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  nn::Module& module_;
  bool was_training_;
};

void check_options(const GenerateOptions& options) {
  check(options.max_tokens >= 0, op, "the number of tokens is negative: {}", options.max_tokens);
  check(options.temperature >= 0 && std::isfinite(options.temperature), op, "the temperature must be at least 0: {}",
        options.temperature);
  check(options.top_k >= 0, op, "top_k must be at least 0: {}", options.top_k);
}

// Logits of the token after `tokens`, of which the last `context` are looked at.
std::vector<double> next_logits(LanguageModel& model, const std::vector<std::int64_t>& tokens) {
  const auto seen = std::min(tokens.size(), static_cast<std::size_t>(model.config().context));
  const Tensor input = Tensor::from(std::span(tokens).last(seen), {1, static_cast<std::int64_t>(seen)});
  const Tensor last = select(model.hidden(input), 1, static_cast<std::int64_t>(seen) - 1);  // (1, width)
  const std::vector<double> logits = model.logits(last).to_vector<double>();
  for (const double logit : logits) check(std::isfinite(logit), op, "the model gives a logit of {}", logit);
  return logits;
}

// The index of a token, drawn by u, uniform in [0, 1).
std::int64_t choose(const std::vector<double>& logits, const GenerateOptions& options, double u) {
  std::vector<std::int64_t> order(logits.size());  // by falling logit; equals by number, so that the choice is defined
  std::iota(order.begin(), order.end(), 0);
  auto logit = [&](std::int64_t token) { return logits[static_cast<std::size_t>(token)]; };
  auto likelier = [&](std::int64_t a, std::int64_t b) { return logit(a) != logit(b) ? logit(a) > logit(b) : a < b; };
  if (options.temperature == 0) return *std::min_element(order.begin(), order.end(), likelier);
  std::sort(order.begin(), order.end(), likelier);
  if (options.top_k > 0 && options.top_k < std::ssize(order)) order.resize(static_cast<std::size_t>(options.top_k));

  std::vector<double> cumulative;
  double total = 0;
  for (const std::int64_t token : order) {
    total += std::exp((logit(token) - logit(order[0])) / options.temperature);
    cumulative.push_back(total);
  }
  const auto drawn = std::upper_bound(cumulative.begin(), cumulative.end(), u * total) - cumulative.begin();
  return order[std::min(static_cast<std::size_t>(drawn), order.size() - 1)];
}

}  // namespace

std::string generate(LanguageModel& model, const Vocabulary& vocabulary, std::string_view prompt,
                     const GenerateOptions& options) {
  check_options(options);
  std::vector<std::int64_t> tokens = vocabulary.encode(prompt).to_vector<std::int64_t>();
  if (tokens.empty()) tokens.push_back(vocabulary.end_of_line());
  const std::size_t given = tokens.size();

  NoGrad no_grad;
  const EvaluationMode evaluation(model);
  Generator random(options.seed);
  for (std::int64_t i = 0; i < options.max_tokens; ++i) {
    double u = 0;
    fill_uniform(&u, 1, random.next(2));
    tokens.push_back(choose(next_logits(model, tokens), options, u));
  }
  return vocabulary.decode(std::span(tokens).subspan(given));
}

}  // namespace ff::models
