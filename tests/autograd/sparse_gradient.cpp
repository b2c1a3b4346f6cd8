#include "ff/autograd/sparse_gradient.h"

#include <functional>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/function.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/allocator.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/strided_arrays.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr std::int64_t rows = 50, width = 3;

Tensor indices(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

// A leaf of the same values each time.
Tensor table(bool sparse) {
  manual_seed(7);
  const Tensor leaf = randn({rows, width}, {.requires_grad = true});
  if (sparse) keep_sparse_gradient(leaf);
  return leaf;
}

// A scalar of which entry i of x has the weight sin(i), and twice its own value.
Tensor loss_of(const Tensor& x) {
  const Tensor weights = sin(cast(arange(0, static_cast<double>(x.numel())), x.dtype()));
  return sum(x * reshape(weights, x.shape()) + square(x));
}

std::vector<std::int64_t> touched_rows(const Tensor& gradient) {
  std::vector<std::int64_t> result;
  for (const Run& run : *touched(gradient))
    for (std::int64_t i = run.begin; i < run.end; i += width) result.push_back(i / width);
  return result;
}

using Use = std::function<void(const Tensor& weight)>;

// Whether a leaf has the same gradient, to the last bit, whether it keeps a sparse one or not, after each of three
// steps of use.
void check_same(const Use& use) {
  const Tensor sparse = table(true), dense = table(false);
  for (int step = 0; step < 3; ++step) {
    CAPTURE(step);
    for (const Tensor& weight : {sparse, dense}) {
      weight.set_grad({});
      use(weight);
    }
    REQUIRE(dense.grad().defined());
    REQUIRE(sparse.grad().defined());
    CHECK(same_bits(sparse.grad().to_vector<float>(), dense.grad().to_vector<float>()));
  }
}

}  // namespace

TEST_CASE("sparse gradient: that of the dense path to the last bit, whatever the leaf is used for") {
  const Tensor few = indices({4, 48, 4, 5}), others = indices({5, 0});
  SUBCASE("rows by index") {
    check_same([&](const Tensor& w) { loss_of(embedding(few, w)).backward(); });
  }
  SUBCASE("none at all") {
    check_same([&](const Tensor& w) { loss_of(embedding(indices({}), w)).backward(); });
  }
  SUBCASE("a padding") {
    check_same([&](const Tensor& w) { loss_of(embedding(few, w, 4)).backward(); });
  }
  SUBCASE("several indices and slices, that overlap") {
    check_same([&](const Tensor& w) {
      (loss_of(embedding(few, w)) + loss_of(slice(w, 0, 3, 6)) + loss_of(index_select(w, 0, others)) +
       loss_of(slice(w, 0, 40, 50)))
          .backward();
    });
  }
  SUBCASE("slices with a step, columns, a column of single rows") {
    check_same([&](const Tensor& w) {
      (loss_of(slice(w, 0, 3, 30, 4)) + loss_of(slice(w, 1, 1, 3)) + loss_of(index_select(w, 1, indices({2, 2}))) +
       loss_of(slice(w, 0, 7, 8, 2)))
          .backward();
    });
  }
  SUBCASE("columns by index alone") {
    check_same([&](const Tensor& w) { loss_of(index_select(w, 1, indices({2, 0, 2}))).backward(); });
  }
  SUBCASE("all of it, before and after rows of it: tied weights") {
    check_same([&](const Tensor& w) { (loss_of(matmul(embedding(few, w), transpose(w, 0, 1)))).backward(); });
    check_same([&](const Tensor& w) { (loss_of(w) + loss_of(embedding(few, w))).backward(); });
    check_same(
        [&](const Tensor& w) { (loss_of(slice(w, 0, 1, 2)) + loss_of(w) + loss_of(embedding(few, w))).backward(); });
  }
  SUBCASE("several passes, one of them dense") {
    check_same([&](const Tensor& w) {
      loss_of(embedding(few, w)).backward();
      loss_of(embedding(others, w)).backward();
      loss_of(w).backward();
      loss_of(embedding(few, w)).backward();
    });
  }
  SUBCASE("a graph that is retained") {
    check_same([&](const Tensor& w) {
      const Tensor loss = loss_of(embedding(few, w)) + loss_of(slice(w, 0, 9, 12));
      loss.backward({}, /*retain_graph=*/true);
      loss.backward();
    });
  }
  SUBCASE("a graph of the gradient") {
    check_same([&](const Tensor& w) {
      loss_of(embedding(few, w)).backward({}, false, /*create_graph=*/true);
      const Tensor first = w.grad();
      loss_of(first).backward();
    });
  }
  SUBCASE("grad(), which accumulates nothing, in between") {
    check_same([&](const Tensor& w) {
      loss_of(embedding(few, w)).backward();
      const Tensor other = grad({loss_of(embedding(others, w))}, {w})[0];
      loss_of(other.detach() * embedding(indices({2}), w)).backward();
    });
  }
  SUBCASE("hooks that look, keep, change in place, and replace") {
    std::vector<Tensor> kept;
    const std::vector<std::function<Tensor(const Tensor&)>> hooks{[](const Tensor&) { return Tensor(); },
                                                                  [&](const Tensor& g) {
                                                                    kept.push_back(g);
                                                                    return Tensor();
                                                                  },
                                                                  [](const Tensor& g) {
                                                                    g.assign(g + 1.0);
                                                                    return Tensor();
                                                                  },
                                                                  [](const Tensor& g) { return g * 3.0; }};
    for (const auto& hook : hooks)
      check_same([&](const Tensor& w) {
        const int id = w.register_hook(hook);
        (loss_of(embedding(few, w)) + loss_of(slice(w, 0, 20, 22))).backward();
        w.remove_hook(id);
      });
    REQUIRE(kept.size() == 6);
    CHECK(same_bits(kept[0].to_vector<float>(), kept[1].to_vector<float>()));
    CHECK(same_bits(kept[0].to_vector<float>(), kept[4].to_vector<float>()));
  }
  SUBCASE("a table that is the result of an op") {
    check_same([&](const Tensor& w) {
      const Tensor scaled = w * 2.0;
      (loss_of(embedding(few, scaled)) + loss_of(slice(scaled, 0, 3, 6))).backward();
    });
  }
  SUBCASE("a gradient given, or changed in place, then added to") {
    check_same([&](const Tensor& w) {
      loss_of(embedding(few, w)).backward();
      w.grad()(Slice(10, 12)).fill(5);
      loss_of(embedding(others, w)).backward();
    });
    check_same([&](const Tensor& w) {
      w.set_grad(ones({rows, width}));
      loss_of(embedding(few, w)).backward();
    });
  }
}

