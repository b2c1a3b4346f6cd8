#include "tools/report_sections.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tools/chart.h"
#include "tools/commands.h"

namespace ff::tools {
namespace {

constexpr std::int64_t most_matrix_classes = 20;
constexpr std::size_t most_confused = 6;

std::string charts_html(const std::vector<Chart>& charts) {
  std::string out;
  for (const Chart& chart : charts) out += "<figure>" + chart_svg(chart) + "</figure>\n";
  return out.empty() ? "" : "<div class=\"charts\">\n" + out + "</div>\n";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// Of all runs, names of curves in the order that they first come in.
std::vector<std::string> curve_names(const std::vector<RunReport>& runs) {
  std::vector<std::string> names;
  for (const RunReport& run : runs)
    for (const models::MetricsCurve& curve : run.curves)
      if (std::find(names.begin(), names.end(), curve.name) == names.end()) names.push_back(curve.name);
  return names;
}

// Places where a page has them: losses together, what was evaluated, the rest of training; else not at all.
int rank_of(const std::string& name) {
  for (const char* left_out : {"epoch", "seconds", "left_out"})
    if (name == left_out) return -1;
  if (contains(name, "loss")) return 0;
  return name == "lr" ? 2 : name == "grad_norm" ? 3 : name == "items_per_second" ? 4 : 1;
}

std::string chart_title(const std::string& name) {
  return name == "lr" ? "learning rate" : name == "grad_norm" ? "norm of the gradient" : spelled(name);
}

void add_curves(const std::string& name, Curve::Kind kind, const std::vector<RunReport>& runs,
                const std::vector<int>& colour_of, Chart& chart) {
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (const models::MetricsCurve& curve : runs[i].curves) {
      if (curve.name != name || curve.points.size() < 2) continue;
      const std::string label = chart_title(name);
      chart.curves.push_back({.name = runs.size() > 1 ? runs[i].name + ", " + label : label,
                              .points = curve.points,
                              .colour = colour_of[i],
                              .kind = kind});
    }
}

std::string confusion_html(const Classification& found) {
  if (found.classes > most_matrix_classes) return "";
  std::string head, rows;
  for (std::int64_t c = 0; c < found.classes; ++c)
    head += fmt::format("<th scope=\"col\">{}</th>", escaped(found.name(c)));
  for (std::int64_t label = 0; label < found.classes; ++label) {
    std::int64_t total = 0;
    for (std::int64_t c = 0; c < found.classes; ++c) total += found.count(label, c);
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(found.name(label)));
    for (std::int64_t c = 0; c < found.classes; ++c) {
      const std::int64_t count = found.count(label, c);
      const double share = total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
      rows += fmt::format("<td style=\"--share:{:.3f}\"{} title=\"{} of {} of class {} taken for {}\">{}</td>", share,
                          share > 0.5 ? " class=\"full\"" : "", count, total, escaped(found.name(label)),
                          escaped(found.name(c)), count > 0 ? fmt::to_string(count) : "");
    }
    rows += "</tr>\n";
  }
  return fmt::format(
      "<div><h4>Confusion</h4>\n<p class=\"muted\">Classes of images (down), and what they were taken for "
      "(across).</p>\n"
      "<div class=\"scroll\"><table class=\"confusion{}\">\n<tr><th></th>{}</tr>\n{}</table></div></div>\n",
      found.names.empty() ? "" : " named", head, rows);
}

std::string confused_html(const Classification& found) {
  struct Pair {
    std::int64_t label, taken, count;
  };
  std::vector<Pair> pairs;
  for (std::int64_t label = 0; label < found.classes; ++label)
    for (std::int64_t c = 0; c < found.classes; ++c)
      if (c != label && found.count(label, c) > 0) pairs.push_back({label, c, found.count(label, c)});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  std::string items;
  for (std::size_t i = 0; i < std::min(pairs.size(), most_confused); ++i)
    items += fmt::format("<li>class {} taken for {}: {} times</li>\n", escaped(found.name(pairs[i].label)),
                         escaped(found.name(pairs[i].taken)), pairs[i].count);
  return items.empty() ? "" : "<div><h4>Most confused</h4>\n<ol>\n" + items + "</ol></div>\n";
}

std::string classification_html(const Classification& found) {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < found.classes; ++c) right += found.count(c, c);
  std::string tiles;
  for (const ExampleImage& image : found.examples) {
    const bool ok = image.label == image.predicted;
    const std::string label = escaped(found.name(image.label)), predicted = escaped(found.name(image.predicted));
    tiles += fmt::format(
        "<figure class=\"{}\"><img src=\"{}\" alt=\"a test image of class {}\" width=\"72\" height=\"72\">"
        "<figcaption>{} {}<br><small>{:.0f} %{}</small></figcaption></figure>\n",
        ok ? "right" : "wrong", image.picture, label, ok ? "✓" : "✗", predicted, 100 * image.probability,
        ok ? "" : fmt::format("; is {}", label));
  }
  return fmt::format(
             "<h3>Images</h3>\n<p>{} of the first {} test images are classified rightly. Below: the first ones, and "
             "those "
             "that the model is most wrong about, with the probability that it gives to its answer.</p>\n"
             "<div class=\"images\">\n{}</div>\n<div class=\"beside\">\n",
             right, found.images, tiles) +
         confusion_html(found) + confused_html(found) + "</div>\n";
}

std::string maps_html(const RunReport& run) {
  if (run.maps.empty()) return "";
  const models::Analysis& analysis = *run.analysis;
  const char* what = !analysis.patches ? "Which token (down) sees which (across); the first token is at the top left."
                     : analysis.prefix > 0 ? "Which patches of the image the class token sees."
                                           : "Which patches of the image all patches see.";
  return fmt::format("<h3>Attention maps</h3>\n<p>{} Bright is much; colours go by the root of the weight.</p>\n{}",
                     what, run.maps);
}

std::string texts_html(const RunReport& run) {
  std::string out;
  for (const TextSample& sample : run.texts)
    out += fmt::format("<blockquote><span class=\"prompt\">{}</span>{}</blockquote>\n", escaped(sample.prompt),
                       escaped(sample.text));
  return out.empty()
             ? ""
             : "<h3>Texts</h3>\n<p>Written on from the grey beginning, at temperatures 0.5 and 0.8.</p>\n" + out;
}

}  // namespace

