#pragma once

#include <string>
#include <vector>

#include "tools/report_run.h"

namespace ff::tools {

struct Comparison;

/// A page of its own, HTML, that shows runs beside each other: figures, curves, attention, what their models do, and
/// their settings. Runs whose settings differ in seeds alone are of one colour. comparison may be null.
std::string report_page(const std::string& title, const std::vector<RunReport>& runs, const Comparison* comparison);

}  // namespace ff::tools
