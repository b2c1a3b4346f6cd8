#include "ff/models/language/data.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
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

struct Text {
  std::string train, held_out, test;
};

bool is_folder(const LanguageDataConfig& data) { return std::filesystem::is_directory(data.path); }

std::string part_path(const std::string& folder, const std::string& part) {
  for (const std::string& name : {part + ".txt", "wiki." + part + ".tokens"})
    if (std::string path = folder + "/" + name; std::filesystem::exists(path)) return path;
  fail("load_corpus", "{}: neither {}.txt nor wiki.{}.tokens is there", folder, part, part);
}

Text read_text(const LanguageDataConfig& data, TokenKind kind) {
  if (is_folder(data)) {
    const auto read = [&](const char* part) { return io::read_file(part_path(data.path, part)); };
    return {read("train"), read("valid"), read("test")};
  }
  Text text{io::read_file(data.path), {}, {}};
  if (!data.held_out_path.empty()) {
    text.held_out = io::read_file(data.held_out_path);
  } else {
    const auto held_out = std::floor(static_cast<double>(text.train.size()) * data.held_out_fraction);
    std::size_t cut = text.train.size() - static_cast<std::size_t>(held_out);
    if (kind == TokenKind::words && cut > 0) {
      const std::size_t line_end = text.train.find('\n', cut - 1);
      cut = line_end == std::string::npos ? text.train.size() : line_end + 1;
    }
    text.held_out = text.train.substr(cut);
    text.train.resize(cut);
  }
  return text;
}

Corpus tokenise(const LanguageDataConfig& data, const Text& text, Vocabulary vocabulary) {
  Corpus corpus{std::move(vocabulary), {}, {}, {}, 0};
  corpus.train = corpus.vocabulary.encode(text.train);
  corpus.held_out = corpus.vocabulary.encode(text.held_out);
  const std::int64_t n = corpus.train.numel();
  const bool folder = is_folder(data), one_file = !folder && data.held_out_path.empty();
  if (folder) {
    corpus.test = corpus.vocabulary.encode(text.test);
    check(corpus.test.numel() > 0, "load_corpus", "{}: no text to test on", part_path(data.path, "test"));
  }
  check(n > 0, "load_corpus", "{}: no text to train on", data.path);
  check(corpus.held_out.numel() > 0, "load_corpus", "{}: no text to evaluate on{}",
        folder     ? part_path(data.path, "valid")
        : one_file ? data.path
                   : data.held_out_path,
        one_file ? fmt::format(" is left by held_out_fraction {}", data.held_out_fraction) : "");
  corpus.before_held_out = one_file ? token_at(corpus.train, n - 1) : corpus.vocabulary.end_of_line();
  return corpus;
}

}  // namespace

Corpus load_corpus(const LanguageDataConfig& data, TokenKind kind) {
  const Text text = read_text(data, kind);
  return tokenise(data, text,
                  kind == TokenKind::bytes ? Vocabulary::bytes() : Vocabulary::words(text.train, data.max_vocabulary));
}

Corpus load_corpus(const LanguageDataConfig& data, const Vocabulary& vocabulary) {
  return tokenise(data, read_text(data, vocabulary.kind()), vocabulary);
}

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
