// Errors name the caller's line, and ops remember it.

#include "ff/core/call_site.h"

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/function.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/errors.h"

using namespace ff;
using test::error_of;

namespace {

std::string at(int line) { return "tests/autograd/call_site.cpp:" + std::to_string(line); }

struct WrongShape : Function<WrongShape> {
  static constexpr const char* name = "wrong_shape";
  static Tensor forward(Context&, const Tensor& x) { return x * 2; }
  static Gradients backward(Context&, const Tensor&) { return {zeros({5}, {.dtype = f64})}; }
};
Tensor wrong_shape(const Tensor& x, Where site = {}) { return WrongShape::apply(site, x); }

}  // namespace

TEST_CASE("each mistake is answered with the op, the shapes and the caller's line") {
  const Tensor x = Tensor::from({1.0, 2.0}).requires_grad_(), w = Tensor::from({3.0, 4.0});
  int line = 0, back = 0;
  std::string text;

  line = __LINE__ + 1;
  const Tensor y = sum(x * w);
  w.fill(0);
  text = error_of([&] { back = __LINE__, y.backward(); });
  test::check_says(text, "[mul] a tensor of shape (2,) saved for backward was changed in place");
  test::check_says(text, "(at " + at(line) + ", called at " + at(back) + ")");

  line = __LINE__ + 1;
  const Tensor e = sum(exp(x));
  e.backward();
  text = error_of([&] { back = __LINE__, e.backward(); });
  test::check_says(text, "[exp] backward a second time");
  test::check_says(text, "(at " + at(line) + ", called at " + at(back) + ")");

  line = __LINE__ + 1;
  const Tensor bad = sum(wrong_shape(x));
  text = error_of([&] { back = __LINE__, bad.backward(); });
  test::check_says(text, "[wrong_shape] backward gave a gradient of shape (5,) for an input of shape (2,)");
  test::check_says(text, "(at " + at(line) + ", called at " + at(back) + ")");

  text = error_of([&] { back = __LINE__, y.backward(Tensor::from({1.0, 2.0, 3.0})); });
  test::check_says(text, "[backward] gradient of shape (3,) given for an output of shape () (at " + at(back) + ")");

  text = error_of([&] { back = __LINE__, (x * 2).backward(); });
  test::check_says(
      text, "[backward] a gradient must be given for an output that is not a scalar: shape (2,) (at " + at(back) + ")");

  text = error_of([&] { back = __LINE__, matmul(zeros({2, 3}), zeros({3, 2}, {.dtype = f64})); });
  test::check_says(text, "[matmul]");
  test::check_says(text, "f32 x f64");
  test::check_says(text, "(at " + at(back) + ")");

  text = error_of([&] { back = __LINE__, index_select(x, 0, Tensor::from<std::int64_t>({0, 2})); });
  test::check_says(text, "[index_select] index out of range: 2 (entry 1), 2 to choose from (at " + at(back) + ")");

  text = error_of([&] { back = __LINE__, x + zeros({3}); });
  test::check_says(text, "[add] shapes do not broadcast: (2,) and (3,) (at " + at(back) + ")");
}

TEST_CASE("an op in an op keeps the outer line; after an error nothing is left over") {
  const Tensor x = Tensor::from({1.0, 2.0});
  int line = 0;
  std::string text = error_of([&] { line = __LINE__, layer_norm(x, {3}); });
  test::check_says(text, "(at " + at(line) + ")");
  text = error_of([&] { line = __LINE__, mean(x, {4}); });
  test::check_says(text, "(at " + at(line) + ")");
  CHECK(!CallSite::current().known());
  const Tensor leaf = x.copy().requires_grad_();
  line = __LINE__ + 1;
  const Tensor y = mean(leaf);
  CHECK(y.grad_fn()->site.str() == at(line));
  // What the gradient of a gradient is computed by belongs to the same line.
  const Tensor g = grad({sum(exp(y))}, {leaf}, {}, {.create_graph = true})[0];
  CHECK(g.grad_fn()->site.str() == at(line));
}
