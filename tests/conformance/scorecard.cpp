#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/core/check.h"

#include "tests/conformance/cases.h"
#include "tests/conformance/exclusions.h"

namespace ff::conformance {

namespace {

struct Row {
  int cases = 0, passed = 0, excluded = 0, failed = 0;
  std::map<std::string, std::vector<std::string>> reasons;  ///< names of cases by the reason they are excluded for

  void count(const Result& result) {
    ++cases;
    if (result.passed) ++passed;
    if (!result.passed && result.excluded.empty()) ++failed;
    if (!result.excluded.empty()) {
      ++excluded;
      reasons[result.excluded].push_back(result.name);
    }
  }
};

std::string joined(const std::vector<std::string>& parts, const char* between) {
  return fmt::format("{}", fmt::join(parts, between));
}

std::string markdown(const std::map<std::string, Row>& rows, const Row& all) {
  std::string text = fmt::format(
      "# ONNX node cases\n\n{} cases: {} pass, {} are excluded, {} fail.\n\n"
      "| Operator | Cases | Passed | Excluded | Failed | Why excluded |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
      all.cases, all.passed, all.excluded, all.failed);
  for (const auto& [op, row] : rows) {
    std::vector<std::string> reasons;
    for (const auto& [reason, names] : row.reasons) reasons.push_back(fmt::format("{}: {}", names.size(), reason));
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", op, row.cases, row.passed, row.excluded, row.failed,
                        joined(reasons, "; "));
  }
  text += "\n## Excluded\n\n";
  for (const auto& [reason, names] : all.reasons) text += fmt::format("- {}: {}\n", reason, joined(names, ", "));
  text += "\n## With a tolerance of their own\n\n";
  for (const Allowance& a : allowances())
    text += fmt::format("- {}: {:g} relative, {:g} of the largest element: {}\n", a.name, a.tolerance.relative,
                        a.tolerance.of_largest, a.reason);
  return text;
}

nlohmann::json json(const std::map<std::string, Row>& rows, const Row& all, const std::vector<Result>& results) {
  const auto numbers = [](const Row& row) {
    return nlohmann::json{
        {"cases", row.cases}, {"passed", row.passed}, {"excluded", row.excluded}, {"failed", row.failed}};
  };
  nlohmann::json document = numbers(all);
  for (const auto& [op, row] : rows) document["operators"][op] = numbers(row);
  for (const Result& r : results)
    document["results"][r.name] = {
        {"operator", r.op}, {"passed", r.passed}, {"excluded", r.excluded}, {"what", r.what}, {"error", r.error}};
  return document;
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  check(out.good(), "conformance", "cannot write {}", file.string());
}

}  // namespace

void write_scorecard(const std::filesystem::path& folder, const std::vector<Result>& results) {
  std::map<std::string, Row> rows;
  Row all;
  for (const Result& result : results) {
    rows[result.op].count(result);
    all.count(result);
  }
  write(folder / "conformance.md", markdown(rows, all));
  write(folder / "conformance.json", json(rows, all, results).dump(1) + "\n");
}

}  // namespace ff::conformance
