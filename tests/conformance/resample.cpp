// Images read at other places than their pixels': resizing, sampling on a grid, and undoing a pooling.

#include <algorithm>
#include <cmath>
#include <optional>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

#include "tests/conformance/evaluate.h"

namespace ff::conformance {

namespace {

// A pixel that a place between pixels is read from: its index (a whole number in f64) and the share it has.
struct Tap {
  Tensor index, weight;
};

// Keys 1981: the weight of a pixel at distance d >= 0.
Tensor keys(const Tensor& d, double a) {
  const Tensor near = ((a + 2) * d - (a + 3)) * d * d + 1.0;
  const Tensor far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return where(le(d, 1.0), near, far);
}

std::vector<Tap> linear_taps(const Tensor& x) {
  const Tensor left = floor(x);
  return {{left, left + 1.0 - x}, {left + 1.0, x - left}};
}

std::vector<Tap> cubic_taps(const Tensor& x, double a) {
  std::vector<Tap> taps;
  for (double offset : {-1.0, 0.0, 1.0, 2.0}) {
    const Tensor index = floor(x) + offset;
    taps.push_back({index, keys(abs(x - index), a)});
  }
  return taps;
}

// One axis of a Resize.
struct Axis {
  std::int64_t from, to;
  double scale;
  double begin = 0, end = 1;  // the region of interest, of tf_crop_and_resize
};

// Where the entries of the result lie in x.
Tensor places(const std::string& transformation, const Axis& axis) {
  const Tensor i = arange(0, static_cast<double>(axis.to), 1, {.dtype = f64});
  const double last = static_cast<double>(axis.from - 1), size = axis.scale * static_cast<double>(axis.from);
  if (transformation == "asymmetric") return i / axis.scale;
  if (transformation == "tf_half_pixel_for_nn") return (i + 0.5) / axis.scale;
  if (transformation == "align_corners") return size == 1 ? zeros_like(i) : i * (last / (size - 1));
  if (transformation == "tf_crop_and_resize")
    return axis.to == 1 ? i + 0.5 * (axis.begin + axis.end) * last
                        : i * ((axis.end - axis.begin) * last / (size - 1)) + axis.begin * last;
  check(transformation == "half_pixel" || transformation == "pytorch_half_pixel", "Resize", "unknown transformation {}",
        transformation);
  if (transformation == "pytorch_half_pixel" && axis.to == 1) return zeros_like(i);
  return (i + 0.5) / axis.scale - 0.5;
}

Tensor round_to(const std::string& how, const Tensor& x) {
  if (how == "floor") return floor(x);
  if (how == "ceil") return ceil(x);
  return how == "round_prefer_ceil" ? floor(x + 0.5) : ceil(x - 0.5);
}

struct Resizing {
  std::string mode, transformation, rounding;
  double a;
  bool exclude_outside;
};

std::vector<Tap> taps_of(const Resizing& how, const Tensor& x) {
  if (how.mode == "nearest") return {{round_to(how.rounding, x), ones_like(x)}};
  return how.mode == "linear" ? linear_taps(x) : cubic_taps(x, how.a);
}

Tensor resize_axis(const Tensor& x, int dim, const Axis& axis, const Resizing& how) {
  std::vector<Tap> taps = taps_of(how, places(how.transformation, axis));
  const double last = static_cast<double>(axis.from - 1);
  if (how.exclude_outside) {
    Tensor sum = zeros_like(taps[0].weight);
    for (Tap& tap : taps) {
      tap.weight = where(logical_and(ge(tap.index, 0.0), le(tap.index, last)), tap.weight, 0.0);
      sum = sum + tap.weight;
    }
    for (Tap& tap : taps) tap.weight = tap.weight / sum;
  }
  Shape along = Shape::filled(x.rank(), 1);
  along[dim] = axis.to;
  Tensor y;
  for (const Tap& tap : taps) {
    const Tensor index = cast(clamp(tap.index, 0.0, last), i64);
    const Tensor part = index_select(x, dim, index) * reshape(tap.weight, along);
    y = y.defined() ? y + part : part;
  }
  return y;
}

// Whether interpolate() does the same: it has PyTorch's choice of the ways.
std::optional<Interpolation> library_mode(const Resizing& how, const std::vector<Axis>& axes) {
  if (axes.size() < 3 || axes.size() > 4 || axes[0].from != axes[0].to || axes[1].from != axes[1].to) return {};
  const bool corners = how.transformation == "align_corners", centres = how.transformation == "half_pixel";
  // ONNX spans a size that need not be whole between the corners.
  for (const Axis& axis : axes)
    if (corners && axis.scale * static_cast<double>(axis.from) != static_cast<double>(axis.to)) return {};
  if (how.mode == "linear" && (corners || centres)) return Interpolation::linear;
  if (how.mode == "cubic" && how.a == -0.75 && !how.exclude_outside && (corners || centres) && axes.size() == 4)
    return Interpolation::cubic;
  if (how.mode == "nearest" && how.transformation == "asymmetric" && how.rounding == "floor")
    return Interpolation::nearest;
  if (how.mode == "nearest" && centres && how.rounding == "round_prefer_ceil") return Interpolation::nearest_exact;
  return {};
}

Tensor resize(const Tensor& x, const std::vector<Axis>& axes, const Resizing& how, bool by_scale) {
  if (const auto mode = library_mode(how, axes)) {
    InterpolateOptions options{.mode = *mode, .align_corners = how.transformation == "align_corners"};
    for (std::size_t i = 2; i < axes.size(); ++i)
      if (by_scale)
        options.scale_factor.push_back(axes[i].scale);
      else
        options.size.push_back(axes[i].to);
    return interpolate(x, options);
  }
  Tensor y = x;
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i].from != axes[i].to || axes[i].begin != 0 || axes[i].end != 1)
      y = resize_axis(y, static_cast<int>(i), axes[i], how);
  return cast(y, x.dtype());
}

