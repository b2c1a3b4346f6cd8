#include "tools/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ff::tools {
namespace {

constexpr double width = 380, plot_height = 168, right = 14, top = 34, bottom = 34;
constexpr double row_height = 15;         // of what is between the title and the plot
constexpr double digit = 6.6;             // how wide one is, at most
constexpr std::size_t most_pieces = 250;  // of a curve: two points each
constexpr std::size_t few_points = 24;    // have dots
constexpr double least_logarithmic = 1e-100;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void add(double x) { low = std::min(low, x), high = std::max(high, x); }
  bool empty() const { return low > high; }
};

// Values along a side of the drawing.
struct Axis {
  Range range;
  double from = 0, to = 0;  // in the drawing
  bool logarithmic = false;

  double at(double value) const {
    auto f = [this](double x) { return logarithmic ? std::log10(x) : x; };
    return from + (f(value) - f(range.low)) / (f(range.high) - f(range.low)) * (to - from);
  }
};

std::string tick_label(double value, double step) {
  if (value == 0) return "0";
  const char* unit = "";
  if (std::abs(value) >= 1e6)
    value /= 1e6, step /= 1e6, unit = "M";
  else if (std::abs(value) >= 1e4)
    value /= 1e3, step /= 1e3, unit = "k";
  if (std::abs(value) < 1e-3) return fmt::format("{:.2g}", value);
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}{}", value, decimals, unit);
}

// At least two: where the range has too little room for round numbers of a logarithmic scale, those of a linear one;
// where it is many decades, powers of ten.
std::vector<double> logarithmic_ticks(double low, double high) {
  for (const auto& steps : {std::vector<double>{1, 2, 5}, {1, 3}}) {
    std::vector<double> values;
    const int last = static_cast<int>(std::log10(high)) + 1;
    for (int exponent = static_cast<int>(std::floor(std::log10(low))); exponent <= last; ++exponent)
      for (const double step : steps)
        if (const double value = step * std::pow(10, exponent); value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
          values.push_back(value);
    if (values.size() < 2) break;
    if (values.size() <= 7) return values;
  }
  std::vector<double> powers = ticks(std::log10(low), std::log10(high), 7, 1);
  if (powers.size() < 2) return ticks(low, high, 5);
  for (double& power : powers) power = std::pow(10, power);
  return powers;
}

// The axis with some room around the values. Differences in the fourth digit are not blown up.
Axis axis_of(Range range, double from, double to, bool logarithmic, double room) {
  if (range.high - range.low <= (room > 0 ? 1e-3 : 0) * std::abs(range.high)) {
    const double around = range.low == 0 ? 1 : std::abs(range.low) * (logarithmic ? 0.5 : 0.1);
    range = {range.low - around, range.high + around};
  } else if (logarithmic) {
    const double factor = std::pow(range.high / range.low, room);
    range = {range.low / factor, range.high * factor};
  } else {
    const double around = (range.high - range.low) * room;
    range = {range.low >= 0 ? std::max(0.0, range.low - around) : range.low - around, range.high + around};
  }
  return {range, from, to, logarithmic};
}

using Points = std::vector<std::pair<double, double>>;

// The lowest and the highest point of each of most_pieces pieces, in order.
Points thinned(const Points& points) {
  if (points.size() <= 2 * most_pieces) return points;
  Points kept;
  for (std::size_t piece = 0; piece < most_pieces; ++piece) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(piece * points.size() / most_pieces);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>((piece + 1) * points.size() / most_pieces);
    auto [low, high] = std::minmax_element(begin, end, [](auto& a, auto& b) { return a.second < b.second; });
    if (low > high) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  }
  return kept;
}

// Not what is so large that places in the drawing could not be computed.
bool shown(const std::pair<double, double>& point) {
  return std::abs(point.first) < 1e15 && std::abs(point.second) < 1e100;
}

std::string curve_svg(const Curve& curve, const Axis& x, const Axis& y) {
  Points points;
  for (const auto& point : curve.points)
    if (shown(point)) points.push_back(point);
  points = thinned(points);
  if (points.empty()) return "";
  std::string path, dots, values;
  const bool with_dots =
      curve.kind == Curve::Kind::dots || (curve.kind == Curve::Kind::line && points.size() <= few_points);
  for (const auto& [at, value] : points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x.at(at), y.at(value));
    values += fmt::format("{}{:g},{:.5g}", values.empty() ? "" : ";", at, value);
    if (with_dots)
      dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>", x.at(at), y.at(value),
                          curve.kind == Curve::Kind::dots ? "1.8" : "2.4");
  }
  const char* kind = curve.kind == Curve::Kind::line ? "line" : curve.kind == Curve::Kind::faint ? "faint" : "dots";
  return fmt::format("<g class=\"curve {} {}\" data-name=\"{}\" data-values=\"{}\">{}{}</g>\n", kind,
                     colour_classes(curve.colour), escaped(curve.name), values,
                     curve.kind == Curve::Kind::dots ? "" : fmt::format("<path d=\"{}\"/>", path), dots);
}

// Places along an axis, and what is written there.
using Ticks = std::vector<std::pair<double, std::string>>;

