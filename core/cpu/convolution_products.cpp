// Convolutions as matrix products over unfolded bands of images.

#include <algorithm>

#include "ff/core/cpu/convolution.h"
#include "ff/core/cpu/convolution_columns.h"
#include "ff/core/cpu/matmul.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t task_work = 256 * 1024;  // products of numbers that make up a task, at least
constexpr std::int64_t wanted_tasks = 16;       // where there are fewer images and groups, these are cut further

// How a convolution is cut. A group of an image is a matrix product of weights (outputs, rows) and columns (rows,
// positions), rows being places of the window in the group's channels.
struct Plan {
  const Window& w;
  std::int64_t channels, outputs;        // of a group
  std::int64_t places, rows, positions;  // of a window; of a group's columns; of an image
  std::int64_t image;                    // numbers in a channel of x; of y, positions
  std::int64_t band_rows, bands;         // output rows unfolded at a time
  bool pointwise;                        // the columns are the image itself

  explicit Plan(const Convolution& c)
      : w(c.window),
        channels(w.channels / c.groups),
        outputs(c.outputs / c.groups),
        places(w.kernel_h * w.kernel_w),
        rows(channels * places),
        positions(w.out_height() * w.out_width()),
        image(w.height * w.width) {
    // Enough positions for an efficient product, else what stays in the second-level cache.
    const std::int64_t wanted = std::max<std::int64_t>(256, 128 * 1024 / rows);
    band_rows = std::clamp<std::int64_t>(wanted / w.out_width(), 1, w.out_height());
    bands = num_chunks(w.out_height(), band_rows);
    pointwise = places == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad_h == 0 && w.pad_w == 0;
  }
  Band band(std::int64_t i) const { return {i * band_rows, std::min((i + 1) * band_rows, w.out_height())}; }
  std::int64_t width(Band b) const { return (b.end - b.begin) * w.out_width(); }
  std::int64_t first(Band b) const { return b.begin * w.out_width(); }
  std::int64_t scratch(std::int64_t some_channels) const {
    return pointwise ? 0 : some_channels * places * band_rows * w.out_width();
  }
  std::int64_t grain(std::int64_t work) const {
    return std::max<std::int64_t>(1, task_work / std::max<std::int64_t>(work, 1));
  }
};

// A matrix of columns in memory.
template <class T>
struct Columns {
  T* data;
  std::int64_t ld;
};

// The columns of a band of the given number of channels, beginning at x.
template <class T>
Columns<const T> unfold_band(const Plan& p, Band band, std::int64_t channels, const T* x, T* memory) {
  if (p.pointwise) return {x + p.first(band), p.image};
  const std::int64_t width = p.width(band);
  for (std::int64_t row = 0; row < channels * p.places; ++row) {
    const Place place = place_of(p.w, row);
    unfold(p.w, place, band, x + place.channel * p.image, memory + row * width);
  }
  return {memory, width};
}

template <class T>
void forward(const Convolution& c, const T* x, const T* weight, const T* bias, T* y) {
  const Plan p(c);
  parallel_for(c.count * c.groups * p.bands, p.grain(p.outputs * p.rows * p.band_rows * p.w.out_width()),
               [&](std::int64_t begin, std::int64_t end) {
                 const Scratch<T> memory(p.scratch(p.channels));
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t part = task / p.bands, group = part % c.groups;  // part: a group of an image
                   const Band band = p.band(task % p.bands);
                   const std::int64_t width = p.width(band);
                   T* to = y + part * p.outputs * p.positions + p.first(band);
                   for (std::int64_t o = 0; bias != nullptr && o < p.outputs; ++o)
                     std::fill_n(to + o * p.positions, width, bias[group * p.outputs + o]);
                   const Columns<const T> columns =
                       unfold_band(p, band, p.channels, x + part * p.channels * p.image, memory.data());
                   gemm_serial(false, false, p.outputs, width, p.rows, T{1}, weight + group * p.outputs * p.rows,
                               p.rows, columns.data, columns.ld, bias != nullptr ? T{1} : T{0}, to, p.positions);
                 }
               });
}

// x of some channels of a group of an image, from the group's y.
template <class T>
void input_of(const Plan& p, std::int64_t channels, const T* y, const T* weight, const Scratch<T>& memory, T* x) {
  if (!p.pointwise) std::fill_n(x, channels * p.image, T{0});
  for (std::int64_t i = 0; i < p.bands; ++i) {
    const Band band = p.band(i);
    const std::int64_t width = p.width(band);
    const Columns<T> columns = p.pointwise ? Columns<T>{x + p.first(band), p.image} : Columns<T>{memory.data(), width};
    gemm_serial(true, false, channels * p.places, width, p.outputs, T{1}, weight, p.rows, y + p.first(band),
                p.positions, T{0}, columns.data, columns.ld);
    for (std::int64_t row = 0; !p.pointwise && row < channels * p.places; ++row) {
      const Place place = place_of(p.w, row);
      fold(p.w, place, band, columns.data + row * width, x + place.channel * p.image);
    }
  }
}

