#include "ff/autograd/engine.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/function.h"
#include "ff/autograd/gradcheck.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/allocator.h"
#include "ff/core/error.h"

using namespace ff;

namespace {

Tensor leaf(std::initializer_list<double> values) { return Tensor::from(values).requires_grad_(); }

bool throws_with(const std::function<void()>& f, const std::string& text) {
  try {
    f();
  } catch (const Error& e) {
    INFO(e.what());
    CHECK(std::string(e.what()).find(text) != std::string::npos);
    return std::string(e.what()).find(text) != std::string::npos;
  }
  return false;
}

// y = x^3, written as a user would.
struct Cube : Function<Cube> {
  static constexpr const char* name = "cube";
  static Tensor forward(Context& ctx, const Tensor& x) {
    ctx.save({x});
    return x * x * x;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return {dy * square(ctx.saved(0)) * 3}; }
};

struct Wrong : Function<Wrong> {
  static constexpr const char* name = "wrong";
  static Tensor forward(Context&, const Tensor& x) { return softmax(x, -1); }
  // Right for a cotangent of ones, as the sum of a softmax is constant.
  static Gradients backward(Context&, const Tensor& dy) { return {dy * 0}; }
};

struct WrongShape : Function<WrongShape> {
  static constexpr const char* name = "wrong_shape";
  static Tensor forward(Context&, const Tensor& x) { return x * 2; }
  static Gradients backward(Context&, const Tensor&) { return {zeros({5}, {.dtype = f64})}; }
};

// Gives back its second argument.
struct Second : Function<Second> {
  static constexpr const char* name = "second";
  static Tensor forward(Context&, const Tensor&, const Tensor& b) { return b; }
  static Gradients backward(Context&, const Tensor& dy) { return {dy * 0, dy}; }
};

}  // namespace

TEST_CASE("gradients accumulate over uses and over passes") {
  const Tensor x = leaf({2, 3});
  sum(x * x + x).backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{5, 7});
  sum(x).backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{6, 8});
  x.set_grad({});
  CHECK(!x.grad().defined());
}

TEST_CASE("two leaves never share the memory of a gradient") {
  const Tensor a = leaf({1}), b = leaf({2});
  sum(a + b).backward();
  a.grad().fill(5);
  CHECK(b.grad().item<double>() == 1);
  const Tensor c = leaf({1}), seed = Tensor::from({3.0});
  (c + 0).backward(seed);
  c.grad().fill(5);
  CHECK(seed.item<double>() == 3);
}

TEST_CASE("NoGrad and detach cut the graph") {
  const Tensor x = leaf({2});
  {
    const NoGrad no_grad;
    CHECK(!(x * x).requires_grad());
  }
  CHECK((x * x).requires_grad());
  CHECK(!x.detach().requires_grad());
  sum(x * x.detach()).backward();
  CHECK(x.grad().item<double>() == 2);
}

TEST_CASE("higher derivatives") {
  const Tensor x = leaf({2});
  const Tensor y = x * x * x;
  const Tensor dy = grad({y}, {x}, {}, {.create_graph = true})[0];
  const Tensor ddy = grad({dy}, {x}, {}, {.create_graph = true})[0];
  CHECK(dy.item<double>() == 12);
  CHECK(ddy.item<double>() == 12);
  CHECK(grad({ddy}, {x})[0].item<double>() == 6);
  CHECK(!x.grad().defined());
}

TEST_CASE("grad stops at inputs that are not leaves, and tells of unused ones") {
  const Tensor x = leaf({3}), unused = leaf({1});
  const Tensor y = square(x), z = exp(y) * 0 + y * 5;
  CHECK(grad({z}, {y}, {}, {.retain_graph = true})[0].item<double>() == 5);
  CHECK(throws_with([&] { grad({z}, {unused}, {}, {.retain_graph = true}); }, "do not depend on input 0"));
  CHECK(!grad({z}, {unused}, {}, {.allow_unused = true})[0].defined());
  CHECK(throws_with([&] { grad({square(x)}, {Tensor::from({1.0})}); }, "does not require a gradient"));
}

