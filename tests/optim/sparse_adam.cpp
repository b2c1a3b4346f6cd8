#include "ff/optim/sparse_adam.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/parallel.h"
#include "ff/optim/adam.h"
#include "ff/optim/kernels.h"
#include "ff/optim/sgd.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::test;

namespace {

Tensor leaf(const Tensor& x) { return x.copy().requires_grad_(); }

// Gives both parameters a gradient, and makes a step of both optimisers.
void step(optim::Optimizer& a, const Tensor& p, optim::Optimizer& b, const Tensor& q, const Tensor& grad) {
  p.set_grad(grad);
  q.set_grad(grad);
  a.step();
  b.step();
}

}  // namespace

TEST_CASE("SparseAdam: Adam to the last bit where every row has a gradient") {
  for (const DType dtype : {f32, f64}) {
    manual_seed(1);
    const Tensor start = randn({37, 5}, {.dtype = dtype}), p = leaf(start), q = leaf(start);
    optim::SparseAdam sparse({{"w", p}}, {.lr = 0.01, .betas = {0.8, 0.95}});
    optim::Adam dense({{"w", q}}, {.lr = 0.01, .betas = {0.8, 0.95}});
    for (int i = 0; i < 5; ++i) step(sparse, p, dense, q, randn({37, 5}, {.dtype = dtype}));
    CHECK(p.to_vector<double>() == q.to_vector<double>());
    CHECK(sparse.state_dict().at("w.exp_avg_sq").to_vector<double>() ==
          dense.state_dict().at("w.exp_avg_sq").to_vector<double>());
  }
}

TEST_CASE("SparseAdam: rows without a gradient wait, with their moments") {
  manual_seed(2);
  const Tensor start = randn({6, 3}), p = leaf(start), q = leaf(start);
  optim::SparseAdam sparse({{"w", p}}, {.lr = 0.1});
  optim::Adam dense({{"w", q}}, {.lr = 0.1});
  step(sparse, p, dense, q, randn({6, 3}));
  const Tensor before = p.copy(), moment = sparse.state_dict().at("w.exp_avg").copy();
  const Tensor some = index_sum(randn({3, 3}), 0, Tensor::from<std::int64_t>({1, 2, 5}), 6);
  step(sparse, p, dense, q, some);
  for (std::int64_t row = 0; row < 6; ++row) {
    CAPTURE(row);
    const bool touched = row == 1 || row == 2 || row == 5;
    CHECK((p(row).to_vector<float>() == before(row).to_vector<float>()) == !touched);
    CHECK((sparse.state_dict().at("w.exp_avg")(row).to_vector<float>() == moment(row).to_vector<float>()) == !touched);
    CHECK((p(row).to_vector<float>() == q(row).to_vector<float>()) == touched);  // Adam's momentum moves the others on
  }
}

TEST_CASE("SparseAdam: a row is touched as a whole, wherever its table is cut into tasks") {
  // Rows of 3 / 4 of a task: row 1 lies in two tasks, and its gradient in one of them.
  const std::int64_t width = optim::kernels::grain * 3 / 4;
  for (const std::int64_t place : {width, 2 * width - 1}) {
    CAPTURE(place);
    const Tensor grad = zeros({3, width});
    grad.data<float>()[place] = 1;
    const Tensor p = leaf(ones({3, width})), q = leaf(ones({3, width}));
    optim::SparseAdam sparse({{"w", p}}, {.lr = 0.1});
    optim::Adam dense({{"w", q}}, {.lr = 0.1});
    step(sparse, p, dense, q, ones({3, width}));
    const Tensor before = p.copy();
    step(sparse, p, dense, q, grad);
    CHECK(same_bits(p(0).to_vector<float>(), before(0).to_vector<float>()));
    CHECK(same_bits(p(1).to_vector<float>(), q(1).to_vector<float>()));
    CHECK(same_bits(p(2).to_vector<float>(), before(2).to_vector<float>()));
  }
}

