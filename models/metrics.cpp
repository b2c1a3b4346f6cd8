#include "ff/models/metrics.h"

#include <nlohmann/json.hpp>

namespace ff::models {

MetricsLog::MetricsLog(std::string path, std::uint64_t keep) : file_(std::move(path), "metrics", keep) {}

void MetricsLog::write(const nlohmann::ordered_json& record) { file_.write(record.dump() + "\n"); }

void MetricsLog::flush() { file_.flush(); }

}  // namespace ff::models