TEST_CASE("hooks see the whole gradient and may change it") {
  const Tensor x = leaf({1, 2}), y = x * 2;
  std::vector<double> seen;
  y.register_hook([&](const Tensor& g) {
    seen = g.to_vector<double>();
    return g * 10;
  });
  const int removed = x.register_hook([](const Tensor& g) { return g * 1000; });
  x.remove_hook(removed);
  x.register_hook([](const Tensor& g) { return g + 1; });
  y.retain_grad();
  sum(y * 3 + y).backward();
  CHECK(seen == std::vector<double>{4, 4});
  CHECK(y.grad().to_vector<double>() == std::vector<double>{40, 40});
  CHECK(x.grad().to_vector<double>() == std::vector<double>{81, 81});
}

TEST_CASE("a gradient for several outputs, one given") {
  const Tensor x = leaf({1, 2});
  const Tensor a = x * 2, b = sum(x * x);
  backward({a, b}, {Tensor::from({1.0, 10.0}), {}});
  CHECK(x.grad().to_vector<double>() == std::vector<double>{4, 24});
}

TEST_CASE("errors name the op and the shapes") {
  const Tensor x = leaf({1, 2});
  CHECK(throws_with([&] { (x * 2).backward(); },
                    "[backward] a gradient must be given for an output that is not a scalar: shape (2,)"));
  CHECK(throws_with([&] { (x * 2).backward(Tensor::from({1.0})); },
                    "gradient of shape (1,) given for an output of shape (2,)"));
  CHECK(throws_with([&] { sum(Tensor::from({1.0})).backward(); }, "does not require a gradient"));
  CHECK(throws_with([&] { Tensor::from<std::int64_t>({1}).requires_grad_(); }, "only floating tensors"));
  CHECK(throws_with([&] { (x * 2).requires_grad_(); }, "computed by mul"));
  const Tensor y = sum(exp(x));
  y.backward();
  CHECK(throws_with([&] { y.backward(); }, "[exp] backward a second time"));
  CHECK(throws_with([&] { x + Tensor::from({1.0, 2.0, 3.0}); }, "[add] shapes do not broadcast: (2,) and (3,)"));
  CHECK(throws_with(
      [&] {
        matmul(zeros({3, 4}), zeros({5, 2}));
      },
      "[matmul] inner dimensions differ: (3, 4) x (5, 2)"));
  CHECK(throws_with([&] { Tensor().shape(); }, "undefined"));
}

TEST_CASE("a saved tensor changed in place is noticed") {
  const Tensor x = leaf({1, 2}), w = Tensor::from({3.0, 4.0});
  const Tensor y = sum(x * w);
  w.fill(0);
  CHECK(throws_with([&] { y.backward(); }, "[mul] a tensor of shape (2,) saved for backward was changed in place"));
  const Tensor e = exp(x);
  const Tensor s = sum(e);
  e.fill(1);
  CHECK(throws_with([&] { s.backward(); }, "[exp]"));
}

TEST_CASE("a million ops are built, walked and freed within the default stack") {
  const Tensor x = Tensor::from({1.0}).requires_grad_();
  Tensor y = x;
  for (int i = 0; i < 1'000'000; ++i) y = y + x;
  y.backward();
  CHECK(x.grad().item<double>() == 1'000'001);
}

TEST_CASE("backward frees what it has consumed") {
  constexpr std::int64_t n = 1 << 16, depth = 50;
  constexpr std::size_t block = n * sizeof(double);
  const Tensor x = zeros({n}, {.dtype = f64, .requires_grad = true});
  const std::size_t before = memory_stats().in_use;
  const auto held = [&] { return memory_stats().in_use - before; };
  std::vector<std::size_t> on_the_way;
  Tensor loss;
  {
    Tensor y = x;
    for (int i = 0; i < depth; ++i) {
      y = sin(y * 0.5);  // saves its argument
      y.register_hook([&](const Tensor&) {
        on_the_way.push_back(held());
        return Tensor();
      });
    }
    loss = sum(y);
  }
  CHECK(held() >= depth * block);
  loss.backward();
  REQUIRE(on_the_way.size() == depth);
  // From the end to the beginning one block less each time, beside the gradient at hand and the one it is made of.
  for (std::size_t i = 1; i < depth; ++i) CHECK(on_the_way[i] <= on_the_way[i - 1] + block / 2);
  CHECK(on_the_way.back() <= 5 * block);
  CHECK(held() <= 2 * block);  // the gradient of x, and little
}