// Entries whose place lies outside x in any dimension have a value of their own.
Tensor extrapolate(const Tensor& y, const std::vector<Axis>& axes, const std::string& transformation, double value) {
  Tensor result = y;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Tensor place = places(transformation, axes[i]);
    const Tensor outside = logical_or(lt(place, 0.0), gt(place, static_cast<double>(axes[i].from - 1)));
    Shape along = Shape::filled(y.rank(), 1);
    along[static_cast<int>(i)] = axes[i].to;
    result = where(reshape(outside, along), value, result);
  }
  return result;
}

// Inputs: x, roi, scales, sizes; one of the last two.
Outputs resized(const Call& call) {
  const Tensor& x = call[0];
  const Resizing how{call.text("mode", "nearest"), call.text("coordinate_transformation_mode", "half_pixel"),
                     call.text("nearest_mode", "round_prefer_floor"), call.number("cubic_coeff_a", -0.75),
                     call.integer("exclude_outside", 0) != 0};
  const double extrapolation = call.number("extrapolation_value", 0);
  const bool by_scale = call.has(2) && call[2].numel() > 0;
  std::vector<Axis> axes;
  for (int i = 0; i < x.rank(); ++i) {
    const double from = static_cast<double>(x.size(i));
    Axis axis{x.size(i), 0, 0};
    if (by_scale) {
      axis.scale = select(call[2], 0, i).item<double>();
      axis.to = static_cast<std::int64_t>(std::floor(from * axis.scale));
    } else {
      axis.to = select(call[3], 0, i).item<std::int64_t>();
      axis.scale = static_cast<double>(axis.to) / from;
    }
    if (how.transformation == "tf_crop_and_resize") {
      axis.begin = select(call[1], 0, i).item<double>();
      axis.end = select(call[1], 0, x.rank() + i).item<double>();
    }
    axes.push_back(axis);
  }
  const Tensor y = resize(x, axes, how, by_scale);
  return how.transformation == "tf_crop_and_resize" ? extrapolate(y, axes, how.transformation, extrapolation) : y;
}

// The operator before Resize.
Outputs upsampled(const Call& call) {
  std::vector<Axis> axes;
  for (int i = 0; i < call[0].rank(); ++i) {
    const double scale = select(call[1], 0, i).item<double>();
    axes.push_back({call[0].size(i), static_cast<std::int64_t>(static_cast<double>(call[0].size(i)) * scale), scale});
  }
  return resize(call[0], axes, {call.text("mode", "nearest"), "asymmetric", "floor", -0.75, false}, true);
}