TEST_CASE("sparse gradient: a gradient that somebody keeps stays as it is") {
  const Tensor w = table(true);
  loss_of(embedding(indices({1}), w)).backward();
  const Tensor kept = w.grad();
  const std::vector<float> values = kept.to_vector<float>();
  w.set_grad({});
  loss_of(embedding(indices({2}), w)).backward();
  CHECK(same_bits(kept.to_vector<float>(), values));
  CHECK(touched_rows(w.grad()) == std::vector<std::int64_t>{2});
}

TEST_CASE("sparse gradient: the touched rows are known, and unknown as soon as they are not") {
  const Tensor w = table(true);
  CHECK(touched(Tensor()) == nullptr);
  CHECK(touched(w) == nullptr);
  (loss_of(embedding(indices({7, 3, 4, 7}), w)) + loss_of(slice(w, 0, 8, 10))).backward();
  CHECK(*touched(w.grad()) == std::vector<Run>{{3 * width, 5 * width}, {7 * width, 10 * width}});
  loss_of(embedding(indices({0, 5}), w)).backward();
  CHECK(touched_rows(w.grad()) == std::vector<std::int64_t>{0, 3, 4, 5, 7, 8, 9});
  w.grad()(0).fill(1);
  CHECK(touched(w.grad()) == nullptr);

  w.set_grad({});
  loss_of(embedding(indices({6}), w)).backward();
  CHECK(touched_rows(w.grad()) == std::vector<std::int64_t>{6});
  loss_of(w).backward();
  CHECK(*touched(w.grad()) == std::vector<Run>{{0, rows * width}});
  w.set_grad({});
  (loss_of(embedding(indices({6}), w)) + loss_of(w)).backward();
  CHECK(touched(w.grad()) == nullptr);

  const Tensor plain = table(false);
  loss_of(embedding(indices({6}), plain)).backward();
  CHECK(touched(plain.grad()) == nullptr);
}

