#include "ff/nn/adaptive_softmax.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/io/safetensors.h"
#include "ff/core/parallel.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::test;

namespace {

using Classes = std::vector<std::int64_t>;

// A tied one of f64 with random biases, and the table that it is tied to.
struct Tied {
  Tensor table;
  nn::TiedAdaptiveSoftmax softmax;

  Tied(std::int64_t classes, std::int64_t width, Classes cutoffs)
      : table(randn({classes, width}, {.dtype = f64, .requires_grad = true})), softmax(table, std::move(cutoffs)) {
    softmax.to(f64);
    for (const auto& [name, parameter] : softmax.parameters()) parameter.assign(randn(parameter.shape()));
  }
};

// -log p of each class for one x, by the definition: plain loops.
std::vector<double> reference(const Tied& tied, const double* x) {
  const auto& cutoffs = tied.softmax.cutoffs();
  const std::int64_t width = tied.table.size(1), classes = tied.table.size(0), clusters = tied.softmax.clusters();
  const auto score = [&](const Tensor& weight, const Tensor& bias, std::int64_t row) {
    double sum = bias.data<double>()[row];
    for (std::int64_t i = 0; i < width; ++i) sum += weight.data<double>()[row * width + i] * x[i];
    return sum;
  };
  const auto log_sum = [](const std::vector<double>& scores) {
    double sum = 0;
    for (const double s : scores) sum += std::exp(s);
    return std::log(sum);
  };
  std::vector<double> head, result;
  for (std::int64_t c = 0; c < cutoffs[0]; ++c) head.push_back(score(tied.table, tied.softmax.bias, c));
  for (std::int64_t i = 0; i < clusters; ++i)
    head.push_back(score(tied.softmax.cluster_weight, tied.softmax.cluster_bias, i));
  const double of_head = log_sum(head);
  for (std::int64_t c = 0; c < cutoffs[0]; ++c) result.push_back(of_head - head[static_cast<std::size_t>(c)]);
  for (std::int64_t i = 0; i < clusters; ++i) {
    const std::int64_t end = i + 1 < clusters ? cutoffs[static_cast<std::size_t>(i + 1)] : classes;
    std::vector<double> tail;
    for (std::int64_t c = cutoffs[static_cast<std::size_t>(i)]; c < end; ++c)
      tail.push_back(score(tied.table, tied.softmax.bias, c));
    const double of_tail = log_sum(tail);
    for (const double s : tail)
      result.push_back(of_head - head[static_cast<std::size_t>(cutoffs[0] + i)] + of_tail - s);
  }
  return result;
}

}  // namespace

TEST_CASE("TiedAdaptiveSoftmax: loss, log-probabilities and predictions by the definition") {
  manual_seed(1);
  for (const Classes& cutoffs : {Classes{3}, Classes{1, 2}, Classes{4, 6, 9}}) {
    const Tied tied(11, 5, cutoffs);
    const Tensor x = randn({2, 6, 5}, {.dtype = f64});
    const Tensor target = Tensor::from(Classes{0, 10, 3, -100, 9, 1, 5, 4, 10, 2, 8, 0}, {2, 6});
    std::vector<double> log_p;
    Classes likeliest;
    double total = 0;
    for (std::int64_t r = 0; r < 12; ++r) {
      const std::vector<double> nll = reference(tied, x.data<double>() + 5 * r);
      likeliest.push_back(std::min_element(nll.begin(), nll.end()) - nll.begin());
      for (const double value : nll) log_p.push_back(-value);
      const std::int64_t t = target.data<std::int64_t>()[r];
      if (t >= 0) total += nll[static_cast<std::size_t>(t)];
    }
    const Tensor got = tied.softmax.log_prob(x);
    CHECK(got.shape() == Shape{2, 6, 11});
    const Difference d = largest_difference(got.to_vector<double>(), log_p);
    CHECK_MESSAGE(d.absolute < 1e-12, d.str());
    CHECK(sum(exp(got)).item<double>() == doctest::Approx(12));
    CHECK(tied.softmax.predict(x).to_vector<std::int64_t>() == likeliest);
    CHECK(tied.softmax.loss(x, target, {.mean = false}).item<double>() == doctest::Approx(total).epsilon(1e-13));
    CHECK(tied.softmax.loss(x, target).item<double>() == doctest::Approx(total / 11).epsilon(1e-13));
  }
}

