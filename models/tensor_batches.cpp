#include "ff/models/tensor_batches.h"

#include <cstring>

#include "ff/core/check.h"

namespace ff::models {
namespace {

constexpr const char* op = "tensor_batches";

// Of two tensors that go together by rows, how many there are.
std::int64_t rows_of(const Tensor& inputs, const Tensor& targets) {
  check(inputs.rank() >= 1 && targets.rank() >= 1 && inputs.size(0) == targets.size(0), op,
        "as many inputs as targets are needed; their shapes are {} and {}", inputs.shape().str(),
        targets.shape().str());
  return inputs.size(0);
}

// The rows of x, which is dense.
Tensor gathered(const Tensor& x, const std::vector<std::int64_t>& rows) {
  Shape shape = x.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  const Tensor out = Tensor::empty(shape, x.dtype());
  const std::size_t bytes = static_cast<std::size_t>(shape.numel() / shape[0]) * size_of(x.dtype());
  const auto* from = static_cast<const char*>(x.raw());
  auto* to = static_cast<char*>(out.raw());
  for (const std::int64_t row : rows) {
    std::memcpy(to, from + static_cast<std::size_t>(row) * bytes, bytes);
    to += bytes;
  }
  return out;
}

}  // namespace

TensorBatches::TensorBatches(const Tensor& inputs, const Tensor& targets, const BatchSamplerOptions& options)
    : inputs_(inputs.detach().dense()),
      targets_(targets.detach().dense()),
      sampler_(op, rows_of(inputs, targets), options) {}

Batch TensorBatches::make(DataPosition position) {
  const std::vector<std::int64_t> rows = sampler_.samples(position);
  return {gathered(inputs_, rows), gathered(targets_, rows), static_cast<std::int64_t>(rows.size())};
}

}  // namespace ff::models