// With as many digits as tell neighbours apart.
Ticks labelled(const std::vector<double>& values) {
  Ticks result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t left = std::min(i, values.size() < 2 ? 0 : values.size() - 2);
    const double apart = values.size() < 2 ? std::abs(values[i]) : values[left + 1] - values[left];
    result.emplace_back(values[i],
                        tick_label(values[i], values[i] == 0 ? apart : std::min(apart, std::abs(values[i]))));
  }
  return result;
}

Ticks ticks_of(const Axis& axis, double least = 0) {
  const auto [low, high] = axis.range;
  return labelled(axis.logarithmic ? logarithmic_ticks(low, high) : ticks(low, high, 5, least));
}

// How many rows of words there are between the title and the plot.
std::size_t rows_above(const Chart& chart) {
  return (chart.y_label.empty() ? 0 : 1) + (chart.legend ? chart.curves.size() : 0);
}

std::string above_svg(const Chart& chart) {
  double y = 16;
  std::string out = fmt::format("<text class=\"title\" x=\"4\" y=\"{}\">{}</text>\n", y, escaped(chart.title));
  if (!chart.y_label.empty())
    out += fmt::format("<text class=\"label\" x=\"4\" y=\"{}\">{}</text>\n", y += row_height, escaped(chart.y_label));
  if (!chart.legend) return out;
  for (const Curve& curve : chart.curves) {
    y += row_height;
    out += fmt::format(
        "<line class=\"sample {0}\" x1=\"4\" x2=\"22\" y1=\"{2}\" y2=\"{2}\"/><text x=\"28\" y=\"{1}\">{3}</text>\n",
        colour_classes(curve.colour), y, y - 3.5, escaped(curve.name));
  }
  return out;
}

std::string axes_svg(const Chart& chart, const Axis& x, const Axis& y, const Ticks& rows) {
  std::string out;
  for (const auto& [value, label] : rows)
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        x.from, x.to, y.at(value), x.from - 6, y.at(value) + 3.5, label);
  for (const auto& [value, label] : ticks_of(x, chart.whole_x ? 1 : 0))
    out += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>\n",
        x.at(value), y.from, y.from + 4, y.from + 15, label);
  return out + fmt::format(
                   "<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>"
                   "<text class=\"label\" x=\"{1}\" y=\"{3}\" text-anchor=\"end\">{4}</text>\n",
                   x.from, x.to, y.from, y.from + bottom - 5, escaped(chart.x_label));
}

}  // namespace

bool Chart::empty() const {
  return std::none_of(curves.begin(), curves.end(), [](const Curve& curve) {
    return std::any_of(curve.points.begin(), curve.points.end(), [](const auto& p) { return shown(p); });
  });
}

std::string colour_classes(int colour) {
  return fmt::format("c{}{}", colour % colours, colour >= colours ? " dashed" : "");
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

std::vector<double> ticks(double low, double high, int count, double least) {
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5, 2, 1})
    if (factor * power >= rough * 0.999) step = factor * power;
  step = std::max(step, least);
  std::vector<double> values;
  const double first = std::ceil(low / step - 1e-9);
  for (int k = 0; (first + k) * step <= high + step * 1e-9; ++k) values.push_back((first + k) * step);
  return values;
}

std::string chart_svg(const Chart& chart) {
  Range xs, ys;
  for (const Curve& curve : chart.curves)
    for (const auto& point : curve.points)
      if (shown(point)) xs.add(point.first), ys.add(point.second);
  if (ys.empty()) xs.add(0), ys.add(0);
  const bool logarithmic = chart.logarithmic && ys.low > least_logarithmic;
  const bool logarithmic_x = chart.logarithmic_x && xs.low > least_logarithmic;
  if (xs.low == xs.high && !logarithmic_x) xs = {xs.low - 0.5, xs.high + 0.5};
  const double above = top + row_height * static_cast<double>(rows_above(chart));
  const Axis y = axis_of(ys, above + plot_height, above, logarithmic, 0.05);
  const Ticks rows = ticks_of(y);
  double left = 34;
  for (const auto& [value, label] : rows) left = std::max(left, 10 + digit * static_cast<double>(label.size()));
  const Axis x = axis_of(xs, left, width - right, logarithmic_x, chart.whole_x || logarithmic_x ? 0.04 : 0);
  std::string out = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" data-x=\"{},{},{},{}\" "
      "data-y=\"{},{},{},{}\" data-log=\"{}\" data-x-name=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">\n",
      width, y.from + bottom, escaped(chart.title), x.from, x.to, x.range.low, x.range.high, y.from, y.to, y.range.low,
      y.range.high, logarithmic ? 1 : 0, escaped(chart.x_label));
  out += above_svg(chart) + axes_svg(chart, x, y, rows);
  for (const bool behind : {true, false})
    for (const Curve& curve : chart.curves)
      if ((curve.kind != Curve::Kind::line) == behind) out += curve_svg(curve, x, y);
  return out + "</svg>\n";
}

std::string svg_file(const std::string& svg) {
  const std::size_t end = svg.find('>') + 1;
  return fmt::format("{}<style>{}</style>{}", svg.substr(0, end), chart_style, svg.substr(end));
}

}  // namespace ff::tools
