#include "ff/models/language/data.h"

#include <algorithm>
#include <cmath>

#include "ff/core/check.h"
#include "ff/models/data_random.h"

namespace ff::models {
namespace {

constexpr std::int64_t ignored = -100;  // cross_entropy()'s default

std::int64_t token_at(const Tensor& tokens, std::int64_t i) {
  return tokens.dtype() == u8 ? tokens.data<std::uint8_t>()[i] : tokens.data<std::int32_t>()[i];
}

void check_tokens(const char* op, const Tensor& tokens, std::int64_t context, std::int64_t batch_size) {
  check(tokens.rank() == 1 && (tokens.dtype() == u8 || tokens.dtype() == i32), op,
        "tokens must be u8 or i32 (n), got {} {}", name(tokens.dtype()), tokens.shape().str());
  check(context >= 1 && batch_size >= 1, op, "context and batch size must be at least 1, got {} and {}", context,
        batch_size);
}

}  // namespace

double unigram_perplexity(const Tensor& train, const Tensor& text, std::int64_t vocabulary_size) {
  std::vector<double> counts(static_cast<std::size_t>(vocabulary_size), 1.0);
  for (std::int64_t i = 0; i < train.numel(); ++i) ++counts[static_cast<std::size_t>(token_at(train, i))];
  const auto total = static_cast<double>(train.numel() + vocabulary_size);
  double loss = 0;
  for (std::int64_t i = 0; i < text.numel(); ++i)
    loss -= std::log(counts[static_cast<std::size_t>(token_at(text, i))] / total);
  return std::exp(loss / static_cast<double>(text.numel()));
}

TextWindows::TextWindows(Tensor tokens, std::int64_t context, std::int64_t batch_size, std::uint64_t seed)
    : tokens_(std::move(tokens)), context_(context), batch_size_(batch_size), seed_(seed) {
  check_tokens("text_windows", tokens_, context_, batch_size_);
  check(tokens_.numel() > context_, "text_windows", "a text of {} tokens has no window of {} and one more to predict",
        tokens_.numel(), context_);
}

std::int64_t TextWindows::batches_per_epoch() const {
  const std::int64_t drawn = batch_size_ * context_;
  return (tokens_.numel() + drawn - 1) / drawn;
}

Batch TextWindows::make(DataPosition position) {
  Batch batch{Tensor::empty({batch_size_, context_}, i64), Tensor::empty({batch_size_, context_}, i64),
              batch_size_ * context_};
  auto* input = batch.inputs.data<std::int64_t>();
  auto* target = batch.targets.data<std::int64_t>();
  const RandomKey key = data_key(seed_, DataStream::windows, position.epoch);
  for (std::int64_t row = 0; row < batch_size_; ++row) {
    const auto draw = static_cast<std::uint64_t>(position.batch * batch_size_ + row);
    const std::int64_t begin = random_below(key, draw, tokens_.numel() - context_);
    for (std::int64_t t = begin; t < begin + context_; ++t) {
      *input++ = token_at(tokens_, t);
      *target++ = token_at(tokens_, t + 1);
    }
  }
  return batch;
}

TextSegments::TextSegments(Tensor tokens, std::int64_t before, std::int64_t context, std::int64_t stride,
                           std::int64_t batch_size)
    : tokens_(std::move(tokens)),
      before_(before),
      context_(context),
      stride_(stride == 0 ? context : stride),
      batch_size_(batch_size) {
  check_tokens("text_segments", tokens_, context_, batch_size_);
  check(stride_ >= 1 && stride_ <= context_, "text_segments", "the stride must be 0 to the context, {}, got {}",
        context_, stride);
  check(tokens_.numel() > 0, "text_segments", "the text is empty");
}

// The first window has context targets, each further one stride.
std::int64_t TextSegments::windows() const {
  const std::int64_t further = std::max<std::int64_t>(tokens_.numel() - context_, 0);
  return 1 + (further + stride_ - 1) / stride_;
}

std::int64_t TextSegments::batches_per_epoch() const { return (windows() + batch_size_ - 1) / batch_size_; }

Batch TextSegments::make(DataPosition position) {
  const std::int64_t first = position.batch * batch_size_, rows = std::min(batch_size_, windows() - first);
  check(first >= 0 && rows > 0, "text_segments", "no batch {} of {}", position.batch, batches_per_epoch());
  Batch batch{Tensor::empty({rows, context_}, i64), Tensor::empty({rows, context_}, i64), 0};
  auto* input = batch.inputs.data<std::int64_t>();
  auto* target = batch.targets.data<std::int64_t>();
  for (std::int64_t window = first; window < first + rows; ++window) {
    const std::int64_t begin = window * stride_, n = tokens_.numel();
    const std::int64_t scored_from = window == 0 ? 0 : begin - stride_ + context_;  // where the window before ended
    for (std::int64_t t = begin; t < begin + context_; ++t) {
      const bool inside = t < n, scored = inside && t >= scored_from;
      *input++ = t == 0 ? before_ : inside ? token_at(tokens_, t - 1) : 0;
      *target++ = scored ? token_at(tokens_, t) : ignored;
      batch.count += scored;
    }
  }
  return batch;
}

}  // namespace ff::models
