#include "ff/models/run_folder.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/models/metrics.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff::models;
using namespace ff::test;
namespace fs = std::filesystem;

TEST_CASE("run folder: is made with all folders above it") {
  const TempDir temp;
  const RunFolder run(temp.path("a/b/run/"));
  CHECK(run.path() == temp.path("a/b/run"));
  run.check_free(false);
  CHECK(temp.count() == 0);  // nothing is touched before
  const auto made = run.create("{}\n", false);
  CHECK(slurp(run.config()) == "{}\n");
  CHECK(fs::is_directory(temp.path("a/b/run/checkpoint")));
  run.write_summary({{"steps", 3}});
  CHECK(run.read_summary()["steps"] == 3);
}

TEST_CASE("run folder: stays where a model was saved in it, else goes again") {
  const TempDir temp;
  const RunFolder run(temp.path("a/run"));
  {
    const auto made = run.create("{}\n", false);
    temp.write("a/run/metrics.jsonl", "{}\n");
  }
  CHECK(temp.count() == 0);
  fs::create_directory(temp.path("a"));
  { const auto made = run.create("{}\n", false); }
  CHECK(fs::is_empty(temp.path("a")));
  fs::create_directory(temp.path("a/run"));
  temp.write("a/run/notes.txt", "notes");
  { const auto made = run.create("{}\n", false); }
  CHECK(temp.count() == 1);
  CHECK(slurp(temp.path("a/run/notes.txt")) == "notes");
  {
    const auto made = run.create("{}\n", false);
    temp.write("a/run/model.safetensors", "weights");
  }
  CHECK(slurp(run.config()) == "{}\n");
  CHECK(slurp(run.model()) == "weights");
}

TEST_CASE("run folder: goes again without another run that has begun beside it") {
  const TempDir temp;
  const RunFolder other(temp.path("runs/b"));
  std::unique_ptr<NewRun> theirs;
  {
    const RunFolder run(temp.path("runs/a"));
    const auto made = run.create("{}\n", false);
    theirs = other.create("{}\n", false);
    temp.write("runs/a/config.json.tmp-1-2", "a part");
  }
  CHECK(!fs::exists(temp.path("runs/a")));
  CHECK(slurp(other.config()) == "{}\n");
  theirs.reset();
  CHECK(fs::is_empty(temp.path("runs")));  // which was there when that run was made
}

TEST_CASE("run folder: a run that is being trained is not overwritten") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  const auto made = run.create("old\n", false);
  temp.write("run/model.safetensors", "weights");
  {
    MetricsLog log(run.metrics());
    log.write({{"step", 1}});
    CHECK(contains(error_of([&] { (void)run.create("new\n", true); }), {"[run]", run.metrics(), "another process"}));
    CHECK(slurp(run.model()) == "weights");
    CHECK(slurp(run.metrics()) == "{\"step\":1}\n");
  }
  const auto again = run.create("new\n", true);
  CHECK(slurp(run.config()) == "new\n");
}

TEST_CASE("run folder: a run is not overwritten unasked, and then nothing but the run") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  const auto made = run.create("old\n", false);
  temp.write("run/model.safetensors", "weights");
  temp.write("run/checkpoint/manifest.json", "{}");
  temp.write("run/checkpoint/step-00000001.safetensors", "state");
  temp.write("run/checkpoint/mine", "mine");
  temp.write("run/notes.txt", "notes");
  CHECK(contains(error_of([&] { run.check_free(false); }), {"[run]", run.path(), "holds a run", "--overwrite"}));
  CHECK(contains(error_of([&] { (void)run.create("new\n", false); }), {"holds a run"}));
  CHECK(slurp(run.config()) == "old\n");
  const auto made_again = run.create("new\n", true);
  CHECK(slurp(run.config()) == "new\n");
  CHECK(!fs::exists(run.model()));
  CHECK(!fs::exists(temp.path("run/checkpoint/manifest.json")));
  CHECK(!fs::exists(temp.path("run/checkpoint/step-00000001.safetensors")));
  CHECK(slurp(temp.path("run/notes.txt")) == "notes");
  CHECK(slurp(temp.path("run/checkpoint/mine")) == "mine");
}

TEST_CASE("run folder: event files belong to the run") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  fs::create_directory(run.path());
  const std::string first = temp.write("run/events.out.tfevents.1", "events");
  const std::string second = temp.write("run/events.out.tfevents.2.x", "events");
  temp.write("run/events.mine", "events");
  CHECK(contains(error_of([&] { run.check_free(false); }), {"[run]", "holds a run"}));
  { const auto made = run.create("{}\n", true); }
  CHECK(!fs::exists(first));
  CHECK(!fs::exists(second));
  CHECK(slurp(temp.path("run/events.mine")) == "events");
}

TEST_CASE("run folder: what a killed process has left of any file goes") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  const auto made = run.create("{}\n", false);
  for (const char* file :
       {"config.json", "summary.json", "model.safetensors", "encoder.json", "vocab.bpe", "analysis.json"})
    temp.write(std::string("run/") + file + ".tmp-1-2", "a part");
  temp.write("run/notes.txt.tmp-1-2", "notes");
  run.clean();
  const auto left = std::distance(fs::directory_iterator(run.path()), fs::directory_iterator());
  CHECK(left == 3);  // the configuration, checkpoint/ and the notes
  CHECK(fs::exists(temp.path("run/notes.txt.tmp-1-2")));
}

TEST_CASE("run folder: what cannot be made leaves nothing behind") {
  const TempDir temp;
  temp.write("file", "text");
  auto create = [](const std::string& path) { (void)RunFolder(path).create("{}", true); };
  CHECK(contains(error_of([&] { RunFolder(temp.path("file")).check_free(true); }), {"[run]", "file", "no folder"}));
  CHECK(contains(error_of([&] { create(temp.path("file/run")); }), {"[run]", "file/run"}));
  CHECK(contains(error_of([&] { create("/proc/none/run"); }), {"[run]", "/proc/none/run"}));
  fs::create_symlink(temp.path("nowhere/else"), temp.path("link"));
  CHECK(error_of([&] { create(temp.path("link")); }) != "(no error)");
  CHECK(fs::is_symlink(temp.path("link")));
  // A folder stands where the configuration should go.
  fs::create_directories(temp.path("taken/config.json/x"));
  CHECK(error_of([&] { create(temp.path("taken")); }) != "(no error)");
  CHECK(!fs::exists(temp.path("taken/checkpoint")));
  CHECK(error_of([] { RunFolder(""); }) == "[run] the name of the folder is empty");
}

TEST_CASE("run folder: is complete with a configuration and a model") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  CHECK(error_of([&] { run.check_complete(); }) == "[run] " + run.path() + ": no such folder");
  const auto made = run.create("{}", false);
  CHECK(contains(error_of([&] { run.check_complete(); }), {run.path(), "model.safetensors is missing"}));
  run.check_begun();
  temp.write("run/model.safetensors", "weights");
  run.check_complete();
  CHECK(contains(error_of([&] { run.with_best_model().check_complete(); }), {"model-best.safetensors is missing"}));
  temp.write("run/summary.json", "{");
  CHECK(contains(error_of([&] { run.read_summary(); }), {"[run]", "summary.json", "not JSON"}));
  temp.write("run/summary.json", "[1]");
  CHECK(contains(error_of([&] { run.read_summary(); }), {"[run]", "summary.json", "not a JSON object"}));
}
