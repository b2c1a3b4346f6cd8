#pragma once

#include <atomic>

#include "ff/models/run_config.h"

namespace ff::tools {

/// What train --dry-run does: makes two updates, evaluates two batches, and prints what a run of config will take: its
/// parameters, the FLOPs and the time of a step, and memory by what it is for; as a JSON object where json is true.
/// Nothing is written. Where the configuration's data cannot be used, random data takes its place, and what is printed
/// says so. Gives up where interrupted becomes true.
void dry_run(const models::RunConfig& config, bool json, const std::atomic<bool>& interrupted);

}  // namespace ff::tools
