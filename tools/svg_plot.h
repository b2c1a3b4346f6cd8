#pragma once

#include <string>
#include <vector>

namespace ff::tools {

/// Points that a line joins, in the order of x; all positive.
struct PlotLine {
  std::string name;
  std::vector<double> x, y;
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<PlotLine> lines;  ///< at most 6, of at least a point each
};

/// A picture (SVG) with both axes logarithmic: ticks at the values of x that lines have and at round values of y, a
/// legend, colours that the colour-blind tell apart. Looks the same on any page.
std::string log_log_svg(const Plot& plot);

}  // namespace ff::tools
