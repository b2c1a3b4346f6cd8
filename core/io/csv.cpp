#include "ff/core/io/csv.h"

#include <algorithm>
#include <cmath>

#include "ff/core/check.h"
#include "ff/core/io/lines.h"

namespace ff {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  const auto count = std::count(line.begin(), line.end(), ',') + 1;
  for (std::ptrdiff_t i = 0; i < count; ++i) fields.push_back(io::trimmed(io::cut_field(line, ',')));
  return fields;
}

std::vector<std::string> names_of(const std::vector<std::string_view>& fields, const io::LineReader& lines) {
  std::vector<std::string> names;
  for (std::string_view field : fields) {
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    if (field.empty()) lines.fail(fmt::format("column {} has no name", names.size() + 1));
    names.emplace_back(field);
  }
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) lines.fail(fmt::format("two columns are called \"{}\"", io::excerpt(*twice)));
  return names;
}

// Whether a field of the first line is no number, and not meant to be one, as 1e400 and 1.2.3 are.
bool is_name(std::string_view field) {
  return !field.empty() && !io::parse_number(field) &&
         std::string_view("+-.0123456789").find(field.front()) == field.npos;
}

}  // namespace

Table load_csv(const std::string& path) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  io::LineReader lines(path, "load_csv");
  Table table;
  std::vector<double> values;
  std::size_t columns = 0;
  while (auto line = lines.next()) {
    if (lines.number() == 1 && line->starts_with(byte_order_mark)) line->remove_prefix(byte_order_mark.size());
    if (io::trimmed(*line).empty()) continue;
    const std::vector<std::string_view> fields = fields_of(*line);
    const bool first = columns == 0;
    if (first) columns = fields.size();
    if (first && std::any_of(fields.begin(), fields.end(), is_name)) {
      table.columns = names_of(fields, lines);
      continue;
    }
    if (fields.size() != columns)
      lines.fail(fmt::format("{} fields, but the first line has {}", fields.size(), columns));
    for (const std::string_view field : fields) {
      const auto number = io::parse_number(field);
      if (!number || !std::isfinite(*number))
        lines.fail(fmt::format("column {} must be a finite number, got \"{}\"", values.size() % columns + 1,
                               io::excerpt(field)));
      values.push_back(*number);
    }
  }
  if (values.empty()) lines.fail("no row of numbers");
  const auto width = static_cast<std::int64_t>(columns);
  table.values = Tensor::from(values, {static_cast<std::int64_t>(values.size()) / width, width});
  return table;
}

}  // namespace ff
