#include "ff/models/init_from.h"

#include <cmath>
#include <filesystem>

#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/run_folder.h"
#include "ff/models/vision/model.h"

namespace ff::models {
namespace {

constexpr const char* op = "init_from";

// The position embedding of state as model has it, undefined where the two are not of one kind.
Tensor fitted_positions(const VisionTransformer& model, const TensorMap& state) {
  const auto found = state.find("pos_embed");
  if (found == state.end()) return {};
  const Tensor& positions = found->second;
  const std::int64_t prefix = state.contains("dist_token") ? 2 : 1;
  const auto side_of = [](std::int64_t patches) { return std::llround(std::sqrt(static_cast<double>(patches))); };
  const bool fits = is_floating(positions.dtype()) && positions.rank() == 3 && positions.size(0) == 1 &&
                    positions.size(2) == model.config().width && positions.size(1) > prefix;
  if (!fits) return {};
  const std::int64_t patches = positions.size(1) - prefix, side = side_of(patches);
  if (side * side != patches) return {};
  const Tensor fitted = model.pos_embed.copy();
  const std::int64_t shared = std::min(prefix, model.prefix_tokens());
  fitted(Slice(), Slice(0, shared)).assign(positions(Slice(), Slice(0, shared)).copy(fitted.dtype()));
  const Tensor grid = interpolate_positions(positions(Slice(), Slice(prefix, {})).copy(fitted.dtype()),
                                            side_of(model.pos_embed.size(1) - model.prefix_tokens()));
  fitted(Slice(), Slice(model.prefix_tokens(), {})).assign(grid);
  return fitted;
}

}  // namespace

InitReport init_from(nn::Module& model, const TensorMap& state) {
  InitReport report;
  TensorMap fitting;
  const TensorMap own = model.state_dict();
  for (const auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found == state.end()) {
      report.missing.push_back(name);
    } else if (found->second.shape() == tensor.shape()) {
      fitting.emplace(*found);
      report.loaded.push_back(name);
    } else {
      report.reshaped.push_back({name, found->second.shape(), tensor.shape(), false});
    }
  }
  for (const auto& entry : state)
    if (!own.contains(entry.first)) report.unexpected.push_back(entry.first);
  check(!report.loaded.empty(), op, "none of {} tensors is one of the model's: {} against {}", state.size(),
        state.empty() ? "none" : state.begin()->first, own.empty() ? "none" : own.begin()->first);
  if (const auto* vision = dynamic_cast<const VisionTransformer*>(&model))
    for (auto& reshaped : report.reshaped)
      if (reshaped.name == "pos_embed")
        if (const Tensor fitted = fitted_positions(*vision, state); fitted.defined()) {
          fitting.emplace(reshaped.name, fitted);
          reshaped.interpolated = true;
        }
  model.load_state_dict(fitting, /*strict=*/false);
  return report;
}

InitReport init_from(nn::Module& model, const std::string& path) {
  const std::string file = std::filesystem::is_directory(path) ? RunFolder(path).model() : path;
  const TensorMap state = load_safetensors(file);
  try {
    return init_from(model, state);
  } catch (const Error& error) {
    fail(op, "{}: {}", file, error.what());
  }
}

}  // namespace ff::models
