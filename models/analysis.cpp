#include "ff/models/analysis.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/parallel.h"
#include "ff/models/spectrum.h"
#include "ff/models/vision/model.h"
#include "ff/nn/attention.h"

namespace ff::models {
namespace {

constexpr const char* op = "analyze";
constexpr std::int64_t most_weights = 1 << 22;  // held at a time

// Where tokens lie: after the prefix in a line, or row by row in a grid.
struct Layout {
  std::int64_t prefix = 0, columns = 0;  // columns 0: a line

  double distance(std::int64_t i, std::int64_t j) const {
    if (columns == 0) return static_cast<double>(std::abs(i - j));
    const std::int64_t a = i - prefix, b = j - prefix;
    return std::hypot(a / columns - b / columns, a % columns - b % columns);
  }
};

Layout layout_of(const nn::Module& model) {
  const auto* vision = dynamic_cast<const VisionTransformer*>(&model);
  if (vision == nullptr) return {};
  return {vision->prefix_tokens(), vision->config().image_size / vision->config().patch_size};
}

// A mean on its way.
struct Mean {
  double sum = 0;
  std::int64_t count = 0;

  void add(double value) { sum += value, ++count; }
  void add(const Mean& other) { sum += other.sum, count += other.count; }
  double value() const { return count > 0 ? sum / static_cast<double>(count) : 0; }
};

struct WeightMeans {
  Mean entropy, distance;
};

// The weights of query i, of keys that are `keys`. One that sees nothing counts for nothing.
void add_row(const float* row, std::int64_t keys, std::int64_t i, const Layout& layout, bool places,
             WeightMeans& means) {
  double total = 0, logs = 0, placed = 0, distance = 0;
  for (std::int64_t j = 0; j < keys; ++j) {
    const double w = row[j];
    if (w <= 0) continue;
    total += w;
    logs += w * std::log(w);
    if (!places || j < layout.prefix) continue;
    placed += w;
    distance += w * layout.distance(i, j);
  }
  if (total > 0) means.entropy.add(std::log(total) - logs / total);
  if (placed > 0 && i >= layout.prefix) means.distance.add(distance / placed);
}

// What is gathered of one layer, batch by batch.
class Layer {
 public:
  Layer(std::string name, nn::MultiHeadAttention& attention, const Layout& layout, const AnalysisOptions& options)
      : attention_(attention), layout_(layout), options_(options) {
    result_.name = std::move(name);
    if (attention.R.defined()) result_.radius = attention.R.copy();
    attention.observer = [this](const nn::MultiHeadAttention&, const nn::AttentionView& view) { observe(view); };
  }
  ~Layer() { attention_.observer = {}; }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  std::int64_t samples() const { return samples_; }

  LayerAnalysis result() {
    result_.head_distance = distance_.value();
    for (std::size_t h = 0; h < weights_.size(); ++h)
      result_.heads.push_back({weights_[h].entropy.value(), weights_[h].distance.value(), rank(h)});
    return std::move(result_);
  }

 private:
  void observe(const nn::AttentionView& view) {
    const std::int64_t count = std::min(view.q.size(0), options_.samples - samples_);
    if (count == 0) return;
    auto first = [count](const Tensor& x) { return narrow(x, 0, 0, count); };
    const bool mask_of_batch = view.mask.defined() && view.mask.rank() == 4 && view.mask.size(0) > 1;
    add_outputs(cast(first(view.y), f64).dense());
    add_weights({first(view.q), first(view.k), mask_of_batch ? first(view.mask) : view.mask, first(view.y)});
    samples_ += count;
  }

  // y: (B, H, N, D).
  void add_outputs(const Tensor& y) {
    const std::int64_t batch = y.size(0), heads = y.size(1), positions = y.size(2), features = y.size(3);
    const double* at = y.data<double>();
    std::vector<Mean> distances(static_cast<std::size_t>(batch));  // each sample's by one thread, in order
    parallel_for(batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b)
        for (std::int64_t g = 0; g < heads; ++g)
          for (std::int64_t h = 0; h < g; ++h)
            for (std::int64_t i = 0; i < positions; ++i) {
              const double *one = at + ((b * heads + g) * positions + i) * features,
                           *other = one + (h - g) * positions * features;
              double square = 0;
              for (std::int64_t d = 0; d < features; ++d) square += (one[d] - other[d]) * (one[d] - other[d]);
              distances[static_cast<std::size_t>(b)].add(std::sqrt(square));
            }
    });
    for (const Mean& mean : distances) distance_.add(mean);

    const Tensor rows = flatten(transpose(y, 0, 1), 1, 2);  // (H, B N, D)
    const Tensor products = matmul(transpose(rows, 1, 2), rows), sums = sum(rows, {1});
    products_ = products_.defined() ? products_ + products : products;
    sums_ = sums_.defined() ? sums_ + sums : sums;
    rows_ += batch * positions;
  }

