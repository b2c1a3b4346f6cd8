#include "ff/models/checkpoint.h"

#include <charconv>

#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"

namespace ff::models {
namespace {

constexpr const char* op = "checkpoint";
constexpr const char* format = "fourierformer checkpoint 2";

// The parts of a checkpoint and what their tensors' names begin with.
template <class C>
auto parts(C& checkpoint) {
  return std::array{std::pair{"model.", &checkpoint.model}, std::pair{"optimizer.", &checkpoint.optimizer},
                    std::pair{"average.", &checkpoint.average}};
}

// Every number of a checkpoint and the name it has in the file.
template <class C, class Visit>
void each_number(C& checkpoint, Visit visit) {
  auto& state = checkpoint.state;
  visit("step", state.step);
  visit("evaluated", state.evaluated);
  visit("seconds", state.seconds);
  visit("window_loss", state.window.loss);
  visit("window_seconds", state.window.seconds);
  visit("window_steps", state.window.steps);
  visit("window_items", state.window.items);
  visit("best_step", state.best.step);
  visit("best_figure", state.best.figure);
  visit("best_worse", state.best.worse);
  visit("non_finite_updates", state.non_finite.updates);
  visit("non_finite_in_a_row", state.non_finite.in_a_row);
  visit("non_finite_factor", state.non_finite.factor);
  visit("plateau_factor", state.plateau.factor);
  visit("plateau_best", state.plateau.best);
  visit("plateau_improvements", state.plateau.improvements);
  visit("plateau_bad", state.plateau.bad);
  visit("plateau_cooldown", state.plateau.cooldown);
  visit("generator_seed", checkpoint.generator.seed);
  visit("generator_offset", checkpoint.generator.offset);
  visit("metrics_bytes", checkpoint.metrics_bytes);
}

const std::string& text(const std::string& path, const FileMetadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  check(found != metadata.end(), op, "{}: not a checkpoint: no {}", path, key);
  return found->second;
}

template <class T>
T number(const std::string& path, const FileMetadata& metadata, const std::string& key) {
  const std::string& digits = text(path, metadata, key);
  const char* const last = digits.data() + digits.size();
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), last, value);
  check(error == std::errc() && end == last, op, "{}: {} is no number: \"{}\"", path, key, digits);
  return value;
}

}  // namespace

void save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  TensorMap tensors;
  for (const auto& [prefix, part] : parts(checkpoint))
    for (const auto& [name, tensor] : *part) tensors.emplace(prefix + name, tensor);
  FileMetadata metadata{{"format", format}, {"config", checkpoint.config}};
  each_number(checkpoint, [&](const char* name, auto value) { metadata.emplace(name, fmt::format("{}", value)); });
  save_safetensors(path, tensors, metadata);
}

Checkpoint load_checkpoint(const std::string& path) {
  const FileMetadata metadata = load_safetensors_metadata(path);
  const auto found = metadata.find("format");
  check(found != metadata.end() && found->second == format, op, "{}: not a checkpoint of this version", path);
  Checkpoint checkpoint;
  checkpoint.config = text(path, metadata, "config");
  each_number(checkpoint, [&]<class T>(const char* name, T& value) { value = number<T>(path, metadata, name); });
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
