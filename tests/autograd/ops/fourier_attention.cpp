#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/core/io/safetensors.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

std::vector<std::filesystem::path> golden_files() {
  std::vector<std::filesystem::path> files, folders{std::filesystem::path(FF_SOURCE_DIR) / "tests" / "golden"};
  if (const char* more = std::getenv("FF_GOLDEN_DIR")) folders.emplace_back(more);  // further cases of the same form
  for (const auto& folder : folders)
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().filename().string().starts_with("fourier_") && entry.path().extension() == ".safetensors")
        files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

struct Golden {
  TensorMap tensors;
  FourierAttentionOptions options;

  explicit Golden(const std::filesystem::path& path) : tensors(load_safetensors(path.string())) {
    const FileMetadata metadata = load_safetensors_metadata(path.string());
    options.power = std::stod(metadata.at("power"));
    options.epsilon = std::stod(metadata.at("epsilon"));
    options.causal = metadata.at("causal") == "True";
    if (tensors.contains("mask")) options.mask = tensors.at("mask");
  }
};

double largest(const Tensor& x) { return x.numel() ? max(abs(x)).item<double>() : 0; }

using Attention = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const FourierAttentionOptions&,
                             Where);

// The output and four gradients of an attention in dtype, against the file's.
void check_golden(const Golden& golden, Attention attention, DType dtype, double output_tolerance,
                  double gradient_tolerance) {
  auto leaf = [&](const char* name) { return golden.tensors.at(name).copy(dtype).requires_grad_(); };
  const std::vector<Tensor> in{leaf("q"), leaf("k"), leaf("v"), leaf("R")};
  const Tensor out = attention(in[0], in[1], in[2], in[3], golden.options, {});
  const auto d =
      test::largest_difference(out.to_vector<double>(), golden.tensors.at("out").to_vector<double>(), out.shape());
  CHECK_MESSAGE(d.absolute <= output_tolerance * largest(golden.tensors.at("v")), "output: ", d.str());
  const std::vector<Tensor> gradients = grad({out}, in, {golden.tensors.at("grad_out").copy(dtype)});
  const char* names[] = {"grad_q", "grad_k", "grad_v", "grad_R"};
  for (std::size_t i = 0; i < 4; ++i) {
    const Tensor& want = golden.tensors.at(names[i]);
    const auto g = test::largest_difference(gradients[i].to_vector<double>(), want.to_vector<double>(), want.shape());
    CHECK_MESSAGE(g.absolute <= gradient_tolerance * largest(want), std::string(names[i]), ": ", g.str());
  }
}

// f32 inputs whose f64 twins have the very same values.
Tensor rounded_normal(const Shape& shape, double scale) { return (randn(shape) * scale).detach(); }

}  // namespace

TEST_CASE("fourier_attention: golden values, fused and composed, f64 and f32") {
  const auto files = golden_files();
  REQUIRE(files.size() >= 6);
  for (const auto& path : files) {
    INFO(path.filename().string());
    const Golden golden(path);
    for (const Attention attention : {Attention{fourier_attention}, Attention{fourier_attention_composed}}) {
      INFO(std::string(attention == Attention{fourier_attention} ? "fused" : "composed"));
      check_golden(golden, attention, f64, 1e-10, 1e-10);
      check_golden(golden, attention, f32, 2e-6, 2e-5);
    }
    const Tensor weights = fourier_attention_weights(golden.tensors.at("q"), golden.tensors.at("k"),
                                                     golden.tensors.at("R"), golden.options);
    const auto d = test::largest_difference(weights.to_vector<double>(),
                                            golden.tensors.at("weights").to_vector<double>(), weights.shape());
    CHECK_MESSAGE(d.absolute <= 1e-10, "weights: ", d.str());
    // The fused kernel shows its weights as the output for values that are the identity.
    const std::int64_t m = weights.size(3);
    const Tensor identity = broadcast_to(eye(m, {.dtype = f64}), {weights.size(0), weights.size(1), m, m}).copy();
    const Tensor fused = fourier_attention(golden.tensors.at("q"), golden.tensors.at("k"), identity,
                                           golden.tensors.at("R"), golden.options);
    const auto f = test::largest_difference(fused.to_vector<double>(), golden.tensors.at("weights").to_vector<double>(),
                                            weights.shape());
    CHECK_MESSAGE(f.absolute <= 1e-10, "fused weights: ", f.str());
  }
}

TEST_CASE("fourier_attention: weights sum to 1 and gradients are right where a product of sincs underflows") {
  manual_seed(3);
  const Shape shape{2, 2, 40, 64};
  const Tensor q = rounded_normal(shape, 3), k = rounded_normal(shape, 3), v = randn(shape), c = randn(shape),
               R = Tensor::scalar(2);
  // The paper's product is far below the smallest float for every pair.
  CHECK(max(sum(log_sinc((unsqueeze(q, 3) - unsqueeze(k, 2)) * R), {-1}) * 4).item<double>() < std::log(1e-45));
  const Tensor sums = fourier_attention(q, k, ones_like(v), R);
  CHECK(max(abs(sums - 1)).item<double>() <= 1e-5);
  auto gradients = [&](DType dtype) {
    std::vector<Tensor> in;
    for (const Tensor& x : {q, k, v, R}) in.push_back(x.copy(dtype).requires_grad_());
    return grad({fourier_attention(in[0], in[1], in[2], in[3])}, in, {c.copy(dtype)});
  };
  const auto single = gradients(f32), twice = gradients(f64);
  for (std::size_t i = 0; i < single.size(); ++i) {
    const auto d =
        test::largest_difference(single[i].to_vector<double>(), twice[i].to_vector<double>(), single[i].shape());
    CHECK_MESSAGE(d.relative <= 2e-5, "gradient ", i, ": ", d.str());
  }
}

