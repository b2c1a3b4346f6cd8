#pragma once

#include <string>
#include <vector>

#include "ff/models/config.h"
#include "ff/models/run_config.h"

/// The runs that a comparison consists of.
namespace ff::tools {

/// Settings that set a model apart from others.
struct Variant {
  std::string name;             ///< "softmax", or "lr0.01" where the value alone says nothing; fit for a folder's name
  models::Overrides overrides;  ///< "model.attention=softmax"
};

/// All combinations of what `vary` lists, each "KEY=VALUE,VALUE,..", the first of each first. Commas in brackets or
/// quotes belong to a value. Throws UsageError where something is not of that form, a key comes twice or is the seed,
/// or two variants are the same.
std::vector<Variant> variants_of(const std::vector<std::string>& vary);

/// How far a run is that may have been begun before.
enum class RunState { none, begun, finished };

/// Throws Error where the folder has a run of another configuration, naming what differs.
RunState state_of(const std::string& folder, const models::RunConfig& config);

}  // namespace ff::tools
