#pragma once

#include <string>
#include <vector>

#include "ff/core/random.h"
#include "ff/models/batch_sampler.h"
#include "ff/models/time_series/config.h"
#include "ff/models/time_series/ts_file.h"

namespace ff::models {

/// Reads a file of series. Throws Error naming it where it does not fit the model: other dimensions, another number of
/// classes, longer series.
TimeSeriesFile load_series(const std::string& path, const TimeSeriesModelConfig& model);

/// Mean and standard deviation of each dimension over all values that are not missing; 0 and 1 where there are none,
/// deviation 1 where all are equal.
struct SeriesStatistics {
  std::vector<double> mean, deviation;
};
SeriesStatistics statistics(const TimeSeriesFile& file);

/// A series as augmentation changes it: gone through at a speed that varies, each dimension stretched about its mean,
/// noise added (see TimeSeriesDataConfig), by random numbers of key alone. It keeps its steps, and its first and last
/// values stay at its ends; a missing value makes those interpolated from it missing, too.
TimeSeries augmented(const TimeSeries& series, const TimeSeriesDataConfig& data, const SeriesStatistics& statistics,
                     RandomKey key);

/// Batches of series, f32 (B, dimensions, steps of the longest), NaN after the end of the others, with labels, i64 (B).
class SeriesBatches : public BatchSource {
 public:
  enum class Mode {
    training,    ///< shuffled every epoch, augmented as data says; full batches alone, what is left sits out
    evaluation,  ///< in order and as they are, the last batch smaller where there are not enough
  };

  /// statistics: of the training data, for augmentation. Throws Error where there are fewer series than a training
  /// batch takes, or none.
  SeriesBatches(TimeSeriesFile file, const TimeSeriesDataConfig& data, const SeriesStatistics& statistics, Mode mode,
                std::int64_t batch_size, std::uint64_t seed);

  std::int64_t batches_per_epoch() const override { return sampler_.batches_per_epoch(); }
  Batch make(DataPosition position) override;

 private:
  TimeSeriesFile file_;
  TimeSeriesDataConfig data_;
  SeriesStatistics statistics_;
  Mode mode_;
  std::uint64_t seed_;
  BatchSampler sampler_;
};

}  // namespace ff::models
