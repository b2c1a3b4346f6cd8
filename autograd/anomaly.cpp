#include "ff/autograd/anomaly.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "ff/autograd/node.h"
#include "ff/core/check.h"

namespace ff {
namespace {

enum Mode { off, not_a_number, not_finite };
thread_local int mode = off;

struct Unchecked {
  int outer = std::exchange(mode, off);
  ~Unchecked() { mode = outer; }
};

struct Statistics {
  std::int64_t nan = 0, infinite = 0, finite = 0;
  double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0;

  explicit Statistics(const Tensor& x) {
    for (const double v : x.to_vector<double>()) {
      if (std::isnan(v)) {
        ++nan;
      } else if (std::isinf(v)) {
        ++infinite;
      } else {
        ++finite;
        low = std::min(low, v), high = std::max(high, v), sum += v;
      }
    }
  }
  bool bad() const { return nan > 0 || (infinite > 0 && mode == not_finite); }
};

// "(2, 3) f32, from -1.2 to 3.1, mean 0.4, 2 NaN"
std::string described(const Tensor& x) {
  std::string text = fmt::format("{} {}", x.shape().str(), name(x.dtype()));
  const Statistics s(x);
  if (s.finite > 0)
    text += fmt::format(" from {:.4g} to {:.4g}, mean {:.4g}", s.low, s.high, s.sum / static_cast<double>(s.finite));
  if (s.nan > 0) text += fmt::format(", {} NaN", s.nan);
  if (s.infinite > 0) text += fmt::format(", {} infinite", s.infinite);
  return text;
}

std::string described(const std::vector<Tensor>& tensors) {
  std::string text;
  for (const Tensor& x : tensors)
    if (x.defined()) text += (text.empty() ? "" : "; ") + described(x);
  return text.empty() ? "nothing" : text;
}

const char* kind(const Tensor& x) { return Statistics(x).nan > 0 ? "NaN" : "infinity"; }

bool all_finite(const Tensor& x) {
  const Tensor dense = x.dense();
  return dispatch_floating(x.dtype(), [&](auto tag) {
    const auto* values = static_cast<const decltype(tag)*>(dense.raw());
    return std::all_of(values, values + dense.numel(), [](auto v) { return std::isfinite(v); });
  });
}

// Statistics are for the few that are not finite.
bool is_bad(const Tensor& x) { return x.defined() && is_floating(x.dtype()) && !all_finite(x) && Statistics(x).bad(); }

}  // namespace

DetectAnomaly::DetectAnomaly(bool check_infinity)
    : outer_(std::exchange(mode, check_infinity ? not_finite : not_a_number)) {}
DetectAnomaly::~DetectAnomaly() { mode = outer_; }

namespace autograd {

bool anomaly_enabled() { return mode != off; }

void check_forward(std::string_view op, const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  for (const Tensor& y : outputs)
    if (is_bad(y))
      fail(op, "the result has the first {}: {}; computed from {}", kind(y), described(y), described(inputs));
}

std::vector<Tensor> checked_backward(Node& node, const std::vector<Tensor>& grads) {
  const std::vector<Tensor> results = [&] {
    const Unchecked inside;
    return node.backward(grads);
  }();
  for (std::size_t i = 0; i < results.size(); ++i)
    if (is_bad(results[i]))
      fail(node.name(), "the gradient of input {} has the first {}: {}; backward from {}", i, kind(results[i]),
           described(results[i]), described(grads));
  return results;
}

}  // namespace autograd
}  // namespace ff