template <class T>
void input(const Convolution& c, const T* y, const T* weight, T* x) {
  const Plan p(c);
  const std::int64_t parts = c.count * c.groups;
  if (parts == 0) return;
  const std::int64_t step = num_chunks(p.channels, num_chunks(wanted_tasks, parts));  // channels of a task
  const std::int64_t blocks = num_chunks(p.channels, step);
  parallel_for(parts * blocks, p.grain(p.outputs * step * p.places * p.positions),
               [&](std::int64_t begin, std::int64_t end) {
                 const Scratch<T> memory(p.scratch(step));
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t part = task / blocks, first = task % blocks * step;
                   input_of(p, std::min(step, p.channels - first), y + part * p.outputs * p.positions,
                            weight + part % c.groups * p.outputs * p.rows + first * p.places, memory,
                            x + (part * p.channels + first) * p.image);
                 }
               });
}

// Adds to the weights of some channels, from the first on, of a group what images [begin, end) give.
template <class T>
void add_weight_of(const Convolution& c, const Plan& p, std::int64_t group, std::int64_t first, std::int64_t channels,
                   Band images, const T* x, const T* y, const Scratch<T>& memory, T* weight) {
  for (std::int64_t image = images.begin; image < images.end; ++image)
    for (std::int64_t i = 0; i < p.bands; ++i) {
      const Band band = p.band(i);
      const std::int64_t part = image * c.groups + group;
      const Columns<const T> columns =
          unfold_band(p, band, channels, x + (part * p.channels + first) * p.image, memory.data());
      gemm_serial(false, true, p.outputs, channels * p.places, p.width(band), T{1},
                  y + part * p.outputs * p.positions + p.first(band), p.positions, columns.data, columns.ld, T{1},
                  weight + group * p.outputs * p.rows + first * p.places, p.rows);
    }
}

template <class T>
void weights(const Convolution& c, const T* x, const T* y, T* weight) {
  const Plan p(c);
  const std::int64_t size = c.outputs * p.rows;
  if (c.count == 0) {
    std::fill_n(weight, size, T{0});
    return;
  }
  // Blocks of images with sums of their own, as long as these take little memory; and of channels.
  const std::int64_t most = std::clamp<std::int64_t>((4 << 20) / size, 1, wanted_tasks);
  const std::int64_t step = num_chunks(c.count, most), blocks = num_chunks(c.count, step);
  const std::int64_t channel_step = num_chunks(p.channels, num_chunks(wanted_tasks, blocks * c.groups));
  const std::int64_t channel_blocks = num_chunks(p.channels, channel_step);
  const Scratch<T> sums(blocks * size, T{0});
  parallel_for(blocks * c.groups * channel_blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> memory(p.scratch(channel_step));
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t block = task / (c.groups * channel_blocks), group = task / channel_blocks % c.groups;
      const std::int64_t first = task % channel_blocks * channel_step;
      add_weight_of(c, p, group, first, std::min(channel_step, p.channels - first),
                    {block * step, std::min((block + 1) * step, c.count)}, x, y, memory, sums.data() + block * size);
    }
  });
  parallel_for(size, task_work / 16, [&](std::int64_t begin, std::int64_t end) {
    std::fill(weight + begin, weight + end, T{0});
    for (std::int64_t block = 0; block < blocks; ++block)
      for (std::int64_t i = begin; i < end; ++i) weight[i] += sums[block * size + i];
  });
}

}  // namespace

void convolution(DType dtype, const Convolution& sizes, const void* x, const void* weight, const void* bias, void* y) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    forward(sizes, static_cast<const T*>(x), static_cast<const T*>(weight), static_cast<const T*>(bias),
            static_cast<T*>(y));
  });
}

void convolution_input(DType dtype, const Convolution& sizes, const void* y, const void* weight, void* x) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    input(sizes, static_cast<const T*>(y), static_cast<const T*>(weight), static_cast<T*>(x));
  });
}

void convolution_weight(DType dtype, const Convolution& sizes, const void* x, const void* y, void* weight) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    weights(sizes, static_cast<const T*>(x), static_cast<const T*>(y), static_cast<T*>(weight));
  });
}

}  // namespace ff::cpu
