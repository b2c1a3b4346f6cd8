// Step 4: derivatives of derivatives.

#include <cstdio>

#include "ff/autograd/node.h"
#include "ff/ff.h"

int main() {
  // The backward of an op is made of ops. While it is recorded, its result has a graph like any other.
  const ff::Tensor x = ff::Tensor::from({2.0}).requires_grad_();
  ff::Tensor y = x * x * x;
  std::printf("x^3 at 2: %g\n", y.item<double>());
  for (int order = 1; order <= 3; ++order) {
    y = ff::grad({y}, {x}, {}, {.create_graph = true})[0];
    std::printf("derivative %d: %g, %s%s\n", order, y.item<double>(), y.grad_fn() ? "computed by " : "a constant",
                y.grad_fn() ? y.grad_fn()->name().data() : "");
  }

  // Helpers for the usual cases. f(v) = v1^2 v2 has the Hessian (2 v2, 2 v1; 2 v1, 0).
  auto f = [](const std::vector<ff::Tensor>& in) {
    return ff::square(ff::select(in[0], 0, 0)) * ff::select(in[0], 0, 1);
  };
  const ff::Tensor v = ff::Tensor::from({3.0, 5.0});
  const std::vector<double> h = ff::hessian(f, {v})[0][0].to_vector<double>();
  std::printf("Hessian of v1^2 v2 at (3, 5): %g %g; %g %g\n", h[0], h[1], h[2], h[3]);
}
