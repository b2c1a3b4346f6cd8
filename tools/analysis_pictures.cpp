#include "tools/analysis_pictures.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include "ff/autograd/ops/ops.h"
#include "ff/models/statistics.h"

#include "tools/commands.h"
#include "tools/picture.h"

namespace ff::tools {
namespace {

constexpr double cell = 82, gap = 10, caption = 15, margin = 58;
constexpr std::size_t most_layers = 4, most_heads = 4;  // unless they are named

std::size_t number(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    throw UsageError(fmt::format("heads are named LAYER.HEAD, such as 0.1,3.2: \"{}\" is no number", text));
  return value;
}

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) c == separator ? void(parts.emplace_back()) : parts.back().push_back(c);
  return parts;
}

// What is shown of a head's weights (N, M), as a matrix.
Tensor map_of(const models::Analysis& analysis, const Tensor& weights) {
  if (!analysis.patches) return weights;
  const std::int64_t patches = weights.size(1) - analysis.prefix;
  const Tensor seen = narrow(weights, 1, analysis.prefix, patches);  // (N, patches)
  const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(patches))));
  return reshape(analysis.prefix > 0 ? select(seen, 0, 0) : mean(seen, {0}), {side, side});
}

std::string cell_svg(double x, double y, const std::string& uri, const std::string& text) {
  return fmt::format(
      "<text class=\"tick\" x=\"{0:.0f}\" y=\"{1:.0f}\">{5}</text>"
      "<image x=\"{0:.0f}\" y=\"{2:.0f}\" width=\"{3:.0f}\" height=\"{3:.0f}\" "
      "href=\"{4}\"><title>{5}</title></image>\n",
      x, y + caption - 5, y + caption, cell, uri, text);
}

// The values of a layer: one a head, or one alone.
using Figure = std::function<std::vector<double>(const models::LayerAnalysis&)>;

Figure of_heads(double models::HeadAnalysis::*member) {
  return [member](const models::LayerAnalysis& layer) {
    std::vector<double> values;
    for (const models::HeadAnalysis& head : layer.heads) values.push_back(head.*member);
    return values;
  };
}

Chart chart_of(const std::string& title, const std::vector<AnalysisCurve>& curves, const Figure& figure) {
  Chart chart{.title = title, .x_label = "layer", .logarithmic = false, .whole_x = true, .curves = {}};
  for (const AnalysisCurve& curve : curves) {
    Curve means{.name = curve.name, .points = {}, .colour = curve.colour};
    Curve single{.name = "a head", .points = {}, .colour = curve.colour, .kind = Curve::Kind::dots};
    double layer = 0;
    for (const models::LayerAnalysis& of_layer : curve.analysis->layers) {
      const std::vector<double> values = figure(of_layer);
      if (!values.empty()) means.points.emplace_back(layer, models::spread(values).mean);
      if (values.size() > 1)
        for (const double value : values) single.points.emplace_back(layer, value);
      ++layer;
    }
    if (curves.size() == 1 && !single.points.empty()) chart.curves.push_back(std::move(single));
    if (!means.points.empty()) chart.curves.push_back(std::move(means));
  }
  return chart;
}

}  // namespace

std::vector<HeadChoice> choose_heads(const models::Analysis& analysis, const std::string& text) {
  std::vector<HeadChoice> heads;
  const std::size_t layers = analysis.layers.size();
  if (text.empty()) {
    const std::size_t rows = std::min(layers, most_layers);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t layer = rows > 1 ? row * (layers - 1) / (rows - 1) : 0;
      for (std::size_t head = 0; head < std::min(analysis.layers[layer].heads.size(), most_heads); ++head)
        heads.push_back({layer, head});
    }
    return heads;
  }
  for (const std::string& name : parts_of(text, ',')) {
    const std::vector<std::string> numbers = parts_of(name, '.');
    if (numbers.size() != 2)
      throw UsageError(fmt::format("heads are named LAYER.HEAD, such as 0.1,3.2; \"{}\" is none", name));
    const HeadChoice choice{number(numbers[0]), number(numbers[1])};
    if (choice.layer >= layers || choice.head >= analysis.layers[choice.layer].heads.size())
      throw UsageError(fmt::format("there is no head {}: {} layers of {} heads, both counted from 0", name, layers,
                                   analysis.layers.front().heads.size()));
    heads.push_back(choice);
  }
  return heads;
}

std::string maps_svg(const models::Analysis& analysis, const std::vector<HeadChoice>& heads,
                     const std::string& picture) {
  std::string cells;
  double row = 0, right = margin;
  if (!picture.empty()) {
    cells += cell_svg(margin, 0, picture, "the image");
    row = cell + caption + gap;
  }
  double x = margin;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto& [layer, head] = heads[i];
    if (i > 0 && layer != heads[i - 1].layer) x = margin, row += cell + caption + gap;
    if (x == margin)
      cells +=
          fmt::format("<text class=\"label\" x=\"0\" y=\"{:.0f}\">layer {}</text>", row + caption + cell / 2, layer);
    const Tensor weights = select(analysis.layers[layer].weights, 0, static_cast<std::int64_t>(head));
    cells += cell_svg(x, row, png_uri(heat_pixels(map_of(analysis, weights))), fmt::format("head {}", head));
    x += cell + gap;
    right = std::max(right, x);
  }
  const double height = row + caption + cell;
  return fmt::format(
      "<svg class=\"maps\" viewBox=\"0 0 {0:.0f} {1:.0f}\" style=\"max-width: {0:.0f}px\" role=\"img\" "
      "aria-label=\"Attention maps\" xmlns=\"http://www.w3.org/2000/svg\">\n{2}</svg>\n",
      right, height, cells);
}

std::vector<std::pair<std::string, Chart>> analysis_charts(const std::vector<AnalysisCurve>& curves) {
  const bool patches = std::any_of(curves.begin(), curves.end(), [](auto& curve) { return curve.analysis->patches; });
  std::vector<std::pair<std::string, Chart>> charts{
      {"head_distance", chart_of("distance between heads", curves,
                                 [](const models::LayerAnalysis& layer) { return std::vector{layer.head_distance}; })},
      {"entropy", chart_of("entropy of the weights, nats", curves, of_heads(&models::HeadAnalysis::entropy))},
      {"attention_distance", chart_of(patches ? "attention distance, patches" : "attention distance, tokens", curves,
                                      of_heads(&models::HeadAnalysis::distance))},
      {"effective_rank", chart_of("effective rank of heads", curves, of_heads(&models::HeadAnalysis::effective_rank))},
      {"radius", chart_of("learnt R", curves, [](const models::LayerAnalysis& layer) {
         return layer.radius.defined() ? layer.radius.to_vector<double>() : std::vector<double>{};
       })}};
  std::erase_if(charts, [](const auto& chart) { return chart.second.empty(); });
  return charts;
}

}  // namespace ff::tools