// Whole numbers brought into [0, size) as the padding has it; zeros leaves them, to be masked.
Tensor fold_in(const Tensor& index, std::int64_t size, const std::string& padding, bool corners) {
  const double last = static_cast<double>(size - 1);
  if (padding == "border") return clamp(index, 0.0, last);
  if (padding != "reflection") return index;
  // A walk to and fro between 0 and last, the ends met once (corners) or twice.
  const double period = corners ? 2 * last : 2 * static_cast<double>(size);
  const Tensor walk = remainder(index, std::max(period, 1.0));
  return minimum(walk, (corners ? period : period - 1) - walk);
}

// x (B, C, H, W) at the places grid (B, h, w, 2) names as (across, down), from -1 to 1: (B, C, h, w).
Outputs sampled_on_grid(const Call& call) {
  const Tensor &x = call[0], &grid = call[1];
  const std::string mode = call.text("mode", "bilinear"), padding = call.text("padding_mode", "zeros");
  const bool corners = call.integer("align_corners", 0) != 0;
  const std::int64_t height = x.size(2), width = x.size(3);
  const auto taps = [&](int coordinate, std::int64_t size) {
    const Tensor g = cast(select(grid, -1, coordinate), f64), n = full({}, static_cast<double>(size), {.dtype = f64});
    const Tensor place = corners ? (g + 1.0) / 2.0 * (n - 1.0) : ((g + 1.0) * n - 1.0) / 2.0;
    if (mode == "nearest") return std::vector<Tap>{{round(place), ones_like(place)}};
    return mode == "bilinear" ? linear_taps(place) : cubic_taps(place, -0.75);
  };
  const Tensor planes = reshape(x, {x.size(0), x.size(1), height * width});
  Tensor y;
  for (const Tap& down : taps(1, height))
    for (const Tap& across : taps(0, width)) {
      const Tensor row = fold_in(down.index, height, padding, corners);
      const Tensor column = fold_in(across.index, width, padding, corners);
      const Tensor inside = logical_and(logical_and(ge(row, 0.0), lt(row, static_cast<double>(height))),
                                        logical_and(ge(column, 0.0), lt(column, static_cast<double>(width))));
      const Tensor weight = where(inside, down.weight * across.weight, 0.0);  // (B, h, w)
      const Tensor place = cast(where(inside, row * static_cast<double>(width) + column, 0.0), i64);
      const Tensor index = broadcast_to(reshape(place, {x.size(0), 1, place.size(1) * place.size(2)}),
                                        {x.size(0), x.size(1), place.size(1) * place.size(2)});
      const Tensor part = reshape(gather(planes, 2, index), {x.size(0), x.size(1), place.size(1), place.size(2)}) *
                          unsqueeze(weight, 1);
      y = y.defined() ? y + part : part;
    }
  return cast(y, x.dtype());
}

// Zeros but for the maxima, where they were. The indices count all of the tensor that was pooled, whose size may have
// been another than the result's.
Outputs unpooled(const Call& call) {
  const Tensor& x = call[0];
  const std::vector<std::int64_t> kernel = call.integers("kernel_shape"), stride = call.integers("strides", {1, 1});
  const std::vector<std::int64_t> pads = call.integers("pads", {0, 0, 0, 0});
  Shape pooled = x.shape();
  for (int i = 0; i < 2; ++i) {
    const auto d = static_cast<std::size_t>(i);
    pooled[i + 2] = (x.size(i + 2) - 1) * stride[d] + kernel[d] - pads[d] - pads[d + 2];
  }
  const Tensor flat =
      scatter(zeros({pooled.numel()}, {.dtype = x.dtype()}), 0, reshape(call[1], {-1}), reshape(x, {-1}));
  const Tensor y = reshape(flat, pooled);
  if (!call.has(2)) return y;
  const Shape wanted = shape_of(integers_of(call[2]));
  return pad(y, {0, wanted[3] - pooled[3], 0, wanted[2] - pooled[2]});
}

}  // namespace

Operators resample_operators() {
  return {{"GridSample", sampled_on_grid}, {"MaxUnpool", unpooled}, {"Resize", resized}, {"Upsample", upsampled}};
}

}  // namespace ff::conformance
