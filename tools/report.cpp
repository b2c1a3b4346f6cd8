// fourierformer report: runs on a page to look at.

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "ff/core/io/file.h"

#include "tools/commands.h"
#include "tools/report_page.h"
#include "tools/report_run.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct Options {
  std::vector<std::string> folders;
  std::string out, title;
  ReportOptions report;
};

int run(const Options& options) {
  std::vector<RunReport> runs;
  for (const std::string& folder : options.folders) runs.push_back(read_run(folder, options.report));
  for (RunReport& one : runs)
    if (std::count_if(runs.begin(), runs.end(),
                      [&](const RunReport& other) { return last_part(other.folder) == last_part(one.folder); }) > 1)
      one.name = one.folder;
  const std::string place = !options.out.empty() ? options.out
                            : runs.size() == 1   ? runs.front().folder + "/report.html"
                                                 : "report.html";
  const std::string title = !options.title.empty() ? options.title
                            : runs.size() == 1     ? runs.front().name
                                                   : fmt::format("{} runs", runs.size());
  const std::string page = report_page(title, runs, nullptr);
  io::write_file(place, page);
  fmt::print("{}: {} run{}, {}\n", styled(STDOUT_FILENO, Style::bold, place), runs.size(), runs.size() == 1 ? "" : "s",
             byte_size(static_cast<double>(page.size())));
  for (const RunReport& one : runs)
    if (!one.problem.empty()) fmt::print("  {}: not all of it: {}\n", one.name, one_line(one.problem));
  return 0;
}

}  // namespace

Command add_report(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("report", "Show runs beside each other, as a page to look at");
  command->add_option("DIR", options->folders, "Folders of runs")->type_name("")->required();
  command
      ->add_option("--out", options->out,
                   "File to write (default: report.html, in the run's folder where there is one alone)")
      ->type_name("FILE.html");
  command->add_option("--title", options->title, "Title of the page")->type_name("TEXT");
  ReportOptions& report = options->report;
  add_samples_option(*command, report.analysis.samples);
  add_heads_option(*command, report.heads);
  command->add_option("--images", report.images, "Test images to classify")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_option("--prompt", report.prompt, "What texts go on from (default: the beginning of a held-out one)")
      ->type_name("TEXT");
  command->add_flag("!--no-model", report.model, "Leave out what needs the model and its data: attention, examples");
  add_threads_option(*command);
  command->footer(
      "Examples:\n"
      "  fourierformer report runs/fashion\n"
      "  fourierformer report runs/fourier runs/softmax --out twins.html");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
