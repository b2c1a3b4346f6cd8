#include "tests/conformance/cases.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ff/core/check.h"

#include "tests/conformance/evaluate.h"
#include "tests/conformance/exclusions.h"
#include "tests/support/compare.h"

namespace ff::conformance {

namespace {

const Allowance* allowance_of(std::string_view name) {
  for (const Allowance& a : allowances())
    if (a.name == name) return &a;
  return nullptr;
}

// Of floating tensors: the largest part of its tolerance that an element uses, and where.
double largest_part(const Tensor& got, const Tensor& want, const Tolerance& tolerance, std::string& where) {
  const std::vector<double> a = got.to_vector<double>(), b = want.to_vector<double>();
  double largest = 0, worst = 0;
  for (const double x : b)
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
  const double scale = want.dtype() == f32 ? 1 : 1e-7;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double allowed = scale * (tolerance.relative * std::abs(b[i]) + tolerance.of_largest * largest);
    double part = std::abs(a[i] - b[i]) / allowed;
    if (!std::isfinite(part)) part = std::numeric_limits<double>::infinity();
    if (part <= worst) continue;
    worst = part;
    where = fmt::format("{:.9g} for {:.9g}, relative {:.2g}, at {}", a[i], b[i], std::abs(a[i] - b[i]) / std::abs(b[i]),
                        test::describe_index(static_cast<std::int64_t>(i), want.shape()));
  }
  return worst;
}

}  // namespace

double compare(const Tensor& got, const Tensor& want, const Tolerance& tolerance) {
  check(got.defined(), "compare", "no tensor");
  check(got.dtype() == want.dtype(), "compare", "{} for {}", name(got.dtype()), name(want.dtype()));
  check(got.shape() == want.shape(), "compare", "shape {} for {}", got.shape().str(), want.shape().str());
  if (is_floating(want.dtype())) {
    std::string where;
    const double part = largest_part(got, want, tolerance, where);
    check(part <= 1, "compare", "{}", where);
    return part;
  }
  const auto a = got.to_vector<std::int64_t>(), b = want.to_vector<std::int64_t>();
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin());
  if (differ.first != a.end())
    fail("compare", "{} for {} at {}", *differ.first, *differ.second,
         test::describe_index(differ.first - a.begin(), want.shape()));
  return 0;
}

namespace {

std::vector<Tensor> read_tensors(const std::filesystem::path& folder, const char* kind, std::size_t count) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < count; ++i) tensors.push_back(read_tensor(folder / fmt::format("{}_{}.pb", kind, i)));
  return tensors;
}

// Of every data set of a case; throws where an output is not as expected.
double run(const Model& model, const std::filesystem::path& folder, const Tolerance& tolerance) {
  double error = 0;
  int sets = 0;
  for (; std::filesystem::exists(folder / fmt::format("test_data_set_{}", sets)); ++sets) {
    const std::filesystem::path data = folder / fmt::format("test_data_set_{}", sets);
    const std::vector<Tensor> got = evaluate(model, read_tensors(data, "input", model.inputs.size()));
    const std::vector<Tensor> want = read_tensors(data, "output", model.outputs.size());
    for (std::size_t i = 0; i < want.size(); ++i) error = std::max(error, compare(got[i], want[i], tolerance));
  }
  check(sets > 0, "conformance", "{} has no data", folder.string());
  return error;
}

// Whether a case passes as all others must.
bool passes(const Model& model, const std::filesystem::path& folder) {
  try {
    run(model, folder, {});
    return true;
  } catch (const Error&) {
    return false;
  }
}

// The operator that a case is of: an expanded one computes its operator by others.
std::string operator_of(const std::filesystem::path& folder) {
  constexpr std::string_view suffix = "_expanded";
  std::string path = folder.string();
  if (path.ends_with(suffix)) path.resize(path.size() - suffix.size());
  return last_operator((std::filesystem::exists(path) ? std::filesystem::path(path) : folder) / "model.onnx");
}

Result run_case(const std::filesystem::path& folder) {
  constexpr std::size_t prefix = sizeof("test_") - 1;
  Result result;
  result.name = folder.filename().string().substr(prefix);
  result.op = operator_of(folder);
  for (const Exclusion& e : exclusions())
    if (e.op == result.op || e.name == result.name) result.excluded = e.reason;
  try {
    const Model model = read_model(folder / "model.onnx");
    const Allowance* allowance = allowance_of(result.name);
    result.error = run(model, folder, allowance != nullptr ? allowance->tolerance : Tolerance());
    if (allowance != nullptr && passes(model, folder)) fail("conformance", "needs no allowance, but is given one");
    result.passed = true;
  } catch (const Unsupported& e) {
    result.excluded = result.what = e.what();
  } catch (const std::exception& e) {
    result.what = e.what();
  }
  return result;
}

}  // namespace

std::vector<Result> run_cases(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("test_")) cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  std::vector<Result> results;
  for (const std::filesystem::path& path : cases) results.push_back(run_case(path));
  return results;
}

}  // namespace ff::conformance
