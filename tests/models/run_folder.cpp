#include "ff/models/run_folder.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

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
  run.create("{}\n", false);
  CHECK(slurp(run.config()) == "{}\n");
  CHECK(fs::is_directory(temp.path("a/b/run/checkpoint")));
  run.write_summary({{"steps", 3}});
  CHECK(run.read_summary()["steps"] == 3);
}

TEST_CASE("run folder: a run is not overwritten unasked, and then nothing but the run") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  run.create("old\n", false);
  temp.write("run/model.safetensors", "weights");
  temp.write("run/checkpoint/state.safetensors", "state");
  temp.write("run/checkpoint/mine", "mine");
  temp.write("run/notes.txt", "notes");
  CHECK(contains(error_of([&] { run.check_free(false); }), {"[run]", run.path(), "holds a run", "--overwrite"}));
  CHECK(contains(error_of([&] { run.create("new\n", false); }), {"holds a run"}));
  CHECK(slurp(run.config()) == "old\n");
  run.create("new\n", true);
  CHECK(slurp(run.config()) == "new\n");
  CHECK(!fs::exists(run.model()));
  CHECK(!fs::exists(run.checkpoint()));
  CHECK(slurp(temp.path("run/notes.txt")) == "notes");
  CHECK(slurp(temp.path("run/checkpoint/mine")) == "mine");
}

TEST_CASE("run folder: a folder without a run in it is taken") {
  const TempDir temp;
  fs::create_directory(temp.path("run"));
  temp.write("run/notes.txt", "notes");
  RunFolder(temp.path("run")).create("{}\n", false);
  CHECK(slurp(temp.path("run/notes.txt")) == "notes");
}

TEST_CASE("run folder: what cannot be made leaves nothing behind") {
  const TempDir temp;
  temp.write("file", "text");
  CHECK(contains(error_of([&] { RunFolder(temp.path("file")).check_free(true); }), {"[run]", "file", "no folder"}));
  CHECK(contains(error_of([&] { RunFolder(temp.path("file/run")).create("{}", false); }), {"[run]", "file/run"}));
  CHECK(contains(error_of([] { RunFolder("/proc/none/run").create("{}", false); }), {"[run]", "/proc/none/run"}));
  // A folder stands where the configuration should go: what was made on the way goes again.
  fs::create_directories(temp.path("taken/config.json/x"));
  CHECK(error_of([&] { RunFolder(temp.path("taken")).create("{}", true); }) != "(no error)");
  CHECK(!fs::exists(temp.path("taken/checkpoint")));
  CHECK(error_of([] { RunFolder(""); }) == "[run] the name of the folder is empty");
}

TEST_CASE("run folder: is complete with a configuration and a model") {
  const TempDir temp;
  const RunFolder run(temp.path("run"));
  CHECK(error_of([&] { run.check_complete(); }) == "[run] " + run.path() + ": no such folder");
  run.create("{}", false);
  CHECK(contains(error_of([&] { run.check_complete(); }), {run.path(), "model.safetensors is missing"}));
  temp.write("run/model.safetensors", "weights");
  run.check_complete();
  temp.write("run/summary.json", "{");
  CHECK(contains(error_of([&] { run.read_summary(); }), {"[run]", "summary.json", "not JSON"}));
}