TEST_CASE("SparseAdam: scalars, vectors and tables of no rows; any number of threads") {
  const Tensor scalar = leaf(Tensor::scalar(1)), bias = leaf(Tensor::from({1.0f, 1.0f, 1.0f})),
               none = leaf(zeros({0, 4}));
  optim::SparseAdam optimizer({{"scalar", scalar}, {"bias", bias}, {"none", none}}, {.lr = 0.5});
  scalar.set_grad(Tensor::scalar(2));
  bias.set_grad(Tensor::from({0.0f, -1.0f, 0.0f}));
  none.set_grad(zeros({0, 4}));
  optimizer.step();
  CHECK(scalar.item<double>() == doctest::Approx(0.5));
  const Difference d = largest_difference(bias.to_vector<float>(), std::vector<double>{1, 1.5, 1});
  CHECK_MESSAGE(d.absolute < 1e-6, d.str());

  const int threads = num_threads();
  std::vector<std::vector<float>> results;
  for (const int n : {1, 2, 4}) {
    set_num_threads(n);
    manual_seed(3);
    const Tensor table = leaf(randn({5000, 40}));
    optim::SparseAdam lazy({{"w", table}});
    const Tensor index = randint(0, 5000, {300});
    for (int i = 0; i < 2; ++i) {
      table.set_grad(index_sum(randn({300, 40}), 0, index, 5000));
      lazy.step();
    }
    results.push_back(table.to_vector<float>());
  }
  set_num_threads(threads);
  CHECK(same_bits(results[0], results[1]));
  CHECK(same_bits(results[0], results[2]));
}

TEST_CASE("every optimiser: a sparse gradient gives what a dense one does, to the last bit") {
  // Rows of 3 / 4 of a task, so that they lie across the seams; row 2 is touched, but its gradient is 0.
  const std::int64_t width = optim::kernels::grain * 3 / 4;
  using Make = std::unique_ptr<optim::Optimizer> (*)(const Tensor&);
  const std::vector<Make> optimizers{
      [](const Tensor& p) -> std::unique_ptr<optim::Optimizer> {
        return std::make_unique<optim::SparseAdam>(NamedTensors{{"w", p}});
      },
      [](const Tensor& p) -> std::unique_ptr<optim::Optimizer> {
        return std::make_unique<optim::Adam>(NamedTensors{{"w", p}});
      },
      [](const Tensor& p) -> std::unique_ptr<optim::Optimizer> {
        return std::make_unique<optim::AdamW>(NamedTensors{{"w", p}}, optim::AdamWOptions{.weight_decay = 0.1});
      },
      [](const Tensor& p) -> std::unique_ptr<optim::Optimizer> {
        return std::make_unique<optim::SGD>(NamedTensors{{"w", p}}, optim::SGDOptions{.lr = 0.1, .momentum = 0.9});
      }};
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    CAPTURE(i);
    manual_seed(4);
    const Tensor start = randn({6, width}), p = leaf(start), q = leaf(start);
    keep_sparse_gradient(p);
    const auto sparse = optimizers[i](p), dense = optimizers[i](q);
    for (const std::vector<std::int64_t>& used : {std::vector<std::int64_t>{1, 2, 5}, {0, 2}, {1, 3, 4}}) {
      const Tensor index = Tensor::from(used, {static_cast<std::int64_t>(used.size())});
      for (const Tensor& w : {p, q}) {
        const Tensor rows = embedding(index, w);
        sum(square(rows) * reshape(cast(ne(index, 2), f32), {-1, 1})).backward();
      }
      REQUIRE(touched(p.grad()) != nullptr);
      for (optim::Optimizer* optimizer : {sparse.get(), dense.get()}) {
        optimizer->step(0.5);
        optimizer->zero_grad();
      }
      CHECK_FALSE(p.grad().defined());
      CHECK(same_bits(p.to_vector<float>(), q.to_vector<float>()));
    }
    for (const auto& [name, value] : dense->state_dict())
      CHECK(same_bits(sparse->state_dict().at(name).to_vector<double>(), value.to_vector<double>()));
  }
}

TEST_CASE("SparseAdam: what is not touched is not looked at") {
  const Tensor p = leaf(ones({5000, 64}));
  keep_sparse_gradient(p);
  optim::SparseAdam optimizer({{"w", p}});
  sum(embedding(Tensor::from<std::int64_t>({3, 4998}), p)).backward();
  p.grad().data<float>()[2000 * 64] = 1;  // a mark that nobody is told of
  optimizer.step();
  CHECK(p(2000, 0).item<float>() == 1);
  CHECK(p(3, 0).item<float>() < 1);
  CHECK(p(4998, 63).item<float>() < 1);
}

TEST_CASE("SparseAdam: bad options") {
  const Tensor p = leaf(zeros({2}));
  CHECK(contains(error_of([&] {
                   optim::SparseAdam({{"w", p}}, {.betas = {1, 0.9}});
                 }),
                 {"[SparseAdam]", "betas", "1"}));
  CHECK(contains(error_of([&] { optim::SparseAdam({{"w", p}}, {.eps = -1}); }), {"[SparseAdam]", "eps", "-1"}));
  std::vector<optim::ParamGroup> groups(1);
  groups[0].parameters = {{"w", p}};
  groups[0].weight_decay = 0.1;
  CHECK(contains(error_of([&] { optim::SparseAdam{groups}; }), {"[SparseAdam]", "weight decay", "0.1"}));
}