  void add_weights(const nn::AttentionView& view) {
    const std::int64_t batch = view.q.size(0), heads = view.q.size(1), queries = view.q.size(2), keys = view.k.size(2);
    const std::int64_t block = std::max<std::int64_t>(1, most_weights / (batch * heads * keys));
    const bool shown = options_.shown >= samples_ && options_.shown < samples_ + batch;
    std::vector<WeightMeans> means(static_cast<std::size_t>(batch * heads));
    std::vector<Tensor> kept;
    for (std::int64_t begin = 0; begin < queries; begin += block) {
      const std::int64_t end = std::min(begin + block, queries), rows = end - begin;
      const Tensor weights = cast(attention_.weights(view, begin, end), f32).dense();  // (B, H, rows, M)
      const float* at = weights.data<float>();
      parallel_for(batch * heads, 1, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t head = from; head < to; ++head)
          for (std::int64_t row = 0; row < rows; ++row)
            add_row(at + (head * rows + row) * keys, keys, begin + row, layout_, queries == keys,
                    means[static_cast<std::size_t>(head)]);
      });
      if (shown) kept.push_back(select(weights, 0, options_.shown - samples_));
    }
    if (shown) result_.weights = concatenate(kept, 1).copy();
    weights_.resize(static_cast<std::size_t>(heads));
    for (std::size_t i = 0; i < means.size(); ++i) {
      WeightMeans& of_head = weights_[i % weights_.size()];
      of_head.entropy.add(means[i].entropy);
      of_head.distance.add(means[i].distance);
    }
  }

  double rank(std::size_t head) const {
    const auto h = static_cast<std::int64_t>(head), n = sums_.size(1);
    std::vector<double> covariance = select(products_, 0, h).to_vector<double>();  // about 0 as yet
    double square = 0;
    for (std::int64_t i = 0; i < n; ++i) square += covariance[static_cast<std::size_t>(i * n + i)];
    const std::vector<double> sums = select(sums_, 0, h).to_vector<double>();
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        covariance[static_cast<std::size_t>(i * n + j)] -=
            sums[static_cast<std::size_t>(i)] * sums[static_cast<std::size_t>(j)] / static_cast<double>(rows_);
    // What the rounding of these sums leaves of outputs that are all the same is no spread.
    constexpr double rounding = 1e-13;
    return effective_rank(std::move(covariance), n, rounding * square);
  }

  nn::MultiHeadAttention& attention_;
  Layout layout_;
  AnalysisOptions options_;
  LayerAnalysis result_;
  std::int64_t samples_ = 0, rows_ = 0;
  Mean distance_;
  std::vector<WeightMeans> weights_;  // by head
  Tensor products_, sums_;            // of the outputs: (H, D, D) and (H, D)
};

// Has the model's input seen until it is taken away.
class InputHook {
 public:
  InputHook(nn::Module& module, std::function<void(const Tensor&)> see)
      : module_(module), id_(module.register_forward_pre_hook([see = std::move(see)](nn::Module&, const Tensor& x) {
          see(x);
          return Tensor();
        })) {}
  ~InputHook() { module_.remove_hook(id_); }
  InputHook(const InputHook&) = delete;
  InputHook& operator=(const InputHook&) = delete;

 private:
  nn::Module& module_;
  int id_;
};

}  // namespace

Analysis analyze(TrainingTask& task, const AnalysisOptions& options) {
  check(options.samples >= 1 && options.shown >= 0 && options.shown < options.samples, op,
        "sample {} of {}: there is no such", options.shown, options.samples);
  nn::Module& model = task.model();
  const Layout layout = layout_of(model);
  std::vector<std::unique_ptr<Layer>> layers;
  for (const auto& [name, module] : model.named_modules())
    if (auto* attention = dynamic_cast<nn::MultiHeadAttention*>(module))
      layers.push_back(std::make_unique<Layer>(name, *attention, layout, options));
  check(!layers.empty(), op, "the model has no attention");

  Analysis analysis;
  analysis.patches = layout.columns > 0;
  analysis.prefix = layout.prefix;
  const InputHook hook(model, [&](const Tensor& x) {
    const std::int64_t at = options.shown - layers.front()->samples();
    if (at >= 0 && at < x.size(0)) analysis.shown = narrow(x, 0, at, 1).copy();
  });
  model.eval();
  NoGrad no_grad;
  task.evaluate([&] { return layers.front()->samples() >= options.samples; });
  analysis.samples = layers.front()->samples();
  check(options.shown < analysis.samples, op, "sample {} of {}: there is no such", options.shown, analysis.samples);
  for (const auto& layer : layers) analysis.layers.push_back(layer->result());
  return analysis;
}

double Analysis::head_distance() const {
  Mean mean;
  for (const LayerAnalysis& layer : layers) mean.add(layer.head_distance);
  return mean.value();
}

HeadAnalysis Analysis::mean() const {
  Mean entropy, distance, rank;
  for (const LayerAnalysis& layer : layers)
    for (const HeadAnalysis& head : layer.heads) {
      entropy.add(head.entropy);
      distance.add(head.distance);
      rank.add(head.effective_rank);
    }
  return {entropy.value(), distance.value(), rank.value()};
}

namespace {

nlohmann::ordered_json nested(const Tensor& x) {
  if (x.rank() == 0) return x.item<double>();
  auto list = nlohmann::ordered_json::array();
  for (std::int64_t i = 0; i < x.size(0); ++i) list.push_back(nested(select(x, 0, i)));
  return list;
}

}  // namespace

nlohmann::ordered_json analysis_json(const Analysis& analysis) {
  auto layers = nlohmann::ordered_json::array();
  for (const LayerAnalysis& layer : analysis.layers) {
    nlohmann::ordered_json json{{"name", layer.name}, {"head_distance", layer.head_distance}};
    for (const HeadAnalysis& head : layer.heads) {
      json["entropy"].push_back(head.entropy);
      json["attention_distance"].push_back(head.distance);
      json["effective_rank"].push_back(head.effective_rank);
    }
    if (layer.radius.defined()) json["radius"] = nested(layer.radius);
    layers.push_back(std::move(json));
  }
  const HeadAnalysis mean = analysis.mean();
  return {{"samples", analysis.samples},
          {"head_distance", analysis.head_distance()},
          {"entropy", mean.entropy},
          {"attention_distance", mean.distance},
          {"distance_unit", analysis.patches ? "patches" : "tokens"},
          {"effective_rank", mean.effective_rank},
          {"layers", std::move(layers)}};
}

}  // namespace ff::models
