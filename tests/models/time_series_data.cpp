#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <doctest/doctest.h>

#include "ff/models/data_random.h"
#include "ff/models/time_series/data.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();
using Mode = SeriesBatches::Mode;

// n series of two dimensions; series i has i + 1 steps, of values i and -i.
TimeSeriesFile counted(int n) {
  TimeSeriesFile file{.dimensions = 2, .classes = {"a", "b"}, .series = {}};
  for (int i = 0; i < n; ++i) {
    TimeSeries series{.values = {}, .steps = i + 1, .label = i % 2};
    series.values.assign(static_cast<std::size_t>(i + 1), static_cast<float>(i));
    series.values.insert(series.values.end(), static_cast<std::size_t>(i + 1), static_cast<float>(-i));
    file.series.push_back(series);
  }
  return file;
}

TimeSeriesDataConfig with(double jitter, double scaling, double time_warp) {
  TimeSeriesDataConfig data;
  data.jitter = jitter, data.scaling = scaling, data.time_warp = time_warp;
  return data;
}

TimeSeries line(std::int64_t steps) {
  TimeSeries series{.values = {}, .steps = steps, .label = 1};
  for (std::int64_t t = 0; t < steps; ++t) series.values.push_back(static_cast<float>(t));
  return series;
}

}  // namespace

TEST_CASE("statistics are of the values that are there") {
  TimeSeriesFile file{.dimensions = 3, .classes = {"a"}, .series = {}};
  file.series.push_back({.values = {1, missing, 5, 5, missing, missing}, .steps = 2, .label = 0});
  file.series.push_back({.values = {4, 5, missing}, .steps = 1, .label = 0});
  const SeriesStatistics found = statistics(file);
  CHECK(found.mean == std::vector<double>{2.5, 5, 0});
  CHECK(found.deviation == std::vector<double>{1.5, 1, 1});  // one where nothing varies
}

TEST_CASE("load_series refuses what does not fit the model") {
  const TempDir dir;
  const std::string path =
      dir.write("a.ts", "@dimensions 2\n@equalLength false\n@classLabel true a b\n@data\n1,2:3,4:a\n1:2:b\n");
  TimeSeriesModelConfig model;
  model.dimensions = 2, model.length = 2, model.classes = 2;
  CHECK(load_series(path, model).series.size() == 2);
  const auto error = [&] { return error_of([&] { load_series(path, model); }); };
  model.length = 1;
  check_says(error(), path + ": series 1 has 2 steps, but the model takes up to 1");
  model.length = 2, model.classes = 3;
  check_says(error(), path + ": 2 dimensions and 2 classes, but the model takes 2 and 3");
  model.classes = 2, model.dimensions = 1;
  check_says(error(), "the model takes 1 and 2");
}

TEST_CASE("SeriesBatches: evaluation goes through all series in order, padded by NaN") {
  SeriesBatches batches(counted(5), {}, {}, Mode::evaluation, 2, 0);
  REQUIRE(batches.batches_per_epoch() == 3);
  const Batch batch = batches.make({0, 1});
  CHECK(batch.count == 2);
  CHECK(batch.inputs.shape() == Shape{2, 2, 4});
  CHECK(batch.targets.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1});
  const std::vector<float> want{2, 2, 2, missing, -2, -2, -2, missing, 3, 3, 3, 3, -3, -3, -3, -3};
  const std::vector<float> got = batch.inputs.to_vector<float>();
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK((got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]))));
  const Batch last = batches.make({0, 2});
  CHECK(last.count == 1);
  CHECK(last.inputs.shape() == Shape{1, 2, 5});
  check_says(error_of([&] { batches.make({0, 3}); }), "no batch 3 of 3");
}

TEST_CASE("SeriesBatches: an epoch of training has full batches of other series each, decided by the seed") {
  const auto drawn = [](std::uint64_t seed, std::int64_t epoch) {
    SeriesBatches batches(counted(7), {}, {}, Mode::training, 3, seed);
    REQUIRE(batches.batches_per_epoch() == 2);
    std::vector<float> values;
    for (std::int64_t b = 0; b < 2; ++b) {
      const Batch batch = batches.make({epoch, b});
      const std::vector<float> inputs = batch.inputs.to_vector<float>();
      for (std::size_t i = 0; i < 3; ++i) values.push_back(inputs[i * inputs.size() / 3]);
    }
    return values;
  };
  const auto first = drawn(1, 0);
  CHECK(std::set<float>(first.begin(), first.end()).size() == 6);
  CHECK(first == drawn(1, 0));
  CHECK(first != drawn(1, 1));
  CHECK(first != drawn(2, 0));
  check_says(error_of([] { SeriesBatches(counted(2), {}, {}, Mode::training, 3, 1); }), "2 samples do not make a batch");
  check_says(error_of([] { SeriesBatches(counted(2), {}, {}, Mode::training, 0, 1); }), "at least 1, got 0");
}

