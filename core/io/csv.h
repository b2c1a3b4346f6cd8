#pragma once

#include <string>
#include <vector>

#include "ff/core/tensor.h"

namespace ff {

/// A table of numbers.
struct Table {
  std::vector<std::string> columns;  ///< their names; empty where the file has none
  Tensor values;                     ///< f64 (rows, columns)
};

/// Reads a table of numbers, a row a line, separated by commas. The first line may hold the columns' names instead,
/// bare or in double quotes (without commas in them); it does where one of its fields begins as no number does. Empty
/// lines are passed over. Throws Error("[load_csv] path:line: ..") where rows differ in length, a field is empty, is
/// text, NaN or infinite, two columns have one name, or there is no row. Takes memory in proportion to the file.
Table load_csv(const std::string& path);

}  // namespace ff
