// Module's state as a map of tensors, and back.

#include <cstring>

#include "ff/core/check.h"
#include "ff/nn/module.h"

namespace ff::nn {
namespace {

// What keeps an entry from being loaded into tensor, or nothing.
std::string misfit(const Tensor& tensor, const Tensor& entry) {
  if (!entry.defined()) return "the entry is undefined";
  if (!(entry.shape() == tensor.shape()))
    return fmt::format("shape {} in the module, {} in the state", tensor.shape().str(), entry.shape().str());
  if (entry.dtype() != tensor.dtype() && !(is_floating(entry.dtype()) && is_floating(tensor.dtype())))
    return fmt::format("dtype {} in the module, {} in the state", name(tensor.dtype()), name(entry.dtype()));
  return "";
}

bool same_values(const Tensor& a, const Tensor& b, DType dtype) {
  if (a.is(b) || (a.dtype() == b.dtype() && a.is_contiguous() && b.is_contiguous() && a.raw() == b.raw())) return true;
  const Tensor x = a.dtype() == dtype ? a.dense() : a.copy(dtype);
  const Tensor y = b.dtype() == dtype ? b.dense() : b.copy(dtype);
  return std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * size_of(dtype)) == 0;
}

// A state matched with the tensors of a module.
struct Match {
  std::vector<std::pair<Tensor, Tensor>> pairs;  // each tensor of the module once, and the entry for it
  std::vector<std::string> problems;
  LoadReport report;
};

void match_entry(Match& match, const std::string& name, const Tensor& tensor, const Tensor& entry) {
  if (const std::string why = misfit(tensor, entry); !why.empty()) {
    match.problems.push_back(name + ": " + why);
    return;
  }
  for (const auto& [known, first] : match.pairs) {
    if (!known.is(tensor)) continue;
    if (!same_values(first, entry, tensor.dtype()))
      match.problems.push_back(
          name + ": the module shares this tensor, but the state has another value for another of its names");
    return;
  }
  match.pairs.emplace_back(tensor, entry);
}

Match match_state(const NamedTensors& tensors, const TensorMap& state) {
  Match match;
  TensorMap unexpected = state;
  for (const auto& [name, tensor] : tensors) {
    unexpected.erase(name);
    if (const auto found = state.find(name); found != state.end()) match_entry(match, name, tensor, found->second);
  }
  for (const auto& [name, entry] : unexpected) match.report.unexpected.push_back(name);
  for (const auto& [name, tensor] : tensors) {
    bool present = false;
    for (const auto& [other, same] : tensors) present = present || (same.is(tensor) && state.contains(other));
    if (!present) match.report.missing.push_back(name);
  }
  return match;
}

std::string describe(const Match& match, bool strict) {
  std::string text;
  for (const auto& problem : match.problems) text += "\n  " + problem;
  if (!strict) return text;
  for (const auto& name : match.report.missing) text += "\n  " + name + ": missing from the state";
  for (const auto& name : match.report.unexpected) text += "\n  " + name + ": in the state, but not in the module";
  return text;
}

}  // namespace

TensorMap Module::state_dict() const {
  TensorMap state;
  for (const auto& [name, tensor] : state_entries()) state.emplace(name, tensor.detach());
  return state;
}

LoadReport Module::load_state_dict(const TensorMap& state, bool strict) {
  const Match match = match_state(state_entries(), state);
  if (const std::string wrong = describe(match, strict); !wrong.empty())
    fail("load_state_dict", "the state does not fit the module; nothing was loaded:{}", wrong);
  for (const auto& [tensor, entry] : match.pairs) tensor.assign(entry);
  return match.report;
}

}  // namespace ff::nn
