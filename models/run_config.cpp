#include "ff/models/run_config.h"

#include <fmt/format.h>

namespace ff::models {
namespace {

// A mean or deviation is for all channels or for one each.
void require_channels(Fields& f, std::string_view key, std::size_t count, std::int64_t channels) {
  f.require(count == 1 || static_cast<std::int64_t>(count) == channels, key,
            fmt::format("{} numbers for {} channels", count, channels));
}

}  // namespace

void RunConfig::visit(Fields& f) {
  f.choice<Task>("task", task, {{"vision", Task::vision}, {"language", Task::language}}, "what is learnt");
  if (task == Task::vision) {
    f.section("model", vision.model, "a vision transformer");
    f.section("data", vision.data, "labelled images");
    require_channels(f, "data.mean", vision.data.mean.size(), vision.model.channels);
    require_channels(f, "data.std", vision.data.std.size(), vision.model.channels);
  } else {
    f.section("model", language.model, "a decoder-only transformer");
    f.section("data", language.data, "text");
    f.require(language.data.evaluation_stride <= language.model.context, "data.evaluation_stride",
              fmt::format("{} is more than model.context {}", language.data.evaluation_stride, language.model.context));
    const bool byte_pairs = language.model.vocabulary == TokenKind::bpe;
    f.require(byte_pairs || language.data.tokenizer.empty(), "data.tokenizer",
              "is for byte pairs, model.vocabulary \"bpe\"");
    f.require(!byte_pairs || !language.data.tokenizer.empty() || language.model.vocabulary_size > 0,
              "model.vocabulary_size", "says how many byte pairs are learnt; there is no data.tokenizer");
  }
  f.section("train", train, "how it is learnt");
  f.require(task != Task::language || language.model.cutoffs.empty() || train.label_smoothing == 0,
            "train.label_smoothing", "an adaptive softmax (model.cutoffs) has none");
}

RunConfig RunConfig::read(const std::string& path, const Overrides& overrides) {
  RunConfig config;
  read_config_file([&](Fields& fields) { config.visit(fields); }, path, overrides);
  return config;
}

std::string RunConfig::text() const {
  RunConfig copy = *this;
  return config_text([&](Fields& fields) { copy.visit(fields); });
}

}  // namespace ff::models
