#include "ff/models/checkpoint_folder.h"

#include <csignal>
#include <filesystem>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

Checkpoint at(std::int64_t step, std::int64_t best_step = -1) {
  Checkpoint checkpoint;
  checkpoint.state.step = step;
  checkpoint.state.best.step = best_step;
  checkpoint.model["weight"] = Tensor::from<float>({1, 2, static_cast<float>(step)});
  return checkpoint;
}

std::vector<std::int64_t> steps_of(const CheckpointFolder& folder) {
  std::vector<std::int64_t> steps;
  for (const auto& entry : folder.list()) steps.push_back(entry.step);
  return steps;
}

}  // namespace

TEST_CASE("checkpoint folder: the newest and the best are kept") {
  const TempDir temp;
  const CheckpointFolder folder(temp.path(""));
  CHECK(folder.list().empty());
  CHECK(!folder.load_newest().checkpoint);
  std::int64_t best = -1;
  for (const std::int64_t step : {10, 20, 30, 40, 50}) {
    if (step == 20) best = 20;
    folder.save(at(step, best), 2);
  }
  CHECK(steps_of(folder) == std::vector<std::int64_t>{20, 40, 50});
  CHECK(folder.list()[0].best);
  CHECK(temp.count() == 4);  // and the manifest
  CHECK(folder.load_newest().checkpoint->state.step == 50);
  folder.save(at(60, 60), 2);
  CHECK(steps_of(folder) == std::vector<std::int64_t>{50, 60});
  folder.save(at(60, 60), 2);  // a step saved twice has two files
  CHECK(steps_of(folder) == std::vector<std::int64_t>{60, 60});
  CHECK(folder.list()[0].file == "step-00000060.safetensors");
  CHECK(folder.list()[1].file == "step-00000060-2.safetensors");
  CHECK(!folder.list()[0].best);
  CHECK(folder.list()[1].best);
}

TEST_CASE("checkpoint folder: damage of every kind is told, and the one before is taken") {
  const TempDir temp;
  const CheckpointFolder folder(temp.path(""));
  folder.save(at(1), 3);
  folder.save(at(2), 3);
  const std::string file = folder.list()[1].file, whole = slurp(temp.path(file));
  auto newest_step = [&] {
    const auto newest = folder.load_newest();
    CHECK(newest.damaged.size() == (newest.checkpoint->state.step == 1 ? 1 : 0));
    return newest.checkpoint->state.step;
  };
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    std::string bad = whole;
    bad[i] ^= 4;
    temp.write(file, bad);
    CHECK(newest_step() == 1);
    temp.write(file, whole.substr(0, i));
    CHECK(newest_step() == 1);
  }
  std::filesystem::remove(temp.path(file));
  CHECK(newest_step() == 1);
  temp.write(file, whole);
  CHECK(newest_step() == 2);
  for (const auto& entry : folder.list()) temp.write(entry.file, "x");
  CHECK(contains(error_of([&] { folder.load_newest(); }), {"[checkpoint]", "no checkpoint is whole", file}));
}

TEST_CASE("checkpoint folder: a manifest that is none is refused") {
  const TempDir temp;
  const CheckpointFolder folder(temp.path(""));
  auto refusal = [&](std::string_view text) {
    temp.write("manifest.json", text);
    return error_of([&] { folder.list(); });
  };
  CHECK(contains(refusal("{"), {"[checkpoint]", "manifest.json", "damaged"}));
  CHECK(contains(refusal("[]"), {"damaged"}));
  CHECK(contains(refusal(R"({"format": "other"})"), {"not a list of checkpoints of this version"}));
  const std::string begin = R"({"format": "fourierformer checkpoints 1", "checkpoints": )";
  CHECK(contains(refusal(begin + "3}"), {"damaged"}));
  CHECK(contains(refusal(begin + R"([{"file": "step-1"}]})"), {"damaged"}));
  CHECK(contains(refusal(begin + R"([{"file": "step-/../../x", "step": 1, "bytes": 1, "crc32": 1, "best": false}]})"),
                 {"no checkpoint's name"}));
  CHECK(contains(refusal(begin + R"([{"file": "mine", "step": 1, "bytes": 1, "crc32": 1, "best": false}]})"),
                 {"no checkpoint's name"}));
  CHECK(refusal(begin + "[]}") == "(no error)");
}

TEST_CASE(
    "checkpoint folder: a disk that is full in the middle of a checkpoint leaves the one before and nothing more") {
  const TempDir temp;
  const CheckpointFolder folder(temp.path(""));
  folder.save(at(1), 1);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  // No file may be longer: the checkpoint fails at its beginning, and in the middle.
  for (const rlim_t most : {10, 500}) {
    rlimit limit = before;
    limit.rlim_cur = most;
    Checkpoint large = at(2);
    large.model["weight"] = Tensor::empty({1000}, f32);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const std::string message = error_of([&] { folder.save(large, 1); });
    REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(contains(message, {"cannot be written"}));
    CHECK(temp.count() == 2);
    CHECK(folder.load_newest().checkpoint->state.step == 1);
  }
  std::signal(SIGXFSZ, handler);
}

TEST_CASE("checkpoint folder: without a manifest the checkpoints are taken as they are") {
  const TempDir temp;
  const CheckpointFolder folder(temp.path(""));
  for (const std::int64_t step : {5, 99999999, 100000000}) folder.save(at(step), 3);
  std::filesystem::remove(temp.path("manifest.json"));
  temp.write("step-00000007.safetensors.tmp-1-1", "half");
  temp.write("step-mine.safetensors", "mine");
  CHECK(steps_of(folder) == std::vector<std::int64_t>{5, 99999999, 100000000});
  CHECK(folder.load_newest().checkpoint->state.step == 100000000);
  temp.write("step-100000000.safetensors", "damaged");
  CHECK(folder.load_newest().checkpoint->state.step == 99999999);
  folder.save(at(100000001), 3);
  CHECK(std::filesystem::exists(temp.path("manifest.json")));
  CHECK(steps_of(folder) == std::vector<std::int64_t>{99999999, 100000000, 100000001});
}

TEST_CASE("checkpoint folder: what a killed process left goes, what is listed or somebody's own stays") {
  const TempDir temp;
  const CheckpointFolder folder(temp.path(""));
  folder.save(at(1), 1);
  for (const char* name : {"step-00000002.safetensors", "step-00000002.safetensors.tmp-12-0", "manifest.json.tmp-12-1"})
    temp.write(name, "half");
  temp.write("mine", "mine");
  CHECK(folder.files().size() == 5);
  folder.clean();
  CHECK(temp.count() == 3);
  CHECK(slurp(temp.path("mine")) == "mine");
  CHECK(folder.load_newest().checkpoint->state.step == 1);
}