std::string Table::html() const {
  std::string out = "<div class=\"scroll\"><table>\n";
  auto attribute = [this](std::size_t column) { return column < text_columns ? "" : " class=\"number\""; };
  if (!heading.empty()) {
    out += "<thead><tr>";
    for (std::size_t i = 0; i < heading.size(); ++i)
      out += fmt::format("<th scope=\"col\"{}>{}</th>", attribute(i), escaped(heading[i]));
    out += "</tr></thead>\n";
  }
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", escaped(row[i]))
                    : fmt::format("<td{}>{}</td>", attribute(i), escaped(row[i]));
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string section(const std::string& heading, const std::string& content) {
  return content.empty() ? "" : fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escaped(heading), content);
}

std::string comparison_section(const Comparison& comparison) {
  Table table;
  table.heading = {"figure"};
  for (const std::string& variant : comparison.variants) table.heading.push_back(variant);
  for (std::size_t v = 1; v < comparison.variants.size(); ++v)
    table.heading.push_back(fmt::format("{} - {}", comparison.variants[v], comparison.variants[0]));
  for (const Comparison::Metric& metric : comparison.metrics) {
    std::vector<std::string> row{figure_name(metric.name)};
    for (std::size_t v = 0; v < comparison.variants.size(); ++v)
      row.push_back(spread_text(metric.name, metric.spread(v)));
    for (std::size_t v = 1; v < comparison.variants.size(); ++v)
      row.push_back(difference_text(metric.name, metric.difference(v)));
    table.rows.push_back(row);
  }
  return section("Comparison", table.html() + "<p class=\"muted\">" + escaped(caution(comparison)) + "</p>\n");
}

