#include "ff/models/analysis.h"

#include <cmath>
#include <map>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/language/model.h"
#include "ff/models/vision/model.h"
#include "ff/nn/containers.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

using Vector = std::vector<double>;

// Evaluates a model on batches that are there.
class GivenTask : public TrainingTask {
 public:
  GivenTask(nn::Module& model, std::vector<Tensor> batches) : model_(model), batches_(std::move(batches)) {}

  nn::Module& model() override { return model_; }
  std::string_view items() const override { return "samples"; }
  std::int64_t batches_per_epoch() const override { return 1; }
  void seek(std::int64_t) override {}
  BatchLoss next_loss() override { return {}; }
  Figures evaluate(const std::function<bool()>& stopped) override {
    for (const Tensor& batch : batches_) {
      if (stopped()) return {};
      model_(batch);
    }
    return {{"test_loss", 0}};
  }

 private:
  nn::Module& model_;
  std::vector<Tensor> batches_;
};

struct Grid {
  std::int64_t prefix = 0, columns = 0;
};

// The figures of a layer from what goes into it, x (B, N, dim), in plain loops in double precision.
struct Reference {
  double head_distance = 0;
  std::vector<HeadAnalysis> heads;
  Vector weights;  // (H, N, N) of sample 0
};

Vector heads_of(const Tensor& x, const nn::MultiHeadAttention& attention, std::int64_t part) {
  const std::int64_t dim = x.size(2), tokens = x.size(0) * x.size(1);
  const Vector in = x.to_vector<double>(), w = attention.qkv.weight.to_vector<double>();
  const Vector bias =
      attention.qkv.bias.defined() ? attention.qkv.bias.to_vector<double>() : Vector(static_cast<std::size_t>(3 * dim));
  Vector out;
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t o = part * dim; o < (part + 1) * dim; ++o) {
      double sum = bias[static_cast<std::size_t>(o)];
      for (std::int64_t i = 0; i < dim; ++i)
        sum += in[static_cast<std::size_t>(t * dim + i)] * w[static_cast<std::size_t>(o * dim + i)];
      out.push_back(sum);
    }
  return out;  // (B, N, H, D)
}

double kernel(const double* q, const double* k, const Vector& radius, std::size_t features, double power) {
  double product = 1;
  for (std::size_t d = 0; d < features; ++d) {
    const double x = radius[d % radius.size()] * (q[d] - k[d]);
    product *= x == 0 ? 1 : std::pow(std::abs(std::sin(x) / x), power);
  }
  return product;
}

// Of 2 x 2 matrices, whose eigenvalues are the roots of a quadratic equation.
double rank_of_pairs(const std::vector<std::array<double, 2>>& rows) {
  double mean[2] = {0, 0}, a = 0, b = 0, c = 0;
  for (const auto& row : rows)
    for (int d = 0; d < 2; ++d) mean[d] += row[static_cast<std::size_t>(d)] / static_cast<double>(rows.size());
  for (const auto& row : rows) {
    a += (row[0] - mean[0]) * (row[0] - mean[0]);
    b += (row[0] - mean[0]) * (row[1] - mean[1]);
    c += (row[1] - mean[1]) * (row[1] - mean[1]);
  }
  const double root = std::hypot((a - c) / 2, b), s1 = std::sqrt((a + c) / 2 + root),
               s2 = std::sqrt(std::max((a + c) / 2 - root, 0.0));
  const double p = s1 / (s1 + s2), q = 1 - p;
  return std::exp(-p * std::log(p) - (q > 0 ? q * std::log(q) : 0));
}