TEST_CASE("TiedAdaptiveSoftmax: gradients, the table's among them, by finite differences") {
  manual_seed(2);
  const Tensor x = randn({5, 3}, {.dtype = f64, .requires_grad = true});
  // All clusters; one of them empty; the shortlist alone; all samples in one tail.
  for (const Classes& targets :
       {Classes{0, 2, 5, 8, 3}, Classes{1, 8, 8, 0, 7}, Classes{0, 1, 0, 1, 0}, Classes{5, 3, 4, 5, 3}}) {
    Tied tied(9, 3, {2, 3, 6});
    const Tensor target = Tensor::from(targets, {5});
    const auto loss = [&] { return tied.softmax.loss(x, target); };
    std::vector<Tensor> leaves{x, tied.table, tied.softmax.bias, tied.softmax.cluster_weight,
                               tied.softmax.cluster_bias};
    loss().backward();
    for (const Tensor& leaf : leaves) {
      REQUIRE(leaf.grad().defined());
      const std::vector<double> got = leaf.grad().to_vector<double>();
      leaf.set_grad({});
      std::vector<double> want;
      NoGrad no_grad;
      for (std::int64_t i = 0; i < leaf.numel(); ++i) {
        double& entry = leaf.data<double>()[i];
        const double value = entry, h = 1e-5;
        entry = value + h;
        const double above = loss().item<double>();
        entry = value - h;
        want.push_back((above - loss().item<double>()) / (2 * h));
        entry = value;
      }
      const Difference d = largest_difference(got, want);
      CHECK_MESSAGE(d.absolute < 1e-9, d.str());
    }
  }
}

TEST_CASE("TiedAdaptiveSoftmax: rows of a cluster that does not occur get no gradient") {
  manual_seed(3);
  Tied tied(10, 4, {2, 4, 7});
  tied.softmax.loss(randn({3, 4}, {.dtype = f64}), Tensor::from<std::int64_t>({0, 8, 9})).backward();
  const Tensor gradient = tied.table.grad();
  for (std::int64_t row = 0; row < 10; ++row)
    CHECK((max(abs(gradient(row))).item<double>() > 0) == (row < 2 || row >= 7));
}

TEST_CASE("TiedAdaptiveSoftmax: a sparse table's gradient knows the clusters that occur, and has the same bits") {
  const auto gradient_of = [](bool sparse) {
    manual_seed(3);
    Tied tied(10, 4, {2, 4, 7});
    if (sparse) keep_sparse_gradient(tied.table);
    const Tensor words = Tensor::from<std::int64_t>({5, 0, 5}), next = Tensor::from<std::int64_t>({0, 8, 9});
    for (int step = 0; step < 2; ++step) {
      tied.table.set_grad({});
      tied.softmax.loss(embedding(words, tied.table), next).backward();
    }
    if (sparse) CHECK(*touched(tied.table.grad()) == std::vector<Run>{{0, 2 * 4}, {5 * 4, 6 * 4}, {7 * 4, 10 * 4}});
    CHECK(*touched(tied.softmax.bias.grad()) == std::vector<Run>{{0, 2}, {7, 10}});
    return tied.table.grad().to_vector<double>();
  };
  CHECK(same_bits(gradient_of(true), gradient_of(false)));
}

