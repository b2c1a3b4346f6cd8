#pragma once

#include <string>
#include <vector>

#include "tools/comparison.h"
#include "tools/report_run.h"

/// The parts of a report's page, HTML; empty where there is nothing to show.
namespace ff::tools {

/// A table of texts, which html() escapes.
struct Table {
  std::vector<std::string> heading;
  std::vector<std::vector<std::string>> rows;
  std::size_t text_columns = 1;  ///< the first ones are words; others are numbers, flush right

  std::string html() const;
};

/// content under a heading; empty where content is.
std::string section(const std::string& heading, const std::string& content);

std::string comparison_section(const Comparison& comparison);
/// The figures that runs ended with.
std::string figures_section(const std::vector<RunReport>& runs);
/// What was measured on the way; colours: of each run.
std::string curves_section(const std::vector<RunReport>& runs, const std::vector<int>& colour_of);
/// Figures of attention, by layer.
std::string attention_section(const std::vector<RunReport>& runs, const std::vector<int>& colour_of);
/// Of each run: attention maps, images and what they were taken for, texts.
std::string runs_section(const std::vector<RunReport>& runs);

}  // namespace ff::tools
