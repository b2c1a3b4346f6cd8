#include "ff/autograd/sparse_gradient.h"

#include <algorithm>
#include <utility>

#include "ff/autograd/node.h"
#include "ff/core/check.h"
#include "ff/core/cpu/elementwise.h"

namespace ff {
namespace {

// The same elements as runs that ascend and neither meet nor overlap.
std::vector<Run> united(std::vector<Run> runs) {
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.begin < b.begin; });
  std::vector<Run> result;
  for (const Run& run : runs) {
    if (run.begin >= run.end) continue;
    if (!result.empty() && run.begin <= result.back().end)
      result.back().end = std::max(result.back().end, run.end);
    else
      result.push_back(run);
  }
  return result;
}

// A run of a contiguous tensor's elements.
void* at(const Tensor& tensor, const Run& run) {
  return static_cast<std::byte*>(tensor.raw()) + run.begin * static_cast<std::int64_t>(size_of(tensor.dtype()));
}

Tensor nothing_touched(Tensor zeros) {
  autograd::meta_of(zeros).touched = {{}, zeros.version()};
  return zeros;
}

// tensor was changed in place in runs alone, whose elements are elements of whole rows.
void changed(const Tensor& tensor, std::vector<Run> runs) {
  const std::vector<Run>* before = touched(tensor);
  tensor.bump_version();
  if (before == nullptr) return;
  runs.insert(runs.end(), before->begin(), before->end());
  tensor.meta()->touched = {united(std::move(runs)), tensor.version()};
}

}  // namespace

void keep_sparse_gradient(const Tensor& leaf, Where site) {
  const CallSite here(site);
  check(leaf.is_leaf() && leaf.rank() > 0, "keep_sparse_gradient", "a leaf of rows is needed: a tensor of shape {}",
        leaf.shape().str());
  autograd::meta_of(leaf).sparse_gradient = true;
}

bool keeps_sparse_gradient(const Tensor& leaf) { return leaf.defined() && leaf.meta() && leaf.meta()->sparse_gradient; }

const std::vector<Run>* touched(const Tensor& gradient) {
  if (!gradient.defined() || !gradient.meta() || !gradient.meta()->touched) return nullptr;
  const autograd::Touched& noted = *gradient.meta()->touched;
  return noted.version == gradient.version() ? &noted.runs : nullptr;
}

namespace autograd {

void touch_rows(const Tensor& tensor, std::vector<Run> rows) {
  const std::int64_t width = tensor.numel() / std::max<std::int64_t>(tensor.size(0), 1);
  for (Run& row : rows) row = {row.begin * width, row.end * width};
  changed(tensor, std::move(rows));
}

Tensor take_zeros(const Tensor& leaf) {
  if (!keeps_sparse_gradient(leaf)) return {};
  std::vector<Tensor>& kept = leaf.meta()->zeros;
  if (!kept.empty()) {
    Tensor zeros = std::move(kept.back());
    kept.pop_back();
    return zeros;
  }
  const Tensor zeros = Tensor::empty(leaf.shape(), leaf.dtype());
  zeros.fill(0);
  return nothing_touched(zeros);
}

void give_back(const Tensor& leaf, Tensor gradient) {
  const std::vector<Run>* runs = touched(gradient);
  if (runs == nullptr || !gradient.sole() || !keeps_sparse_gradient(leaf)) return;
  for (const Run& run : *runs) cpu::fill(gradient.dtype(), run.end - run.begin, at(gradient, run), 0);
  leaf.meta()->zeros.push_back(nothing_touched(std::move(gradient)));
}

void add_touched(const Tensor& sum, const Tensor& term) {
  const std::vector<Run> runs = runs_within(touched(term), 0, term.numel());
  for (const Run& run : runs) cpu::axpy(sum.dtype(), run.end - run.begin, 1.0, at(term, run), at(sum, run));
  changed(sum, runs);
}

void scale_touched(const Tensor& gradient, double factor) {
  const std::vector<Run> runs = runs_within(touched(gradient), 0, gradient.numel());
  for (const Run& run : runs) cpu::scale(gradient.dtype(), run.end - run.begin, factor, at(gradient, run));
  changed(gradient, runs);
}

}  // namespace autograd
}  // namespace ff
