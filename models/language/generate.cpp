#include "ff/models/language/generate.h"

#include <algorithm>
#include <cmath>

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

// A text that the model reads token by token.
class Reader {
 public:
  explicit Reader(LanguageModel& model) : model_(model), cache_(model.make_cache()) {}

  // Logits of the token after `tokens`, which go on from those of the last call.
  std::vector<double> next_logits(std::span<const std::int64_t> tokens) {
    const auto context = static_cast<std::size_t>(model_.config().context);
    const std::size_t seen = static_cast<std::size_t>(cache_.front().length());
    std::size_t added = tokens.size() - read_;
    if (seen + added > context) {
      cache_ = model_.make_cache();
      added = std::min(tokens.size(), read_ == 0 ? context : (context + 1) / 2);
    }
    read_ = tokens.size();
    const auto n = static_cast<std::int64_t>(added);
    const Tensor hidden = model_.hidden(Tensor::from(tokens.last(added), {1, n}), &cache_);
    const std::vector<double> logits = model_.logits(select(hidden, 1, n - 1)).to_vector<double>();
    for (const double logit : logits) check(std::isfinite(logit), op, "the model gives a logit of {}", logit);
    return logits;
  }

 private:
  LanguageModel& model_;
  LanguageCache cache_;
  std::size_t read_ = 0;  // of the tokens
};

// What the last token adds to the text of those before it: a word, say, comes with the space before it.
std::string last_piece(const Vocabulary& vocabulary, std::span<const std::int64_t> tokens) {
  const std::span<const std::int64_t> two = tokens.last(std::min<std::size_t>(tokens.size(), 2));
  return vocabulary.decode(two).substr(vocabulary.decode(two.first(two.size() - 1)).size());
}

}  // namespace

std::string generate(LanguageModel& model, const Vocabulary& vocabulary, std::string_view prompt,
                     const GenerateOptions& options, const TextListener& listener) {
  check(options.max_tokens >= 0, op, "the number of tokens is negative: {}", options.max_tokens);
  check_sampling(options.sampling);
  std::vector<std::int64_t> tokens = vocabulary.encode(prompt).to_vector<std::int64_t>();
  if (tokens.empty()) tokens.push_back(vocabulary.end_of_line());
  const std::size_t given = tokens.size();

  const NoGrad no_grad;
  const EvaluationMode evaluation(model);
  Reader reader(model);
  Generator random(options.seed);
  std::string text;
  for (std::int64_t i = 0; i < options.max_tokens; ++i) {
    std::vector<double> logits = reader.next_logits(tokens);
    penalise(logits, tokens, options.sampling.repetition_penalty);
    double u = 0;
    fill_uniform(&u, 1, random.next(2));
    tokens.push_back(choose_token(logits, options.sampling, u));
    const std::string piece = last_piece(vocabulary, std::span(tokens).subspan(given));
    text += piece;
    if (listener && !listener(piece)) break;
  }
  return text;
}

}  // namespace ff::models