namespace {

// x, of whose first entry alone it gives a gradient, in place and without a word of where.
struct First : Function<First> {
  static constexpr const char* name = "first";
  Shape from;
  Tensor forward(Context&, const Tensor& x) {
    from = x.shape();
    return x.as_strided({}, {});
  }
  Gradients backward(Context&, const Tensor& dy) const {
    Tensor dx = zeros(from, {.dtype = dy.dtype()});
    dx.as_strided({}, {}).assign(dy);
    return {dx};
  }
  static bool add_backward(Context&, const Tensor& dy, const Tensor& sum) {
    sum.data<float>()[0] += dy.item<float>();
    return true;
  }
};

}  // namespace

TEST_CASE("sparse gradient: a function that adds in place and does not tell where") {
  check_same([](const Tensor& w) { (First::apply(w) * 2.0 + loss_of(embedding(indices({3}), w))).backward(); });
  check_same([](const Tensor& w) { (loss_of(embedding(indices({3}), w)) + First::apply(w) * 2.0).backward(); });
  check_same([](const Tensor& w) { (First::apply(w) * 2.0).backward(); });
}

TEST_CASE("sparse gradient: steps make no table and pass over none") {
  constexpr std::int64_t count = 100000, columns = 64, bytes = count * columns * 4;
  const Tensor w = zeros({count, columns}, {.requires_grad = true});
  keep_sparse_gradient(w);
  const auto step = [&](std::int64_t passes) {
    w.set_grad({});
    for (std::int64_t i = 0; i < passes; ++i)
      (sum(embedding(indices({i, 40, 99990, 40}), w)) + sum(slice(w, 0, 100, 200))).backward();
  };
  step(2);
  step(2);
  // What is left of the peak is taken up, so that any table-sized block would raise it.
  const MemoryStats before = memory_stats();
  const Tensor ballast = Tensor::empty({static_cast<std::int64_t>(before.peak_in_use - before.in_use) / 4});
  const std::size_t peak = memory_stats().peak_in_use;
  // A mark that nobody is told of, in a row that no step touches: a pass would clear it, or add to it.
  float& mark = w.grad().data<float>()[50000 * columns];
  mark = 1;
  for (int i = 0; i < 3; ++i) {
    step(2);
    CHECK(memory_stats().peak_in_use < peak + static_cast<std::size_t>(bytes) / 4);
    CHECK(w.grad()(40).to_vector<float>() == std::vector<float>(columns, 4));
    CHECK(w.grad()(1).to_vector<float>() == std::vector<float>(columns, 1));
    CHECK(w.grad()(150).to_vector<float>() == std::vector<float>(columns, 2));
    REQUIRE(&mark == &w.grad().data<float>()[50000 * columns]);
    CHECK(mark == 1);
  }
}

TEST_CASE("sparse gradient: the same bits at any number of threads") {
  CHECK(same_at_any_thread_count([] {
    manual_seed(3);
    const Tensor w = randn({20000, 40}, {.requires_grad = true}), index = randint(0, 20000, {3000});
    keep_sparse_gradient(w);
    for (int i = 0; i < 2; ++i) (loss_of(embedding(index, w)) + loss_of(slice(w, 0, 500, 9000))).backward();
    return w.grad().to_vector<float>();
  }));
}

TEST_CASE("sparse gradient: leaves of rows alone can keep one") {
  const std::string op = "[keep_sparse_gradient]";
  check_says(error_of([] { keep_sparse_gradient(zeros({}, {.requires_grad = true})); }), op);
  check_says(error_of([] { keep_sparse_gradient(zeros({2}, {.requires_grad = true}) * 2.0); }), op);
  const Tensor none = zeros({0, 3}, {.requires_grad = true}), vector = zeros({4}, {.requires_grad = true});
  for (const Tensor& leaf : {none, vector}) {
    keep_sparse_gradient(leaf);
    CHECK(keeps_sparse_gradient(leaf));
    sum(slice(leaf, 0, 1, 3)).backward();
  }
  CHECK(none.grad().shape() == Shape{0, 3});
  CHECK(vector.grad().to_vector<float>() == std::vector<float>{0, 1, 1, 0});
  CHECK(*touched(vector.grad()) == std::vector<Run>{{1, 3}});
}
