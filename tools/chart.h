#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Charts and other drawings as SVG.
namespace ff::tools {

/// Colours that there are: curves of colour n and n + colours look alike.
inline constexpr int colours = 7;

struct Curve {
  enum class Kind {
    line,   ///< with dots where there are few points
    faint,  ///< a thin line behind the others
    dots,   ///< no line
  };

  std::string name;
  std::vector<std::pair<double, double>> points;  ///< by rising x; what is not finite, or beyond 1e100, is not drawn
  int colour = 0;
  Kind kind = Kind::line;
};

/// Curves over each other. Every value is in the drawing for a page's script to show; of long curves the extremes of
/// each piece are drawn.
struct Chart {
  std::string title, x_label;  ///< the title says what y is
  bool logarithmic = false;    ///< y; where all of it is positive
  bool whole_x = false;        ///< ticks at whole numbers alone
  std::vector<Curve> curves;
  bool logarithmic_x = false;  ///< x; where all of it is positive. The script of pages does not know of it
  std::string y_label = {};    ///< below the title: what y is where that does not say it
  bool legend = false;         ///< name the curves, where no page does

  /// Whether there is anything to draw.
  bool empty() const;
};

/// The classes that give what stands for a curve its colour, by chart_style.
std::string colour_classes(int colour);

/// Text that may stand in HTML or XML, in quotes, too.
std::string escaped(std::string_view text);

/// About `count` round numbers from low to high: 1, 2 or 5 times a power of ten apart, at least `least`.
std::vector<double> ticks(double low, double high, int count, double least = 0);

/// An <svg> for a page that has chart_style in it.
std::string chart_svg(const Chart& chart);

/// An <svg> made for a page as a file of its own.
std::string svg_file(const std::string& svg);

/// The style of drawings, CSS.
extern const std::string_view chart_style;

}  // namespace ff::tools