Reference reference(const Tensor& x, const nn::MultiHeadAttention& attention, const nn::AttentionOptions& options,
                    std::size_t H, Grid grid) {
  const auto B = static_cast<std::size_t>(x.size(0)), N = static_cast<std::size_t>(x.size(1));
  const std::size_t D = static_cast<std::size_t>(x.size(2)) / H;
  REQUIRE(D == 2);
  const Vector q = heads_of(x, attention, 0), k = heads_of(x, attention, 1), v = heads_of(x, attention, 2);
  auto at = [&](std::size_t b, std::size_t i, std::size_t h) { return ((b * N + i) * H + h) * D; };
  Vector outputs(q.size());
  Reference result;
  for (std::size_t h = 0; h < H; ++h) {
    Vector radius{0};
    if (attention.R.defined())
      radius = (attention.R.rank() == 2 ? select(attention.R, 0, static_cast<std::int64_t>(h)) : attention.R)
                   .to_vector<double>();
    double entropy = 0, distance = 0, placed_queries = 0;
    std::vector<std::array<double, 2>> rows;
    for (std::size_t b = 0; b < B; ++b)
      for (std::size_t i = 0; i < N; ++i) {
        Vector w(N);
        double total = options.epsilon;
        for (std::size_t j = 0; j < (options.causal ? i + 1 : N); ++j) {
          if (options.attention == nn::AttentionKind::softmax) {
            double dot = 0;
            for (std::size_t d = 0; d < D; ++d) dot += q[at(b, i, h) + d] * k[at(b, j, h) + d];
            w[j] = std::exp(dot / std::sqrt(static_cast<double>(D)));
          } else {
            w[j] = kernel(&q[at(b, i, h)], &k[at(b, j, h)], radius, D, options.power);
          }
          total += w[j];
        }
        double sum = 0, placed = 0, row_distance = 0, row_entropy = 0;
        for (double& weight : w) sum += weight /= total;
        for (std::size_t j = 0; j < N; ++j) {
          for (std::size_t d = 0; d < D; ++d) outputs[at(b, i, h) + d] += w[j] * v[at(b, j, h) + d];
          if (w[j] > 0) row_entropy -= w[j] / sum * std::log(w[j] / sum);
          if (b == 0) result.weights.push_back(w[j]);
          if (static_cast<std::int64_t>(j) < grid.prefix) continue;
          placed += w[j];
          const auto from = static_cast<std::int64_t>(i) - grid.prefix, to = static_cast<std::int64_t>(j) - grid.prefix;
          row_distance += w[j] * (grid.columns == 0 ? static_cast<double>(std::abs(from - to))
                                                    : std::sqrt(std::pow(from / grid.columns - to / grid.columns, 2) +
                                                                std::pow(from % grid.columns - to % grid.columns, 2)));
        }
        entropy += row_entropy;
        if (static_cast<std::int64_t>(i) >= grid.prefix) distance += row_distance / placed, ++placed_queries;
        rows.push_back({outputs[at(b, i, h)], outputs[at(b, i, h) + 1]});
      }
    result.heads.push_back({entropy / static_cast<double>(B * N), distance / placed_queries, rank_of_pairs(rows)});
  }
  double pairs = 0;
  for (std::size_t b = 0; b < B; ++b)
    for (std::size_t i = 0; i < N; ++i)
      for (std::size_t g = 0; g < H; ++g)
        for (std::size_t h = g + 1; h < H; ++h, ++pairs)
          result.head_distance += std::hypot(outputs[at(b, i, g)] - outputs[at(b, i, h)],
                                             outputs[at(b, i, g) + 1] - outputs[at(b, i, h) + 1]);
  result.head_distance /= pairs;
  return result;
}

// Weights that make heads differ, and R by feature.
void stir(nn::Module& model) {
  for (const auto& [name, tensor] : model.parameters()) {
    if (tensor.rank() == 2 && !name.ends_with("R")) tensor.assign(randn(tensor.shape()) * 0.6);
    if (name.ends_with("R")) tensor.assign(rand(tensor.shape()) + 0.5);
  }
}

nn::AttentionOptions attention_of(nn::AttentionKind kind, nn::RadiusShape shape) {
  nn::AttentionOptions options{.attention = kind, .qkv_bias = true};
  options.radius_shape = shape;
  options.epsilon = kind == nn::AttentionKind::fourier ? 0.01 : 0;
  return options;
}

