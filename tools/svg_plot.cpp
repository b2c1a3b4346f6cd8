#include "tools/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "ff/core/check.h"

#include "tools/chart.h"

namespace ff::tools {
namespace {

constexpr double width = 720, height = 480, left = 84, right = 696, top = 88, bottom = 416;
// Okabe and Ito's colours, the dark ones first.
constexpr std::array<const char*, 6> palette{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"};

// A range of positive numbers on a logarithmic scale, drawn between two coordinates.
struct Axis {
  double low, high, from, to;

  double at(double value) const { return from + (to - from) * std::log(value / low) / std::log(high / low); }
};

// The smallest range that holds the values, and some room.
Axis axis_of(const std::set<double>& values, double room, double from, double to) {
  return {*values.begin() / room, *values.rbegin() * room, from, to};
}

// 1, 2 and 5 times powers of ten within an axis, fewer where that is many.
std::vector<double> round_values(const Axis& axis) {
  std::vector<double> all, decades;
  for (double ten = std::pow(10, std::floor(std::log10(axis.low))); ten <= axis.high; ten *= 10)
    for (const double value : {ten, 2 * ten, 5 * ten}) {
      if (value < axis.low || value > axis.high) continue;
      all.push_back(value);
      if (value == ten) decades.push_back(value);
    }
  return all.size() > 9 ? decades : all;
}

std::string text(double x, double y, std::string_view anchor, std::string_view style, std::string_view words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y, anchor, style,
                     escaped(words));
}

std::string segment(double x1, double y1, double x2, double y2, std::string_view colour) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1, y1, x2, y2,
                     colour);
}

std::string frame(const Plot& plot, const Axis& x, const Axis& y, const std::set<double>& x_ticks) {
  std::string svg;
  for (const double value : round_values(y)) {
    svg += segment(left, y.at(value), right, y.at(value), "#e4e4e4");
    svg += text(left - 10, y.at(value) + 4.5, "end", "", fmt::format("{:g}", value));
  }
  double last = -INFINITY;  // labels must not run into each other
  for (const double value : x_ticks) {
    svg += segment(x.at(value), bottom, x.at(value), bottom + 5, "#555");
    if (x.at(value) - last < 44) continue;
    last = x.at(value);
    svg += text(last, bottom + 22, "middle", "", fmt::format("{:g}", value));
  }
  svg += segment(left, bottom, right, bottom, "#555") + segment(left, top, left, bottom, "#555");
  svg += text(left, 34, "start", "font-size=\"18\" font-weight=\"600\"", plot.title);
  svg += text((left + right) / 2, height - 14, "middle", "", plot.x_label);
  return svg + fmt::format("<g transform=\"translate(22 {:.1f}) rotate(-90)\">{}</g>\n", (top + bottom) / 2,
                           text(0, 0, "middle", "", plot.y_label));
}

std::string line(const PlotLine& line, const Axis& x, const Axis& y, const char* colour) {
  std::string points, dots;
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    points += fmt::format("{}{:.1f},{:.1f}", i == 0 ? "" : " ", x.at(line.x[i]), y.at(line.y[i]));
    dots += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"><title>{}: {:g} at {:g}</title></circle>\n",
        x.at(line.x[i]), y.at(line.y[i]), colour, escaped(line.name), line.y[i], line.x[i]);
  }
  return fmt::format(
             "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/>\n",
             points, colour) +
         dots;
}

}  // namespace

std::string log_log_svg(const Plot& plot) {
  constexpr const char* op = "plot";
  check(!plot.lines.empty() && plot.lines.size() <= palette.size(), op, "1 to {} lines can be drawn, not {}",
        palette.size(), plot.lines.size());
  std::set<double> xs, ys;
  for (const PlotLine& each : plot.lines) {
    check(!each.x.empty() && each.x.size() == each.y.size(), op, "{} values of y for {} of x", each.y.size(),
          each.x.size());
    for (const auto* values : {&each.x, &each.y})
      for (const double value : *values)
        check(value > 0 && std::isfinite(value), op, "a logarithmic axis has no {}", value);
    xs.insert(each.x.begin(), each.x.end());
    ys.insert(each.y.begin(), each.y.end());
  }
  const Axis x = axis_of(xs, 1.08, left, right), y = axis_of(ys, 1.25, bottom, top);

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" "
      "aria-label=\"{2}\" font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"13\" "
      "fill=\"#222\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      width, height, escaped(plot.title));
  svg += frame(plot, x, y, xs);
  double legend = left;
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    svg += line(plot.lines[i], x, y, palette[i]);
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"56\" width=\"18\" height=\"4\" rx=\"2\" fill=\"{}\"/>\n", legend,
                       palette[i]);
    svg += text(legend + 25, 62.5, "start", "", plot.lines[i].name);
    legend += 50 + 6.8 * static_cast<double>(plot.lines[i].name.size());
  }
  return svg + "</svg>\n";
}

}  // namespace ff::tools
