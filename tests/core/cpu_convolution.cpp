#include <doctest/doctest.h>

#include "ff/core/cpu/convolution.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

const cpu::Window windows[] = {
    {1, 1, 1, 1, 1},
    {2, 5, 4, 3, 3},
    {3, 28, 28, 7, 7, 7, 7},
    {2, 7, 6, 3, 2, 2, 1, 1, 1},
    {1, 9, 8, 3, 3, 1, 2, 2, 3, 2, 3},
    {2, 3, 3, 5, 5, 1, 1, 4, 4},  // larger than the image
    {1, 2, 3, 1, 1, 3, 2, 5, 4},  // windows wholly outside
    {4, 33, 31, 3, 3, 1, 1, 1, 1},
};

// Calls f(position in columns, position in image) for each of one image's columns, -1 outside the image.
template <class F>
void for_each_place(const cpu::Window& w, F f) {
  std::int64_t column = 0;
  for (std::int64_t c = 0; c < w.channels; ++c)
    for (std::int64_t kh = 0; kh < w.kernel_h; ++kh)
      for (std::int64_t kw = 0; kw < w.kernel_w; ++kw)
        for (std::int64_t oh = 0; oh < w.out_height(); ++oh)
          for (std::int64_t ow = 0; ow < w.out_width(); ++ow, ++column) {
            const std::int64_t h = oh * w.stride_h - w.pad_h + kh * w.dilation_h,
                               v = ow * w.stride_w - w.pad_w + kw * w.dilation_w;
            const bool inside = h >= 0 && h < w.height && v >= 0 && v < w.width;
            f(column, inside ? (c * w.height + h) * w.width + v : -1);
          }
}

template <class T>
void check_window(DType dtype, const cpu::Window& w, std::int64_t count) {
  const std::int64_t image = w.channels * w.height * w.width;
  const std::int64_t rows = w.channels * w.kernel_h * w.kernel_w, positions = w.out_height() * w.out_width();
  const auto x = test::random_array<T>(count * image, 1), dy = test::random_array<T>(count * rows * positions, 2);
  std::vector<T> columns(dy.size(), T{9}), want_columns(dy.size()), images(x.size(), T{9});
  std::vector<double> want_images(x.size());
  for (std::int64_t i = 0; i < count; ++i)
    for_each_place(w, [&](std::int64_t column, std::int64_t pixel) {
      const auto from = static_cast<std::size_t>(i * rows * positions + column),
                 to = static_cast<std::size_t>(i * image + pixel);
      want_columns[from] = pixel < 0 ? T{0} : x[to];
      if (pixel >= 0) want_images[to] += static_cast<double>(dy[from]);
    });
  cpu::im2col(dtype, count, w, x.data(), columns.data());
  const auto d = test::largest_difference(columns, want_columns, {count, rows, w.out_height(), w.out_width()});
  CHECK_MESSAGE(d.absolute == 0, d.str());
  cpu::col2im(dtype, count, w, dy.data(), images.data());
  const auto g = test::largest_difference(images, want_images, {count, w.channels, w.height, w.width});
  CHECK_MESSAGE(g.relative <= (dtype == f32 ? 1e-6 : 1e-14), g.str());
}

}  // namespace

TEST_CASE("im2col and col2im, padded, strided and dilated") {
  for (const cpu::Window& w : windows)
    for (std::int64_t count : {0, 1, 3}) {
      CAPTURE(w.height);
      CAPTURE(w.kernel_h);
      CAPTURE(count);
      check_window<float>(f32, w, count);
      check_window<double>(f64, w, count);
    }
}

TEST_CASE("col2im does not depend on the number of threads") {
  const cpu::Window w{8, 40, 40, 5, 5, 2, 2, 2, 2};
  const auto columns = test::random_array<float>(3 * 8 * 25 * w.out_height() * w.out_width(), 1);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<float> y(3 * 8 * 40 * 40);
    cpu::col2im(f32, 3, w, columns.data(), y.data());
    return y;
  }));
}

}  // namespace ff