TEST_CASE("fourier_attention: fused equals composed at larger sizes, with every option") {
  manual_seed(4);
  const Tensor q = randn({2, 3, 70, 16}, {.dtype = f64}), k = randn({2, 3, 90, 16}, {.dtype = f64}),
               v = randn({2, 3, 90, 8}, {.dtype = f64});
  const Tensor R = rand({3, 16}, {.dtype = f64}) + 0.5, c = randn({2, 3, 70, 8}, {.dtype = f64});
  const Tensor mask = gt(randn({2, 1, 70, 90}), -1);
  for (const FourierAttentionOptions& o :
       std::vector<FourierAttentionOptions>{{},
                                            {.power = 2, .causal = true},
                                            {.power = 6, .mask = mask},
                                            {.power = 3.3, .epsilon = 1e-6, .causal = true, .mask = mask},
                                            {.dropout = 0.2, .random = RandomKey{1, 17}}}) {
    auto run = [&](Attention attention) {
      std::vector<Tensor> in;
      for (const Tensor& x : {q, k, v, R}) in.push_back(x.detach().requires_grad_());
      const Tensor y = attention(in[0], in[1], in[2], in[3], o, {});
      std::vector<Tensor> all = grad({y}, in, {c});
      all.push_back(y.detach());
      return all;
    };
    const auto fused = run(fourier_attention), composed = run(fourier_attention_composed);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      const auto d =
          test::largest_difference(fused[i].to_vector<double>(), composed[i].to_vector<double>(), fused[i].shape());
      CHECK_MESSAGE(d.relative <= 1e-11, "result ", i, ": ", d.str());
    }
  }
}

TEST_CASE("fourier_attention: a query that sees no key gives 0, forward and backward") {
  manual_seed(5);
  const Tensor mask = reshape(Tensor::from<bool>({true, false, false, false}), {2, 2});
  for (const Attention attention : {Attention{fourier_attention}, Attention{fourier_attention_composed}}) {
    std::vector<Tensor> in;
    for (int i = 0; i < 3; ++i) in.push_back(randn({1, 1, 2, 4}, {.requires_grad = true}));
    in.push_back(Tensor::scalar(1).requires_grad_());
    const Tensor y = attention(in[0], in[1], in[2], in[3], {.mask = mask}, {});
    CHECK(max(abs(select(y, 2, 1))).item<double>() == 0);
    sum(y * y).backward();
    for (const Tensor& x : in) CHECK(std::isfinite(sum(x.grad()).item<double>()));
    CHECK(max(abs(select(in[0].grad(), 2, 1))).item<double>() == 0);
    CHECK(max(abs(select(in[2].grad(), 2, 1))).item<double>() == 0);
  }
}

TEST_CASE("fourier_attention: a single key beside a zero of the sinc gives no gradient to queries, keys or R") {
  manual_seed(6);
  const Tensor k = randn({1, 1, 1, 4}), q = (k + 3.1415927).requires_grad_();
  const Tensor v = randn({1, 1, 1, 8}), R = Tensor::scalar(1).requires_grad_();
  sum(fourier_attention(q, k, v, R) * randn({1, 1, 1, 8})).backward();
  CHECK(max(abs(q.grad())).item<double>() < 1e-3);  // c(x) is near 1e7 here
  CHECK(std::abs(R.grad().item<double>()) < 1e-2);
}

TEST_CASE("fourier_attention: dropout is drawn anew each time, and by the seed") {
  const Tensor q = randn({1, 2, 8, 4}), v = randn({1, 2, 8, 4}), R = Tensor::scalar(1);
  auto run = [&] { return fourier_attention(q, q, v, R, {.dropout = 0.5}).to_vector<float>(); };
  manual_seed(1);
  const auto first = run(), second = run();
  CHECK(first != second);
  manual_seed(1);
  CHECK(run() == first);
}

TEST_CASE("fourier_attention: errors name what does not fit") {
  const Tensor x = randn({1, 2, 3, 4}), R = Tensor::scalar(1);
  auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message([&] {
          fourier_attention(x, randn({1, 2, 3, 5}), x, R);
        }).find("q (1, 2, 3, 4), k (1, 2, 3, 5)") != std::string::npos);
  CHECK(message([&] {
          fourier_attention(x, x, x, ones({3}));
        }).find("R must be a scalar, (4,) or (2, 4): its shape is (3,)") != std::string::npos);
  CHECK(message([&] { fourier_attention(x, x, x, R, {.power = 0.5}); }).find("power must be at least 1: 0.5") !=
        std::string::npos);
  CHECK(message([&] { fourier_attention(x, x, x, R, {.epsilon = -1}); }).find("epsilon must be at least 0: -1") !=
        std::string::npos);
  CHECK(message([&] {
          fourier_attention(x, x, x, R, {.mask = ones({3, 3})});
        }).find("mask must be boolean: f32") != std::string::npos);
  CHECK(message([&] { fourier_attention(x, x, x, R, {.dropout = 1}); }).find("[0, 1): 1") != std::string::npos);
  CHECK(message([&] { fourier_attention(x.copy(f64), x, x, R); }).find("one dtype") != std::string::npos);
}
