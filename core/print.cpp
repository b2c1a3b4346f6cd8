#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "ff/core/check.h"
#include "ff/core/tensor.h"

namespace ff {
namespace {

constexpr std::int64_t edge_items = 3;           // shown at each end of a summarised dimension
constexpr std::int64_t summarise_beyond = 1000;  // elements

// How the elements of one tensor are written: all alike, so that columns line up.
struct Style {
  DType dtype = f32;
  bool scientific = false;
  int digits = 0;
  int width = 0;

  std::string operator()(double value) const {
    if (dtype == boolean) return fmt::format("{:>{}}", value != 0 ? "true" : "false", width);
    if (!is_floating(dtype)) return fmt::format("{:>{}}", static_cast<std::int64_t>(value), width);
    if (!std::isfinite(value)) return fmt::format("{:>{}}", value, width);
    if (scientific) return fmt::format("{:>{}.{}e}", value, width, digits);
    std::string text = fmt::format("{:.{}f}", value, digits);
    return fmt::format("{:>{}}", digits == 0 ? text + "." : text, width);
  }
};

// The elements shown, each once: the first and last edge_items along every dimension where summarised.
void collect(const Tensor& x, int dim, bool summarise, std::vector<double>& out) {
  if (dim == x.rank()) {
    out.push_back(x.item<double>());
    return;
  }
  const std::int64_t n = x.shape()[dim];
  for (std::int64_t i = 0; i < n; ++i) {
    if (summarise && n > 2 * edge_items && i == edge_items) i = n - edge_items;
    Shape one = x.shape();
    one[dim] = 1;
    collect(x.as_strided(one, x.strides(), i * x.strides()[dim]), dim + 1, summarise, out);
  }
}

// As NumPy chooses: fixed digits, as few as show every value to four places, unless the range asks for an exponent.
Style choose_style(DType dtype, const std::vector<double>& values) {
  Style style{.dtype = dtype};
  if (is_floating(dtype)) {
    double largest = 0, smallest = std::numeric_limits<double>::infinity();
    for (double v : values) {
      if (!std::isfinite(v) || v == 0) continue;
      largest = std::max(largest, std::abs(v));
      smallest = std::min(smallest, std::abs(v));
    }
    style.scientific = largest >= 1e8 || (largest > 0 && (smallest < 1e-4 || largest / smallest > 1e3));
    const int most = 4;
    if (style.scientific) {
      style.digits = most;
    } else {
      for (double v : values)
        while (std::isfinite(v) && style.digits < most &&
               std::abs(v - std::round(v * std::pow(10, style.digits)) / std::pow(10, style.digits)) >
                   1e-6 * std::abs(v))
          ++style.digits;
    }
  }
  std::size_t width = 0;
  for (double v : values) width = std::max(width, style(v).size());
  style.width = static_cast<int>(width);
  return style;
}

std::string write(const Tensor& x, int dim, bool summarise, const Style& style, int indent) {
  if (dim == x.rank()) return style(x.item<double>());
  const std::int64_t n = x.shape()[dim];
  const bool last = dim == x.rank() - 1;
  const std::string separator = last ? ", "
                                     : "," + std::string(static_cast<std::size_t>(x.rank() - 1 - dim), '\n') +
                                           std::string(static_cast<std::size_t>(indent + 1), ' ');
  std::string text = "[";
  std::size_t line = text.size();
  for (std::int64_t i = 0; i < n; ++i) {
    if (i > 0) text += separator;
    if (summarise && n > 2 * edge_items && i == edge_items) {
      text += "..." + separator;
      i = n - edge_items;
    }
    Shape one = x.shape();
    one[dim] = 1;
    const std::string item =
        write(x.as_strided(one, x.strides(), i * x.strides()[dim]), dim + 1, summarise, style, indent + 1);
    if (last && line + item.size() + static_cast<std::size_t>(indent) > 76) {
      text.back() = '\n';
      text += std::string(static_cast<std::size_t>(indent + 1), ' ');
      line = 0;
    }
    text += item;
    line += item.size() + separator.size();
  }
  return text + "]";
}

}  // namespace

std::string Tensor::str() const {
  if (!defined()) return "tensor(undefined)";
  const bool summarise = numel() > summarise_beyond;
  std::vector<double> shown;
  if (numel() > 0) collect(*this, 0, summarise, shown);
  const Style style = choose_style(dtype(), shown);
  std::string text =
      "tensor(" + (numel() > 0 || rank() == 1 ? write(*this, 0, summarise, style, 7) : std::string("[]"));
  if (summarise || numel() == 0) text += fmt::format(", shape={}", shape().str());
  if (dtype() != f32) text += fmt::format(", dtype={}", name(dtype()));
  return text + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << tensor.str(); }

}  // namespace ff
