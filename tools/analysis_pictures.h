#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ff/models/analysis.h"

#include "tools/chart.h"

/// What an analysis of attention looks like.
namespace ff::tools {

/// A head of a layer, both counted from 0.
struct HeadChoice {
  std::size_t layer = 0, head = 0;
};

/// The heads that "0.1,3.2" names (layer.head); where text is empty, up to four heads of up to four layers, from the
/// first to the last. Throws UsageError where there is no such head.
std::vector<HeadChoice> choose_heads(const models::Analysis& analysis, const std::string& text);

/// The weights of heads of the sample that is shown, an <svg>: of images what the class token sees (without one: what
/// all patches see), of texts which token (down) sees which (across). picture: a data: URI of the image; may be empty.
std::string maps_svg(const models::Analysis& analysis, const std::vector<HeadChoice>& heads,
                     const std::string& picture);

/// An analysis in charts together with others'.
struct AnalysisCurve {
  std::string name;
  int colour = 0;
  const models::Analysis* analysis = nullptr;
};

/// Charts by layer, each with a name for a file: head_distance, entropy, attention_distance, effective_rank and, where
/// somebody has it, radius. Dots are single heads, where there is one analysis alone.
std::vector<std::pair<std::string, Chart>> analysis_charts(const std::vector<AnalysisCurve>& curves);

}  // namespace ff::tools