TEST_CASE("gradients of many uses are summed in place, unless that could be seen") {
  // Blocks of memory that backward takes through 20 uses of one tensor, or of one tensor each.
  const auto blocks = [](bool same) {
    const Tensor x = zeros({1000}, {.dtype = f64, .requires_grad = true});
    std::vector<Tensor> leaves;
    Tensor total = sum(x * 0.0);
    for (int i = 1; i <= 20; ++i) {
      leaves.push_back(same ? x : zeros({1000}, {.dtype = f64, .requires_grad = true}));
      total = total + sum(leaves.back() * static_cast<double>(i));
    }
    const std::uint64_t before = memory_stats().allocations;
    total.backward();
    const std::uint64_t made = memory_stats().allocations - before;
    if (same) CHECK(x.grad().to_vector<double>() == std::vector<double>(1000, 210));
    return made;
  };
  CHECK(blocks(true) <= blocks(false));

  // What a hook keeps of the gradient of one use does not become the sum.
  const Tensor x = leaf({0, 0}), y = x * 1.0, first = y * 2.0, second = y + zeros_like(y);
  Tensor kept;
  second.register_hook([&](const Tensor& g) {
    kept = g;
    return Tensor();
  });
  (sum(first) + sum(second * 3.0)).backward();
  CHECK(kept.to_vector<double>() == std::vector<double>{3, 3});
  CHECK(x.grad().to_vector<double>() == std::vector<double>{5, 5});
}

TEST_CASE("an op that saves its output is freed") {
  const Tensor x = leaf({1});
  std::weak_ptr<autograd::Node> node;
  {
    const Tensor y = exp(x);
    node = y.grad_fn();
    CHECK(!node.expired());
  }
  CHECK(node.expired());
}

TEST_CASE("mixed dtypes: each gradient in its tensor's own") {
  const Tensor a = ones({2}, {.dtype = f32, .requires_grad = true}),
               b = ones({2}, {.dtype = f64, .requires_grad = true});
  const Tensor y = a * b;
  CHECK(y.dtype() == f64);
  sum(y).backward();
  CHECK(a.grad().dtype() == f32);
  CHECK(b.grad().dtype() == f64);
  CHECK((a * 2.5).dtype() == f32);
  CHECK((ones({2}, {.dtype = i64}) * 2).dtype() == i64);
  CHECK((ones({2}, {.dtype = i64}) * 2.5).dtype() == f32);
  CHECK((a * Tensor::scalar(2, f64)).dtype() == f32);
}

TEST_CASE("a function of the user's own") {
  const auto f = [](const std::vector<Tensor>& in) { return Cube::apply(in[0]); };
  const std::vector<Tensor> x{Tensor::from({0.3, -1.2, 2.0})};
  CHECK(gradcheck(f, x).error < 1e-8);
  CHECK(gradgradcheck(f, x).error < 1e-8);
}

TEST_CASE("an argument that a function hands through stays what it was") {
  const Tensor x = leaf({1}), plain = Tensor::from({2.0});
  const Tensor y = Second::apply(x, plain);
  CHECK(y.requires_grad());
  CHECK(!plain.requires_grad());
  CHECK(plain.is_leaf());
  sum(y).backward();
  CHECK(x.grad().item<double>() == 0);
}

TEST_CASE("gradcheck finds a wrong gradient") {
  const std::vector<Tensor> x{Tensor::from({0.3, -1.2, 2.0})};
  CHECK(gradcheck([](const auto& in) { return Wrong::apply(in[0]); }, x).error > 1e-3);
  CHECK(throws_with([&] { gradcheck([](const auto& in) { return WrongShape::apply(in[0]); }, x); },
                    "[wrong_shape] backward gave a gradient of shape (5,) for an input of shape (3,)"));
}

TEST_CASE("grad: of a leaf with respect to itself") {
  const Tensor x = ones({2}, {.requires_grad = true}), dy = Tensor::from({3.0f, 4.0f});
  CHECK(grad({x}, {x}, {dy})[0].to_vector<float>() == std::vector<float>{3, 4});
}