VisionModelConfig vision_config(const nn::AttentionOptions& attention) {
  VisionModelConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.width = 6;
  config.heads = 3;
  config.depth = 2;
  config.dropout = 0.1;
  config.attention = attention;
  return config;
}

LanguageModelConfig language_config(const nn::AttentionOptions& attention) {
  LanguageModelConfig config;
  config.layers = 2;
  config.heads = 2;
  config.width = 4;
  config.inner_width = 8;
  config.context = 33;
  config.attention = attention;
  config.attention.causal = true;
  return config;
}

template <class Model>
void check_analysis(const std::string& what, Model& model, const nn::AttentionOptions& options, std::size_t heads,
                    Grid grid, const std::vector<Tensor>& batches, std::int64_t samples) {
  // What goes into each layer, by its name, all batches together.
  std::map<std::string, std::vector<Tensor>> inputs;
  for (auto& [name, module] : model.named_modules())
    if (name.ends_with("attn"))
      module->register_forward_pre_hook([&inputs, name = name](nn::Module&, const Tensor& x) {
        inputs[name].push_back(x);
        return Tensor();
      });
  GivenTask task(model, batches);
  const Analysis analysis = analyze(task, {.samples = samples});
  CHECK(analysis.samples == samples);
  CHECK(analysis.patches == (grid.columns > 0));
  CHECK(analysis.prefix == grid.prefix);
  CHECK(analysis.shown.to_vector<double>() == narrow(batches.front(), 0, 0, 1).template to_vector<double>());
  REQUIRE(analysis.layers.size() == 2);
  double distance = 0;
  for (const LayerAnalysis& layer : analysis.layers) {
    const Tensor x = narrow(concatenate(inputs.at(layer.name)), 0, 0, samples);
    const auto* attention = dynamic_cast<nn::MultiHeadAttention*>([&] {
      for (auto& [name, module] : model.named_modules())
        if (name == layer.name) return module;
      return static_cast<nn::Module*>(nullptr);
    }());
    const Reference want = reference(x, *attention, options, heads, grid);
    REQUIRE(layer.heads.size() == heads);
    Vector got_figures{layer.head_distance}, want_figures{want.head_distance};
    for (std::size_t h = 0; h < heads; ++h) {
      for (const double figure : {layer.heads[h].entropy, layer.heads[h].distance, layer.heads[h].effective_rank})
        got_figures.push_back(figure);
      for (const double figure : {want.heads[h].entropy, want.heads[h].distance, want.heads[h].effective_rank})
        want_figures.push_back(figure);
    }
    for (std::size_t i = 0; i < got_figures.size(); ++i)
      CHECK_MESSAGE(std::abs(got_figures[i] - want_figures[i]) <= 2e-5 * std::abs(want_figures[i]) + 1e-7,
                    fmt::format("{}, {}, figure {}: {} for {}", what, layer.name, i, got_figures[i], want_figures[i]));
    const auto d = largest_difference(layer.weights.to_vector<float>(), want.weights, layer.weights.shape());
    CHECK_MESSAGE(d.absolute < 2e-6, fmt::format("{}, {}, weights: {}", what, layer.name, d.str()));
    CHECK(layer.radius.defined() == (options.attention == nn::AttentionKind::fourier));
    if (layer.radius.defined()) CHECK(layer.radius.to_vector<float>() == attention->R.to_vector<float>());
    distance += want.head_distance / 2;
  }
  CHECK(analysis.head_distance() == doctest::Approx(distance).epsilon(2e-5));
}

}  // namespace