TEST_CASE("SeriesBatches: augmentation is of the epoch and the series, not of the batch it is in") {
  const SeriesStatistics of_zero{{0, 0}, {1, 1}};
  const auto values = [&](std::int64_t batch_size, std::int64_t epoch) {
    SeriesBatches batches(counted(4), with(0.5, 0, 0), of_zero, Mode::training, batch_size, 3);
    std::vector<float> sorted;
    for (std::int64_t b = 0; b < batches.batches_per_epoch(); ++b)
      for (const float value : batches.make({epoch, b}).inputs.to_vector<float>())
        if (!std::isnan(value)) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  CHECK(values(4, 0).size() == 20);
  CHECK(values(4, 0) == values(1, 0));
  CHECK(values(4, 0) != values(4, 1));
  const auto drawn = values(4, 0);
  CHECK(std::set<float>(drawn.begin(), drawn.end()).size() == 20);  // no number twice
}

TEST_CASE("augmented: nothing asked for, nothing changed") {
  const TimeSeries same = augmented(line(9), with(0, 0, 0), {{3}, {2}}, data_key(1, DataStream::augmentation, 0));
  CHECK(same.label == 1);
  const auto d = largest_difference(same.values, line(9).values);
  CHECK_MESSAGE(d.absolute <= 1e-6, d.str());
}

TEST_CASE("augmented: a warp keeps the ends and the order, and moves what is between") {
  const TimeSeries series = line(50);
  double moved = 0;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const TimeSeries warped =
        augmented(series, with(0, 0, 0.5), {{0}, {1}}, data_key(1, DataStream::augmentation, epoch));
    REQUIRE(warped.steps == 50);
    CHECK(warped.values.front() == 0);
    CHECK(std::abs(warped.values.back() - 49) < 1e-4);
    CHECK(std::is_sorted(warped.values.begin(), warped.values.end()));
    moved += std::abs(static_cast<double>(warped.values[25]) - 25) / 20;
  }
  CHECK(moved > 1);
  CHECK(moved < 15);
  CHECK(augmented(line(1), with(0, 0, 0.5), {{0}, {1}}, {}).values == std::vector<float>{0});
}

TEST_CASE("augmented: scaling is about the mean, noise in deviations of the dimension") {
  TimeSeries series{.values = std::vector<float>(4000, 5), .steps = 2000, .label = 0};
  const SeriesStatistics of{{5, 4}, {10, 1}};
  const RandomKey key = data_key(1, DataStream::augmentation, 7);
  const TimeSeries scaled = augmented(series, with(0, 0.3, 0), of, key);
  CHECK(scaled.values[0] == 5);     // the mean stays where it is
  CHECK(scaled.values[2000] != 5);  // 4 + factor * 1
  CHECK(scaled.values[2000] > 4);
  CHECK(scaled.values[2000] == scaled.values[3999]);
  const TimeSeries noisy = augmented(series, with(0.1, 0, 0), of, key);
  for (std::size_t d = 0; d < 2; ++d) {
    double sum = 0, squares = 0;
    for (std::size_t t = 0; t < 2000; ++t) {
      const double off = static_cast<double>(noisy.values[d * 2000 + t]) - 5;
      sum += off, squares += off * off;
    }
    const double deviation = 0.1 * of.deviation[d];
    CHECK(std::abs(sum / 2000) < 5 * deviation / std::sqrt(2000));
    CHECK(std::abs(std::sqrt(squares / 2000) / deviation - 1) < 0.1);
  }
}

TEST_CASE("augmented: what is missing stays missing, its neighbours alone with it") {
  TimeSeries series = line(100);
  series.values[40] = missing;
  const TimeSeries warped = augmented(series, with(0, 0, 0.3), {{0}, {1}}, data_key(1, DataStream::augmentation, 0));
  const auto gone = std::count_if(warped.values.begin(), warped.values.end(), [](float x) { return std::isnan(x); });
  CHECK(gone >= 1);
  CHECK(gone <= 8);
}
