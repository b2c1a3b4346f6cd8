#include "ff/models/time_series/data.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ff/core/check.h"
#include "ff/models/data_random.h"

namespace ff::models {
namespace {

constexpr const char* op = "load_series";
constexpr std::size_t speeds = 5;  // of a warped series, in as many stretches

// Where each step of a warped series is in the series itself: growing, from the first step to the last.
std::vector<double> warped_steps(std::int64_t steps, double deviation, RandomKey key) {
  std::array<double, speeds> normal{}, speed{};
  fill_normal(normal.data(), speeds, key);
  double whole = 0;
  for (std::size_t i = 0; i < speeds; ++i) whole += speed[i] = std::exp(deviation * normal[i]);
  std::vector<double> at;
  const auto last = static_cast<double>(steps - 1);
  for (std::int64_t t = 0; t < steps; ++t) {
    const double share = static_cast<double>(speeds) * static_cast<double>(t) / std::max(last, 1.0);
    const auto stretch = std::min(static_cast<std::size_t>(share), speeds - 1);
    double gone = speed[stretch] * (share - static_cast<double>(stretch));
    for (std::size_t i = 0; i < stretch; ++i) gone += speed[i];
    at.push_back(std::min(last * gone / whole, last));
  }
  return at;
}

double interpolated(const float* values, std::int64_t steps, double at) {
  const auto before = std::min(static_cast<std::int64_t>(at), steps - 1), after = std::min(before + 1, steps - 1);
  const double share = at - static_cast<double>(before);
  if (share == 0) return values[before];
  return (1 - share) * values[before] + share * values[after];
}

}  // namespace

TimeSeriesFile load_series(const std::string& path, const TimeSeriesModelConfig& model) {
  TimeSeriesFile file = load_ts(path);
  const auto classes = static_cast<std::int64_t>(file.classes.size());
  check(file.dimensions == model.dimensions && classes == model.classes, op,
        "{}: {} dimensions and {} classes, but the model takes {} and {}", path, file.dimensions, classes,
        model.dimensions, model.classes);
  const auto longest = std::max_element(file.series.begin(), file.series.end(),
                                        [](const auto& a, const auto& b) { return a.steps < b.steps; });
  check(longest->steps <= model.length, op, "{}: series {} has {} steps, but the model takes up to {}", path,
        longest - file.series.begin() + 1, longest->steps, model.length);
  return file;
}

SeriesStatistics statistics(const TimeSeriesFile& file) {
  SeriesStatistics result;
  for (std::int64_t d = 0; d < file.dimensions; ++d) {
    const auto over_values = [&](const auto& f) {
      for (const TimeSeries& series : file.series)
        for (std::int64_t t = 0; t < series.steps; ++t)
          if (const double value = series.values[static_cast<std::size_t>(d * series.steps + t)]; !std::isnan(value))
            f(value);
    };
    double count = 0, sum = 0, squares = 0;
    over_values([&](double value) { sum += value, ++count; });
    const double mean = count > 0 ? sum / count : 0;
    over_values([&](double value) { squares += (value - mean) * (value - mean); });
    result.mean.push_back(mean);
    result.deviation.push_back(squares > 0 ? std::sqrt(squares / count) : 1);
  }
  return result;
}

TimeSeries augmented(const TimeSeries& series, const TimeSeriesDataConfig& data, const SeriesStatistics& statistics,
                     RandomKey key) {
  const auto dimensions = static_cast<std::int64_t>(statistics.mean.size());
  Generator random;
  random.set_state(key);
  const auto normals = [&](std::int64_t n) {
    std::vector<double> numbers(static_cast<std::size_t>(n));
    fill_normal(numbers.data(), n, random.next(2 * static_cast<std::uint64_t>(n)));
    return numbers;
  };
  const auto at = warped_steps(series.steps, data.time_warp, random.next(2 * speeds));
  const auto stretch = normals(dimensions), noise = normals(dimensions * series.steps);
  TimeSeries result{.values = {}, .steps = series.steps, .label = series.label};
  result.values.reserve(series.values.size());
  for (std::size_t d = 0; d < stretch.size(); ++d) {
    const double mean = statistics.mean[d], factor = std::exp(data.scaling * stretch[d]);
    const double deviation = data.jitter * statistics.deviation[d];
    const float* values = series.values.data() + static_cast<std::int64_t>(d) * series.steps;
    for (const double t : at) {
      const double value = interpolated(values, series.steps, t);
      result.values.push_back(
          static_cast<float>(mean + factor * (value - mean) + deviation * noise[result.values.size()]));
    }
  }
  return result;
}

SeriesBatches::SeriesBatches(TimeSeriesFile file, const TimeSeriesDataConfig& data, const SeriesStatistics& statistics,
                             Mode mode, std::int64_t batch_size, std::uint64_t seed)
    : file_(std::move(file)),
      data_(data),
      statistics_(statistics),
      mode_(mode),
      seed_(seed),
      sampler_("series_batches", static_cast<std::int64_t>(file_.series.size()),
               {.batch_size = batch_size, .shuffle = mode == Mode::training, .seed = seed}) {}

Batch SeriesBatches::make(DataPosition position) {
  const bool augments = mode_ == Mode::training && (data_.jitter != 0 || data_.scaling != 0 || data_.time_warp != 0);
  std::vector<TimeSeries> chosen;
  for (const std::int64_t index : sampler_.samples(position)) {
    chosen.push_back(file_.series[static_cast<std::size_t>(index)]);
    if (!augments) continue;
    RandomKey key = data_key(seed_, DataStream::augmentation, position.epoch);
    key.offset = static_cast<std::uint64_t>(index) << 32;  // each series has numbers of its own
    chosen.back() = augmented(chosen.back(), data_, statistics_, key);
  }
  const auto n = static_cast<std::int64_t>(chosen.size());
  std::int64_t longest = 0;
  for (const TimeSeries& series : chosen) longest = std::max(longest, series.steps);
  Batch batch{Tensor::empty({n, file_.dimensions, longest}, f32), Tensor::empty({n}, i64), n};
  auto* out = batch.inputs.data<float>();
  for (std::int64_t i = 0; i < n; ++i) {
    const TimeSeries& series = chosen[static_cast<std::size_t>(i)];
    batch.targets.data<std::int64_t>()[i] = series.label;
    for (std::int64_t d = 0; d < file_.dimensions; ++d) {
      const float* row = series.values.data() + d * series.steps;
      out = std::fill_n(std::copy_n(row, series.steps, out), longest - series.steps, std::nanf(""));
    }
  }
  return batch;
}

}  // namespace ff::models
