#include <cstdio>

#include "ff/ff.h"

struct Cube : ff::Function<Cube> {
  static constexpr const char* name = "cube";
  static ff::Tensor forward(ff::Context& ctx, const ff::Tensor& x) {
    ctx.save({x});
    return x * x * x;
  }
  static ff::Gradients backward(ff::Context& ctx, const ff::Tensor& dy) { return {3 * dy * square(ctx.saved(0))}; }
};
ff::Tensor cube(const ff::Tensor& x, ff::Where site = {}) { return Cube::apply(site, x); }

std::vector<ff::OpSample> samples(ff::Sampler& s) {
  return {{"matrix", {s.normal({2, 3})}, [](const auto& in) { return cube(in[0]); }},
          {"empty", {s.normal({0})}, [](const auto& in) { return cube(in[0]); }}};
}

int main() {
  const ff::OpReport report = ff::check_op({"cube", true, samples});
  std::printf("cube: %s\n", report.failures.empty() ? "right, to the second derivative" : report.failures[0].c_str());
  return report.failures.empty() ? 0 : 1;
}
