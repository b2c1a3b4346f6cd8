// The library in programs that have threads of their own: TBB tasks, and plain ones.

#include <thread>

#include <doctest/doctest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/nn/nn.h"
#include "ff/optim/optim.h"

using namespace ff;

namespace {

constexpr int callers = 6;

struct Inputs {
  Tensor a, b, x, w1, w2;
};

Inputs make_inputs() {
  manual_seed(1);
  return {randn({300, 200}), randn({200, 250}), randn({64, 96}), randn({128, 96}) * 0.1, randn({10, 128}) * 0.1};
}

// A product large enough to be cut, and two training steps with the weights that come of them.
std::vector<float> compute(const Inputs& in) {
  std::vector<float> result = matmul(in.a, in.b).to_vector<float>();
  nn::Linear hidden(96, 128), out(128, 10);
  hidden.weight.assign(in.w1), out.weight.assign(in.w2);
  hidden.bias.fill(0), out.bias.fill(0);
  optim::AdamW optimizer(NamedTensors{{"hidden", hidden.weight}, {"out", out.weight}}, {.lr = 0.01});
  for (int step = 0; step < 2; ++step) {
    optimizer.zero_grad();
    mean(square(softmax(out(gelu(hidden(in.x))), -1))).backward();
    optimizer.step();
  }
  for (const Tensor& weight : {hidden.weight, out.weight})
    for (const float value : weight.to_vector<float>()) result.push_back(value);
  return result;
}

struct Threads {
  int before = num_threads();
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
};

void check_all(const std::vector<std::vector<float>>& results, const std::vector<float>& expected) {
  for (const auto& result : results) CHECK(result == expected);
}

}  // namespace

TEST_CASE("called from the tasks of a caller's TBB arena: the same bits") {
  const Inputs in = make_inputs();
  const std::vector<float> expected = compute(in);
  const tbb::global_control pool(tbb::global_control::max_allowed_parallelism, 4);  // whatever the machine has
  for (const int threads : {1, 2, 4}) {
    const Threads library(threads);
    CHECK(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism) == 4);  // the caller's still
    std::vector<std::vector<float>> results(callers);
    tbb::task_arena(4).execute(
        [&] { tbb::parallel_for(0, callers, [&](int i) { results[static_cast<std::size_t>(i)] = compute(in); }); });
    check_all(results, expected);
    // Tasks that wait for others inside, which must not be taken up in the middle of an op.
    tbb::parallel_for(0, 2, [&](int outer) {
      tbb::parallel_for(0, callers / 2, [&](int inner) {
        results[static_cast<std::size_t>(outer * (callers / 2) + inner)] = compute(in);
      });
    });
    check_all(results, expected);
  }
}

TEST_CASE("called from several threads at once: the same bits") {
  const Inputs in = make_inputs();
  const std::vector<float> expected = compute(in);
  const Threads library(2);
  std::vector<std::vector<float>> results(callers);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = compute(in); });
  for (std::thread& thread : threads) thread.join();
  check_all(results, expected);
}
