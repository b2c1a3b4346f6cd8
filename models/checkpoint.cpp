#include "ff/models/checkpoint.h"

#include <charconv>

#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"

namespace ff::models {
namespace {

constexpr const char* op = "checkpoint";
constexpr const char* format = "fourierformer checkpoint 1";

// The parts of a checkpoint and what their tensors' names begin with.
template <class C>
auto parts(C& checkpoint) {
  return std::array{std::pair{"model.", &checkpoint.model}, std::pair{"optimizer.", &checkpoint.optimizer},
                    std::pair{"average.", &checkpoint.average}};
}

template <class T>
T number(const std::string& path, const FileMetadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  check(found != metadata.end(), op, "{}: not a checkpoint: no {}", path, key);
  const std::string& text = found->second;
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), op, "{}: {} is no number: \"{}\"", path, key, text);
  return value;
}

}  // namespace

void save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  TensorMap tensors;
  for (const auto& [prefix, part] : parts(checkpoint))
    for (const auto& [name, tensor] : *part) tensors.emplace(prefix + name, tensor);
  save_safetensors(path, tensors,
                   {{"format", format},
                    {"step", std::to_string(checkpoint.step)},
                    {"generator_seed", std::to_string(checkpoint.generator.seed)},
                    {"generator_offset", std::to_string(checkpoint.generator.offset)},
                    {"evaluated", std::to_string(checkpoint.evaluated)},
                    {"window_loss", fmt::format("{}", checkpoint.window.loss)},
                    {"window_seconds", fmt::format("{}", checkpoint.window.seconds)},
                    {"window_steps", std::to_string(checkpoint.window.steps)},
                    {"window_items", std::to_string(checkpoint.window.items)},
                    {"seconds", fmt::format("{}", checkpoint.seconds)},
                    {"metrics_bytes", std::to_string(checkpoint.metrics_bytes)}});
}

Checkpoint load_checkpoint(const std::string& path) {
  const FileMetadata metadata = load_safetensors_metadata(path);
  const auto found = metadata.find("format");
  check(found != metadata.end() && found->second == format, op, "{}: not a checkpoint of this version", path);
  Checkpoint checkpoint;
  checkpoint.step = number<std::int64_t>(path, metadata, "step");
  checkpoint.generator.seed = number<std::uint64_t>(path, metadata, "generator_seed");
  checkpoint.generator.offset = number<std::uint64_t>(path, metadata, "generator_offset");
  checkpoint.evaluated = number<std::int64_t>(path, metadata, "evaluated");
  checkpoint.window.loss = number<double>(path, metadata, "window_loss");
  checkpoint.window.seconds = number<double>(path, metadata, "window_seconds");
  checkpoint.window.steps = number<std::int64_t>(path, metadata, "window_steps");
  checkpoint.window.items = number<std::int64_t>(path, metadata, "window_items");
  checkpoint.seconds = number<double>(path, metadata, "seconds");
  checkpoint.metrics_bytes = number<std::uint64_t>(path, metadata, "metrics_bytes");
  for (auto& [name, tensor] : load_safetensors(path)) {
    bool known = false;
    for (const auto& [prefix, part] : parts(checkpoint))
      if (name.starts_with(prefix)) {
        known = part->emplace(name.substr(std::string_view(prefix).size()), tensor).second;
        break;
      }
    check(known, op, "{}: not a checkpoint: a tensor is named \"{}\"", path, name);
  }
  return checkpoint;
}

}  // namespace ff::models
