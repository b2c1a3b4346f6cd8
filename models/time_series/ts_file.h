#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ff::models {

/// Values that were measured together, step after step, and what they are of.
struct TimeSeries {
  std::vector<float> values;  ///< (dimensions, steps); NaN where a value is missing
  std::int64_t steps = 0, label = 0;
};

/// A file of labelled series.
struct TimeSeriesFile {
  std::int64_t dimensions = 0;
  std::vector<std::string> classes;  ///< by label
  std::vector<TimeSeries> series;
};

/// Reads a file in the .ts format of the UEA and UCR archives of time-series classification (Bagnall et al. 2018): a
/// header of lines "@key value", among them @dimensions (or @univariate true) and @classLabel true with the names of
/// all classes, then @data and a series a line: its dimensions one after the other, each a list of numbers or "?",
/// separated by commas, and its class, all separated by colons. Lines that begin with # or hold nothing are passed
/// over. Series may differ in length, their dimensions may not. Throws Error("[load_ts] path:line: ..") where the file
/// is anything else or its header is not true of it; also of series with time stamps and for regression, which are not
/// supported. Takes memory in proportion to the file.
TimeSeriesFile load_ts(const std::string& path);

}  // namespace ff::models
