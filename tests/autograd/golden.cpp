// Values and gradients of ops against those of PyTorch, which tools/golden/ops.py wrote.

#include <cstdlib>
#include <set>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/io/safetensors.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

using Tensors = std::vector<Tensor>;

std::string case_name(const OpRecord& record, const OpSample& sample) {
  return std::string(record.name) + "|" + sample.label;
}

template <class F>
void for_each_sample(F f) {
  for (const OpRecord& record : op_table()) {
    Sampler sampler(1);
    for (const OpSample& sample : record.samples(sampler)) f(record, sample);
  }
}

// A case as the script writes it: the elements of the inputs, and for a differentiable op of the cotangent, then of the
// result and of the gradients of floating inputs, one after the other. Shapes are the sample's.
class Case {
 public:
  explicit Case(const Tensor& file) : values_(file.to_vector<double>()) {}

  Tensor next(const Shape& shape, DType dtype) {
    const std::vector<double> values = next(shape.numel());
    return Tensor::from(values, shape).copy(dtype);
  }
  std::vector<double> next(std::int64_t count) {
    const auto n = static_cast<std::size_t>(count);
    REQUIRE(at_ + n <= values_.size());
    const std::vector<double> part(values_.begin() + static_cast<std::ptrdiff_t>(at_),
                                   values_.begin() + static_cast<std::ptrdiff_t>(at_ + n));
    at_ += n;
    return part;
  }
  bool at_end() const { return at_ == values_.size(); }

 private:
  std::vector<double> values_;
  std::size_t at_ = 0;
};

// Ours beside PyTorch's in double precision: both err by some units of the last place, and sums of many terms by more.
constexpr double limit = 1e-12;

double compare(const Tensor& got, const std::vector<double>& want, const std::string& what) {
  const auto d = test::largest_difference(got.to_vector<double>(), want, got.shape());
  CHECK_MESSAGE(d.relative <= limit, what << ": " << d.str());
  return d.relative;
}

double check_case(const OpRecord& record, const OpSample& sample, const Tensor& file) {
  Case golden(file);
  Tensors inputs, wanted;
  for (const Tensor& like : sample.inputs) {
    inputs.push_back(golden.next(like.shape(), like.dtype()));
    if (record.differentiable && is_floating(like.dtype())) wanted.push_back(inputs.back().requires_grad_());
  }
  const Tensor y = sample.call(inputs);
  const Tensor cotangent = record.differentiable ? golden.next(y.shape(), y.dtype()) : Tensor();
  const std::string name = case_name(record, sample);
  double worst = compare(y, golden.next(y.numel()), name + ": result");
  if (record.differentiable) {
    const Tensors gradients = grad({y}, wanted, {cotangent});
    for (std::size_t i = 0; i < gradients.size(); ++i)
      worst = std::max(
          worst, compare(gradients[i], golden.next(gradients[i].numel()), name + ": gradient " + std::to_string(i)));
  }
  CHECK_MESSAGE(golden.at_end(), name);
  return worst;
}

}  // namespace

TEST_CASE("every differentiable op against PyTorch's values and gradients in float64") {
  const TensorMap golden = load_safetensors(FF_SOURCE_DIR "/tests/golden/ops.safetensors");
  std::set<std::string> used, covered;
  double worst = 0;
  for_each_sample([&](const OpRecord& record, const OpSample& sample) {
    const auto found = golden.find(case_name(record, sample));
    if (found == golden.end()) return;
    used.insert(found->first);
    covered.insert(std::string(record.name));
    worst = std::max(worst, check_case(record, sample, found->second));
  });
  for (const auto& entry : golden) CHECK_MESSAGE(used.contains(entry.first), entry.first << ": no such sample");
  // Attention by Fourier kernels has golden values of its own: PyTorch has no such thing.
  const std::set<std::string> elsewhere{"fourier_attention", "fourier_attention_composed", "fourier_attention_weights"};
  for (const OpRecord& record : op_table())
    if (record.differentiable && !elsewhere.contains(std::string(record.name)))
      CHECK_MESSAGE(covered.contains(std::string(record.name)), record.name << " has no golden case");
  MESSAGE(used.size() << " cases of " << covered.size() << " ops; largest relative difference " << worst);
}

// What tools/golden/ops.py starts from.
TEST_CASE("write the samples of all ops to the file FF_OP_SAMPLES" * doctest::skip()) {
  const char* path = std::getenv("FF_OP_SAMPLES");
  REQUIRE(path != nullptr);
  TensorMap all;
  for_each_sample([&](const OpRecord& record, const OpSample& sample) {
    const std::string name = case_name(record, sample) + "|";
    for (std::size_t i = 0; i < sample.inputs.size(); ++i) all[name + std::to_string(i)] = sample.inputs[i];
    // Its shape tells that of the cotangent, its name whether there is one.
    all[name + (record.differentiable ? "y" : "z")] = sample.call(sample.inputs);
  });
  save_safetensors(path, all);
}
