// Every check that an op's record allows, over the whole table.

#include "ff/autograd/ops/op_table.h"

#include <set>

#include <doctest/doctest.h>

#include "ff/autograd/function.h"
#include "ff/autograd/op_check.h"
#include "ff/autograd/ops/ops.h"

using namespace ff;

namespace {

// exp, but for its derivative.
struct Wrong : Function<Wrong> {
  static constexpr const char* name = "wrong";
  static Tensor forward(Context& ctx, const Tensor& x) {
    ctx.save({x});
    return exp(x);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return {dy * ctx.saved(0)}; }
};

}  // namespace

TEST_CASE("every op: gradients, second gradients, strides, f32 against f64, threads") {
  OpReport worst;
  std::uint64_t seed = 1;
  for (const OpRecord& record : op_table()) {
    const OpReport report = check_op(record, seed++);
    for (const std::string& failure : report.failures) FAIL_CHECK(std::string(record.name) << ": " << failure);
    worst.gradient = std::max(worst.gradient, report.gradient);
    worst.second = std::max(worst.second, report.second);
    worst.strided = std::max(worst.strided, report.strided);
    worst.single = std::max(worst.single, report.single);
  }
  MESSAGE(op_table().size() << " ops; largest errors: gradient " << worst.gradient << ", second " << worst.second
                            << ", strided " << worst.strided << ", f32 " << worst.single);
}

TEST_CASE("the table names each op once, and every record has samples with labels of their own") {
  std::set<std::string_view> names;
  Sampler sampler(1);
  for (const OpRecord& record : op_table()) {
    CHECK_MESSAGE(names.insert(record.name).second, record.name);
    std::set<std::string> labels;
    for (const OpSample& sample : record.samples(sampler))
      CHECK_MESSAGE(labels.insert(sample.label).second, record.name << ": " << sample.label);
    CHECK_MESSAGE(!labels.empty(), record.name);
  }
}

TEST_CASE("a wrong op does not pass") {
  const auto samples = [](Sampler& s) {
    return std::vector<OpSample>{{"matrix", {s.normal({2, 3})}, [](const auto& in) { return Wrong::apply(in[0]); }}};
  };
  CHECK(check_op({"wrong", true, samples}).failures.size() >= 1);
  CHECK(check_op({"wrong", false, samples}).failures.size() == 1);
}