std::string figures_section(const std::vector<RunReport>& runs) {
  std::vector<std::string> names;
  for (const RunReport& run : runs)
    for (const auto& [name, value] : run.summary.items())
      if (value.is_number() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  Table table;
  table.heading = {"figure"};
  for (const RunReport& run : runs) table.heading.push_back(run.name);
  auto add = [&](const std::string& label, const auto& text_of) {
    std::vector<std::string> row{label};
    for (const RunReport& run : runs) row.push_back(text_of(run));
    table.rows.push_back(row);
  };
  for (const std::string& name : names)
    add(figure_name(name), [&](const RunReport& run) {
      const auto value = run.summary.find(name);
      return value != run.summary.end() && value->is_number() ? figure_text(name, value->template get<double>(), 5)
                                                              : std::string("–");
    });
  if (std::any_of(runs.begin(), runs.end(), [](const RunReport& run) { return run.analysis.has_value(); }))
    add("distance between heads", [](const RunReport& run) {
      return run.analysis ? figure_text("head_distance", run.analysis->head_distance(), 4) : std::string("–");
    });
  std::string notes;
  for (const RunReport& run : runs) {
    const auto finished = run.summary.find("finished");
    if (finished == run.summary.end() || !finished->is_boolean() || !finished->template get<bool>())
      notes += fmt::format("<p class=\"note\">{} is not finished.</p>\n", escaped(run.name));
  }
  return section("Figures", (table.rows.empty() ? "" : table.html()) + notes);
}

std::string curves_section(const std::vector<RunReport>& runs, const std::vector<int>& colour_of) {
  std::vector<std::string> names = curve_names(runs);
  std::erase_if(names, [](const std::string& name) { return rank_of(name) < 0; });
  std::stable_sort(names.begin(), names.end(), [](auto& a, auto& b) { return rank_of(a) < rank_of(b); });
  std::vector<Chart> charts;
  Chart losses{
      .title = "loss; thin: in training", .x_label = "step", .logarithmic = false, .whole_x = false, .curves = {}};
  for (const std::string& name : names)
    if (rank_of(name) == 0)
      add_curves(name, name == "loss" ? Curve::Kind::faint : Curve::Kind::line, runs, colour_of, losses);
  charts.push_back(losses);
  for (const std::string& name : names) {
    if (rank_of(name) == 0) continue;
    const bool logarithmic = contains(name, "perplexity") || name == "grad_norm";
    Chart chart{
        .title = chart_title(name), .x_label = "step", .logarithmic = logarithmic, .whole_x = false, .curves = {}};
    add_curves(name, rank_of(name) > 2 ? Curve::Kind::faint : Curve::Kind::line, runs, colour_of, chart);
    charts.push_back(chart);
  }
  std::erase_if(charts, [](const Chart& chart) { return chart.empty(); });
  return section("Training", charts_html(charts));
}

std::string attention_section(const std::vector<RunReport>& runs, const std::vector<int>& colour_of) {
  std::vector<AnalysisCurve> curves;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (runs[i].analysis)
      curves.push_back({.name = runs[i].name, .colour = colour_of[i], .analysis = &*runs[i].analysis});
  if (curves.empty()) return "";
  std::vector<Chart> charts;
  for (auto& [name, chart] : analysis_charts(curves)) charts.push_back(chart);
  return section("Attention",
                 fmt::format("<p>On {} held-out samples, by layer{}. Heads that are far apart repeat each other "
                             "little.</p>\n",
                             curves.front().analysis->samples,
                             curves.size() == 1 ? "; dots are single heads, or single values of R" : "") +
                     charts_html(charts));
}

std::string runs_section(const std::vector<RunReport>& runs) {
  std::string out;
  for (const RunReport& run : runs) {
    std::string content = maps_html(run);
    if (run.classification) content += classification_html(*run.classification);
    content += texts_html(run);
    if (!run.problem.empty()) content += fmt::format("<p class=\"note\">{}</p>\n", escaped(run.problem));
    if (content.empty()) continue;
    out += runs.size() == 1 ? content
                            : fmt::format("<details{}><summary>{}</summary>\n{}</details>\n",
                                          out.empty() ? " open" : "", escaped(run.name), content);
  }
  return section(runs.size() == 1 ? "The model" : "The models", out);
}

}  // namespace ff::tools
