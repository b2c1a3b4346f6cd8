#include "tools/report_page.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "tools/chart.h"
#include "tools/commands.h"
#include "tools/comparison.h"
#include "tools/report_sections.h"

namespace ff::tools {

extern const std::string_view report_template;  // report_page.html with its style and script, put in by the build

namespace {

bool is_seed(const std::string& path) { return path.ends_with("seed"); }

// The settings that make a run what it is, seeds apart.
std::string identity(const RunReport& run) {
  std::string text;
  for (const models::FieldInfo& field : run.settings)
    if (!is_seed(field.path)) text += field.path + "=" + field.value + "\n";
  return text;
}

// Settings that are not the same in all runs.
std::vector<std::string> differing(const std::vector<RunReport>& runs) {
  std::vector<std::string> paths;
  for (const RunReport& run : runs)
    for (const models::FieldInfo& field : run.settings) {
      const bool known = std::find(paths.begin(), paths.end(), field.path) != paths.end();
      const bool same = std::all_of(runs.begin(), runs.end(),
                                    [&](const RunReport& other) { return other.setting(field.path) == field.value; });
      if (!known && !same) paths.push_back(field.path);
    }
  return paths;
}

struct Group {
  std::string label;
  std::vector<std::size_t> runs;
};

// A name by what sets a group apart: "attention fourier".
std::string label_of(const RunReport& run, const std::vector<std::string>& paths) {
  std::string label;
  for (const std::string& path : paths) {
    std::string value = run.setting(path);
    if (is_seed(path) || value.empty()) continue;
    std::erase(value, '"');
    label += fmt::format("{}{} {}", label.empty() ? "" : ", ", spelled(path.substr(path.rfind('.') + 1)), value);
  }
  return label;
}

std::vector<Group> groups_of(const std::vector<RunReport>& runs) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto [at, added] = known.emplace(identity(runs[i]), groups.size());
    if (added) groups.emplace_back();
    groups[at->second].runs.push_back(i);
  }
  const bool seeds = groups.size() > 1 && groups.size() < runs.size();
  if (!seeds) {  // a colour each
    groups.clear();
    for (std::size_t i = 0; i < runs.size(); ++i) groups.push_back({runs[i].name, {i}});
    return groups;
  }
  const std::vector<std::string> paths = differing(runs);
  for (Group& group : groups) {
    group.label = label_of(runs[group.runs.front()], paths);
    if (group.runs.size() > 1) group.label += fmt::format(" ({} seeds)", group.runs.size());
  }
  return groups;
}

std::string legend(const std::vector<Group>& groups) {
  if (groups.size() < 2) return "";
  std::string items;
  for (std::size_t g = 0; g < groups.size(); ++g)
    items += fmt::format("<li><span class=\"key {}\"></span>{}</li>\n", colour_classes(static_cast<int>(g)),
                         escaped(groups[g].label));
  return "<ul class=\"legend\">\n" + items + "</ul>\n";
}

std::string settings_section(const std::vector<RunReport>& runs) {
  const std::vector<std::string> paths = differing(runs);
  std::string out;
  if (runs.size() > 1) {
    Table table;
    table.heading = {"setting"};
    for (const RunReport& run : runs) table.heading.push_back(run.name);
    for (const std::string& path : paths) {
      std::vector<std::string> row{path};
      for (const RunReport& run : runs) row.push_back(run.setting(path));
      table.rows.push_back(row);
    }
    out += paths.empty() ? "<p>All settings are the same.</p>\n" : "<p>What differs:</p>\n" + table.html();
  }
  for (const RunReport& run : runs) {
    Table table;
    table.text_columns = 3;
    for (const models::FieldInfo& field : run.settings) table.rows.push_back({field.path, field.value, field.help});
    out +=
        fmt::format("<details><summary>All settings of {}</summary>\n{}</details>\n", escaped(run.name), table.html());
  }
  return section("Settings", out);
}

}  // namespace

std::string report_page(const std::string& title, const std::vector<RunReport>& runs, const Comparison* comparison) {
  const std::vector<Group> groups = groups_of(runs);
  std::vector<int> colour_of(runs.size());
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const std::size_t run : groups[g].runs) colour_of[run] = static_cast<int>(g);
  const std::string body = fmt::format("<header>\n<h1>{}</h1>\n</header>\n{}<main>\n", escaped(title), legend(groups)) +
                           (comparison != nullptr ? comparison_section(*comparison) : "") + figures_section(runs) +
                           curves_section(runs, colour_of) + attention_section(runs, colour_of) + runs_section(runs) +
                           settings_section(runs) + "</main>\n";
  std::string page(report_template);
  // The body first: nothing that a title or a text says is then taken for a marker.
  for (const auto& [marker, text] : {std::pair{"{{body}}", body}, {"{{title}}", escaped(title)}})
    page.replace(page.find(marker), std::string_view(marker).size(), text);
  return page;
}

}  // namespace ff::tools