TEST_CASE("AdaptiveLogSoftmaxWithLoss: PyTorch's loss, gradients, log-probabilities and predictions") {
  const TensorMap golden = load_safetensors(FF_SOURCE_DIR "/tests/golden/adaptive_softmax.safetensors");
  for (const bool bias : {false, true}) {
    const auto of = [&](const std::string& name) { return golden.at((bias ? "bias." : "plain.") + name); };
    nn::AdaptiveLogSoftmaxWithLoss softmax(8, 20, {6, 10, 15}, {.div_value = 2, .head_bias = bias});
    softmax.to(f64);
    TensorMap state;
    for (const auto& [name, parameter] : softmax.parameters())
      state.emplace(name, reshape(of(name), parameter.shape()));
    softmax.load_state_dict(state);
    CHECK(state.size() == (bias ? 8 : 7));
    const Tensor x = reshape(of("x"), {12, 8}).copy().requires_grad_();
    const auto check_equal = [&](const Tensor& got, const std::string& name) {
      const Difference d = largest_difference(got.to_vector<double>(), of(name).to_vector<double>());
      CHECK_MESSAGE(d.absolute < 1e-13, name << ": " << d.str());
    };
    const Tensor loss = softmax.loss(x, cast(of("target"), i64));
    loss.backward();
    check_equal(loss, "loss");
    check_equal(x.grad(), "x.grad");
    for (const auto& [name, parameter] : softmax.parameters()) check_equal(parameter.grad(), name + ".grad");
    check_equal(softmax.log_prob(x), "log_prob");
    check_equal(softmax.predict(x), "predict");
  }
}

TEST_CASE("adaptive softmax: the same bits at any number of threads") {
  const int threads = num_threads();
  std::vector<std::vector<float>> results;
  for (const int n : {1, 2, 4}) {
    set_num_threads(n);
    manual_seed(4);
    const Tensor table = randn({3000, 24}, {.requires_grad = true}), x = randn({300, 24});
    const nn::TiedAdaptiveSoftmax softmax(table, {400, 1000});
    softmax.loss(x, randint(0, 3000, {300})).backward();
    results.push_back(table.grad().to_vector<float>());
  }
  set_num_threads(threads);
  CHECK(same_bits(results[0], results[1]));
  CHECK(same_bits(results[0], results[2]));
}

TEST_CASE("adaptive softmax: bad arguments") {
  const Tensor table = zeros({10, 4});
  const auto made = [&](const Classes& cutoffs) {
    return error_of([&] { nn::TiedAdaptiveSoftmax softmax(table, cutoffs); });
  };
  CHECK(contains(made({}), {"[adaptive_softmax]", "cutoffs"}));
  for (const Classes& cutoffs : {Classes{5, 3}, Classes{3, 3}, Classes{0, 3}, Classes{3, 10}, Classes{-1}})
    CHECK(contains(made(cutoffs), {"[adaptive_softmax] cutoffs must be ascending", "10"}));
  CHECK(contains(error_of([] {
                   nn::AdaptiveLogSoftmaxWithLoss(4, 10, {2, 5});
                 }),
                 {"cluster 1 of 2 would have no width", "4 features"}));
  CHECK(contains(error_of([] { nn::AdaptiveLogSoftmaxWithLoss(4, 10, {2}, {.div_value = 0}); }), {"div_value"}));
  const nn::TiedAdaptiveSoftmax softmax(table, {3, 6});
  const Tensor x = zeros({2, 4});
  const auto loss = [&](const Tensor& target) { return error_of([&] { softmax.loss(x, target); }); };
  CHECK(contains(loss(Tensor::from<std::int64_t>({1, 10})), {"target out of range: 10 (entry 1), 10 classes"}));
  CHECK(contains(loss(Tensor::from<std::int64_t>({1})), {"(2, 4)", "(1,)"}));
  CHECK(contains(loss(Tensor::from({1.0f, 2.0f})), {"i64 or i32"}));
  CHECK(contains(loss(Tensor::from<std::int64_t>({-100, -100})), {"no target"}));
  CHECK(contains(error_of([&] { softmax.log_prob(zeros({2, 5})); }), {"(.., 4)", "(2, 5)"}));
}