TEST_CASE("analysis: figures of images, both attentions, as in plain loops") {
  manual_seed(21);
  for (const auto kind : {nn::AttentionKind::fourier, nn::AttentionKind::softmax})
    for (const auto shape : {nn::RadiusShape::scalar, nn::RadiusShape::head_feature}) {
      const nn::AttentionOptions options = attention_of(kind, shape);
      VisionTransformer model(vision_config(options));
      stir(model);
      const std::vector<Tensor> batches{randn({3, 1, 12, 12}), randn({3, 1, 12, 12}), randn({3, 1, 12, 12})};
      check_analysis(fmt::format("vision {} {}", static_cast<int>(kind), static_cast<int>(shape)), model, options, 3,
                     {.prefix = 1, .columns = 3}, batches, 5);
    }
}

TEST_CASE("analysis: figures of texts, both attentions, as in plain loops") {
  manual_seed(22);
  for (const auto kind : {nn::AttentionKind::fourier, nn::AttentionKind::softmax}) {
    nn::AttentionOptions options = attention_of(kind, nn::RadiusShape::feature);
    options.causal = true;
    LanguageModel model(language_config(options), 50);
    stir(model);
    const std::vector<Tensor> batches{randint(0, 50, {4, 33}), randint(0, 50, {4, 33})};
    check_analysis(fmt::format("language {}", static_cast<int>(kind)), model, options, 2, {}, batches, 6);
  }
}

TEST_CASE("analysis: the same at any number of threads, and nothing is left of it in the model") {
  manual_seed(24);
  VisionTransformer model(vision_config(attention_of(nn::AttentionKind::fourier, nn::RadiusShape::scalar)));
  stir(model);
  GivenTask task(model, {randn({6, 1, 12, 12})});
  const int threads = num_threads();
  std::string first;
  for (const int n : {1, 2, 4}) {
    set_num_threads(n);
    const std::string text = analysis_json(analyze(task)).dump();
    if (first.empty()) first = text;
    CHECK(text == first);
  }
  set_num_threads(threads);
  CHECK_FALSE(model.blocks[0].attn.observer);
  const auto json = nlohmann::json::parse(first);
  CHECK(json["samples"] == 6);
  CHECK(json["distance_unit"] == "patches");
  CHECK(json["layers"][1]["name"] == "blocks.1.attn");
  CHECK(json["layers"][1]["entropy"].size() == 3);
  CHECK(json["layers"][1]["radius"].is_number());
}

TEST_CASE("analysis: outputs that are all the same have no rank, however they are rounded") {
  manual_seed(26);
  for (const auto kind : {nn::AttentionKind::softmax, nn::AttentionKind::fourier}) {
    VisionTransformer model(vision_config(attention_of(kind, nn::RadiusShape::scalar)));
    for (auto& block : model.blocks) {
      block->attn.qkv.weight.fill(0);
      block->attn.qkv.bias.fill(0.1);
    }
    GivenTask task(model, {randn({4, 1, 12, 12})});
    for (const LayerAnalysis& layer : analyze(task, {.samples = 4}).layers)
      for (const HeadAnalysis& head : layer.heads) CHECK(head.effective_rank == 0);
  }
}

TEST_CASE("analysis: what cannot be analysed throws, and lets go of the model") {
  manual_seed(25);
  nn::Linear line(3, 1);
  GivenTask none(line, {zeros({2, 3})});
  CHECK(error_of([&] { analyze(none); }) == "[analyze] the model has no attention");

  VisionTransformer model(vision_config({}));
  GivenTask task(model, {randn({2, 1, 12, 12})});
  CHECK(contains(error_of([&] { analyze(task, {.samples = 4, .shown = 2}); }), {"sample 2 of 2"}));
  CHECK(contains(error_of([&] { analyze(task, {.samples = 4, .shown = 4}); }), {"sample 4 of 4"}));
  CHECK(contains(error_of([&] { analyze(task, {.samples = 0}); }), {"sample 0 of 0"}));
  GivenTask wrong(model, {randn({2, 1, 5, 5})});
  CHECK_THROWS_AS(analyze(wrong), Error);
  CHECK_FALSE(model.blocks[0].attn.observer);
  CHECK(analyze(task, {.samples = 4, .shown = 1}).samples == 2);
}
