#include "ff/models/config.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/models/run_config.h"

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff::models;
using namespace ff::test;

namespace {

enum class Shape { round, square };

struct Oven {
  double heat = 180;
  bool fan = false;
  void visit(Fields& f) {
    f.number("heat", heat, {.max = 300, .above = 0}, "degrees");
    f.flag("fan", fan, "whether air is moved");
  }
};

struct Cake {
  std::int64_t layers = 2, number = 0;
  std::string filling = "jam";
  Shape shape = Shape::round;
  std::vector<double> spread{0.5, 0.25};
  Oven oven;

  void visit(Fields& f) {
    f.integer("layers", layers, {.min = 1, .max = 8}, "how many");
    f.integer("number", number, {}, "any");
    f.text("filling", filling, "between them");
    f.choice<Shape>("shape", shape, {{"round", Shape::round}, {"square", Shape::square}}, "seen from above");
    f.numbers("spread", spread, {.min = 0, .below = 1}, 1, 3, "shares");
    f.section("oven", oven, "where it is baked");
    f.require(layers < 6 || oven.heat > 150, "oven.heat", "a high cake needs more than 150");
  }
};

Cake read(std::string_view json, const Overrides& overrides = {}) {
  Cake cake;
  read_config([&](Fields& f) { cake.visit(f); }, json, "cake.json", overrides);
  return cake;
}

std::string error(std::string_view json, const Overrides& overrides = {}) {
  const std::string message = error_of([&] { read(json, overrides); });
  CHECK_MESSAGE(contains(message, {"[config] "}), message);
  return message;
}

std::string run_error(std::string_view json, const Overrides& overrides = {}) {
  RunConfig config;
  return error_of([&] { read_config([&](Fields& f) { config.visit(f); }, json, "run.json", overrides); });
}

}  // namespace

TEST_CASE("config: values are read, what is left out stays at its default") {
  const Cake cake = read(R"({"layers": 3, "oven": {"fan": true}, "shape": "square", "spread": [0.1]})");
  CHECK(cake.layers == 3);
  CHECK(cake.filling == "jam");
  CHECK(cake.shape == Shape::square);
  CHECK(cake.spread == std::vector<double>{0.1});
  CHECK(cake.oven.heat == 180);
  CHECK(cake.oven.fan);
  CHECK(read("{}").layers == 2);
  CHECK(read(R"({"layers": 3.0, "number": 1e5, "spread": 0.75})").number == 100000);
  CHECK(read(R"({"number": -9223372036854775808})").number == INT64_MIN);
  CHECK(read(R"({"oven": {"heat": 200}})").oven.heat == 200);
}

TEST_CASE("config: what is written is complete and reads back the same") {
  Cake cake = read(R"({"number": 9223372036854775807, "filling": "c\u00e9r\"ise", "oven": {"heat": 0.1}})");
  const Visit visit = [&](Fields& f) { cake.visit(f); };
  const std::string text = config_text(visit);
  CHECK(nlohmann::ordered_json::parse(text).dump() ==
        "{\"layers\":2,\"number\":9223372036854775807,\"filling\":\"c\xc3\xa9r\\\"ise\",\"shape\":\"round\","
        "\"spread\":[0.5,0.25],\"oven\":{\"heat\":0.1,\"fan\":false}}");
  Cake again = read(text);
  CHECK(config_text([&](Fields& f) { again.visit(f); }) == text);
}

TEST_CASE("config: every field is listed with its type, default and help") {
  Cake cake;
  const auto fields = config_fields([&](Fields& f) { cake.visit(f); });
  REQUIRE(fields.size() == 7);
  CHECK(fields[0].path == "layers");
  CHECK(fields[0].type == "an integer from 1 to 8");
  CHECK(fields[0].value == "2");
  CHECK(fields[0].help == "how many");
  CHECK(fields[1].type == "an integer");
  CHECK(fields[3].type == "one of \"round\", \"square\"");
  CHECK(fields[3].value == "\"round\"");
  CHECK(fields[4].type == "a list of 1 to 3 numbers of at least 0 and below 1");
  CHECK(fields[5].path == "oven.heat");
  CHECK(fields[5].type == "a number above 0 and at most 300");
}

TEST_CASE("config: overrides go before the file, as JSON or as text") {
  const Cake cake = read(R"({"layers": 3, "oven": {"fan": true}})",
                         {"layers=4", "oven.heat=2e2", "filling=5", "spread=[0.5]", "shape=square", "layers=5"});
  CHECK(cake.layers == 5);
  CHECK(cake.oven.heat == 200);
  CHECK(cake.oven.fan);
  CHECK(cake.filling == "5");
  CHECK(cake.spread == std::vector<double>{0.5});
  CHECK(cake.shape == Shape::square);
  CHECK(read("{}", {"filling=a=b"}).filling == "a=b");
  CHECK(read("{}", {"filling=\"quoted\""}).filling == "quoted");
  CHECK(read("{}", {"filling="}).filling.empty());
  CHECK(read("{}", {"oven={\"heat\": 7}"}).oven.heat == 7);
  for (const char* bad : {"layers", "=3", ".layers=3", "oven.=3", "oven..heat=3"})
    CHECK(contains(error("{}", {bad}), {"--set", bad, "expected section.key=value"}));
  CHECK(contains(error("{}", {"filling=\xff"}), {"not UTF-8"}));
}

TEST_CASE("config: a wrong type is named with its place") {
  CHECK(error(R"({"oven": {"heat": "hot"}})") == "[config] cake.json: oven.heat: expected a number, got \"hot\"");
  CHECK(error("{}", {"oven.heat=hot"}) == "[config] --set oven.heat=hot: oven.heat: expected a number, got \"hot\"");
  CHECK(error("{}", {"oven={\"heat\": true}"}) ==
        "[config] --set oven={\"heat\": true}: oven.heat: expected a number, got true");
  CHECK(contains(error(R"({"layers": 2.5})"), {"layers: expected an integer, got 2.5"}));
  CHECK(
      contains(error(R"({"number": 9223372036854775808})"), {"number: expected an integer, got 9223372036854775808"}));
  CHECK(contains(error(R"({"number": 1e300})"), {"number: expected an integer"}));
  CHECK(contains(error(R"({"layers": null})"), {"expected an integer, got null"}));
  CHECK(contains(error(R"({"oven": 3})"), {"oven: expected a section, {...}, got 3"}));
  CHECK(contains(error("{}", {"layers.x=3"}), {"layers: expected an integer, got an object"}));
  CHECK(contains(error(R"({"oven": {"fan": 1}})"), {"oven.fan: expected true or false, got 1"}));
  CHECK(contains(error(R"({"filling": 3})"), {"filling: expected text, got 3"}));
  CHECK(contains(error(R"({"spread": "all"})"),
                 {"spread: expected a list of 1 to 3 numbers of at least 0 and below 1, got \"all\""}));
  CHECK(contains(error(R"({"spread": [0.5, "a"]})"), {"got [0.5,\"a\"]"}));
  CHECK(contains(error(R"({"filling": [")" + std::string(1000, 'x') + "\"]}"), {"xxx..."}));
}

TEST_CASE("config: an impossible value is named with what is possible") {
  CHECK(error(R"({"layers": 0})") == "[config] cake.json: layers: expected an integer from 1 to 8, got 0");
  CHECK(contains(error(R"({"oven": {"heat": 0}})"), {"oven.heat: expected a number above 0 and at most 300, got 0"}));
  CHECK(contains(error(R"({"oven": {"heat": 301}})"), {"got 301"}));
  CHECK(contains(error(R"({"shape": "oval"})"), {"shape: expected one of \"round\", \"square\", got \"oval\""}));
  CHECK(contains(error(R"({"shape": 1})"), {"shape: expected one of \"round\", \"square\", got 1"}));
  CHECK(contains(error(R"({"spread": []})"), {"got []"}));
  CHECK(contains(error(R"({"spread": [0, 0, 0, 0]})"), {"spread"}));
  CHECK(contains(error(R"({"spread": [1]})"), {"below 1"}));
  CHECK(error(R"({"layers": 6, "oven": {"heat": 100}})") ==
        "[config] cake.json: oven.heat: a high cake needs more than 150");
  CHECK(contains(error(R"({"layers": 6})", {"oven.heat=100"}), {"--set oven.heat=100: oven.heat: a high cake"}));
}

TEST_CASE("config: an unknown key is named with the nearest right one") {
  CHECK(error(R"({"layer": 3})") == "[config] cake.json: layer: unknown key; did you mean layers?");
  CHECK(error(R"({"oven": {"haet": 3}})") == "[config] cake.json: oven.haet: unknown key; did you mean oven.heat?");
  CHECK(error("{}", {"heat=3"}) == "[config] --set heat=3: heat: unknown key; did you mean oven.heat?");
  CHECK(error(R"({"oven": {"temperature": 3}})") ==
        "[config] cake.json: oven.temperature: unknown key; the keys here are heat, fan");
  CHECK(contains(error(R"({"ofen": {"heat": 3}})"), {"ofen: unknown key; did you mean oven?"}));
  // It is told first, since it may be the cause of a conflict.
  CHECK(contains(error(R"({"layers": 6, "oven": {"heat": 100, "fann": true}})"), {"oven.fann: unknown key"}));
}

TEST_CASE("config: what is not a JSON object is refused") {
  CHECK(contains(error("{\"layers\": 3,\n \"oven\" 3}"), {"cake.json: not JSON", "line 2"}));
  CHECK(contains(error(""), {"not JSON"}));
  CHECK(contains(error("{} {}"), {"not JSON"}));
  CHECK(contains(error(R"({"layers": 1e999})"), {"not JSON"}));
  CHECK(contains(error("[1, 2]"), {"expected a JSON object, {...}, got [1,2]"}));
  CHECK(contains(error(R"({"layers": 3, "layers": 4})"), {"key \"layers\" comes twice"}));
  CHECK(contains(error(R"({"oven": {"fan": true, "fan": true}})"), {"key \"fan\" comes twice"}));
  CHECK(contains(error("{\"layers\": " + std::string(100000, '[')), {"nested"}));

  const TempDir dir;
  Cake cake;
  const Visit visit = [&](Fields& f) { cake.visit(f); };
  const std::string path = dir.write("cake.json", R"({"layers": "two"})");
  CHECK(contains(error_of([&] { read_config_file(visit, path); }), {path, "layers: expected an integer, got \"two\""}));
  CHECK(contains(error_of([&] { read_config_file(visit, dir.path("none")); }), {"none", "cannot be opened"}));
  const std::string large = dir.write("large", std::string((1 << 20) + 1, ' '));
  CHECK(contains(error_of([&] { read_config_file(visit, large); }), {large, "1048576"}));
}

TEST_CASE("config: a damaged file is refused or read, nothing else") {
  Cake cake;
  const std::string good = config_text([&](Fields& f) { cake.visit(f); });
  int refused = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    CAPTURE(i);
    REQUIRE_NOTHROW(refused += error_of([&] { read(damaged(good, i)); }) != "(no error)");
  }
  CHECK(refused > 1000);
  CHECK(refused < 2000);
}

TEST_CASE("run config: the shipped configurations are right and complete ones read back") {
  int found = 0;
  for (const auto& file : std::filesystem::directory_iterator(FF_SOURCE_DIR "/models/configs")) {
    if (file.path().extension() != ".json") continue;
    CAPTURE(file.path().string());
    ++found;
    const TempDir dir;
    const RunConfig config = RunConfig::read(file.path().string());
    const RunConfig again = RunConfig::read(dir.write("config.json", config.text()));
    CHECK(again.text() == config.text());
  }
  CHECK(found >= 4);
}

TEST_CASE("run config: the task says what model and data hold") {
  const TempDir dir;
  const std::string path = dir.write("run.json", R"({"task": "language", "model": {"vocabulary": "words"}})");
  const RunConfig config =
      RunConfig::read(path, {"model.attention=softmax", "model.radius_shape=head_feature", "train.seed=7"});
  CHECK(config.task == Task::language);
  CHECK(config.language.model.vocabulary == TokenKind::words);
  CHECK(config.language.model.attention.attention == ff::nn::AttentionKind::softmax);
  CHECK(config.language.model.attention.radius_shape == ff::nn::RadiusShape::head_feature);
  CHECK(config.language.model.attention.causal);
  CHECK(config.train.seed == 7);
  CHECK(contains(run_error(R"({"task": "vision", "model": {"vocabulary": "words"}})"),
                 {"model.vocabulary: unknown key"}));
  CHECK(contains(run_error(R"({"task": "sound"})"),
                 {"task: expected one of \"vision\", \"language\", \"time_series\", got \"sound\""}));
}

TEST_CASE("run config: series") {
  const TempDir dir;
  const std::string path = dir.write("run.json", R"({"task": "time_series", "model": {"patch_size": 4, "heads": 2}})");
  const RunConfig config = RunConfig::read(path, {"model.attention=softmax", "data.jitter=0.5"});
  CHECK(config.task == Task::time_series);
  CHECK(config.time_series.model.patch_size == 4);
  CHECK(config.time_series.data.jitter == 0.5);
  CHECK(config.attention().attention == ff::nn::AttentionKind::softmax);
  check_says(error_of([&] { RunConfig::read(path, {"model.stride=5"}); }), "5 leaves out steps between tokens of 4");
  check_says(error_of([&] { RunConfig::read(path, {"model.width=9"}); }), "2 heads do not divide width 9");
}

TEST_CASE("run config: fields that do not go together are named") {
  CHECK(contains(run_error(R"({"model": {"patch_size": 5}})"),
                 {"model.patch_size: a patch of 5 does not divide image_size 28"}));
  CHECK(contains(run_error(R"({"model": {"heads": 5}})"), {"model.heads: 5 heads do not divide width 64"}));
  CHECK(contains(run_error(R"({"model": {"mlp_ratio": 0.001}})"), {"model.mlp_ratio: 0.001 of width 64"}));
  CHECK(contains(run_error(R"({"data": {"mean": [0.5, 0.5, 0.5]}})"), {"data.mean: 3 numbers for 1 channels"}));
  CHECK(contains(run_error(R"({"data": {"std": [0.5, 0.5]}})"), {"data.std: 2 numbers for 1 channels"}));
  CHECK(run_error(R"({"model": {"channels": 3}, "data": {"mean": [0.5, 0.5, 0.5], "std": 0.5}})") == "(no error)");
  CHECK(contains(run_error(R"({"train": {"epochs": 0}})"), {"train.epochs: 0, and so is steps"}));
  CHECK(contains(run_error(R"({"train": {"epochs": 9223372036854775807}})"), {"train.epochs: expected", "from 0 to"}));
  CHECK(contains(run_error(R"({"train": {"min_lr": 0.1}})"), {"train.min_lr: 0.1 is above lr 0.001"}));
  CHECK(contains(run_error(R"({"train": {"betas": [0.9]}})"),
                 {"train.betas: expected a list of 2 numbers of at least 0 and below 1, got [0.9]"}));
  CHECK(contains(run_error(R"({"task": "language", "model": {"heads": 3}})"),
                 {"model.heads: 3 heads do not divide width 128"}));
  CHECK(contains(run_error(R"({"task": "language", "model": {"heads": 1, "width": 5}})"), {"model.width: 5 is odd"}));
  CHECK(contains(run_error(R"({"task": "language", "data": {"evaluation_stride": 129}})"),
                 {"data.evaluation_stride: 129 is more than model.context 128"}));
  CHECK(contains(run_error(R"({"model": {"power": 0.5}})"), {"model.power: expected a number of at least 1, got 0.5"}));
}

TEST_CASE("configuration: cutoffs of an adaptive softmax") {
  const TempDir dir;
  const auto read = [&](const std::string& model) {
    return error_of([&] {
      RunConfig::read(dir.write("c.json", R"({"task": "language", "model": {"vocabulary": "words", )" + model + "}}"));
    });
  };
  CHECK(read(R"("cutoffs": [])") == "(no error)");
  CHECK(read(R"("cutoffs": [20, 40], "vocabulary_size": 50)") == "(no error)");
  CHECK(contains(read(R"("cutoffs": [40, 20])"), {"model.cutoffs", "40, 20 do not ascend"}));
  CHECK(contains(read(R"("cutoffs": [20, 20])"), {"model.cutoffs", "ascend"}));
  CHECK(contains(read(R"("cutoffs": [20, 50], "vocabulary_size": 50)"), {"model.cutoffs", "below vocabulary_size 50"}));
  CHECK(contains(read(R"("cutoffs": [0])"), {"model.cutoffs", "a list of at most 16 integers of at least 1", "[0]"}));
  CHECK(contains(read(R"("cutoffs": [1.5])"), {"model.cutoffs", "integers"}));
  CHECK(contains(read(R"("cutoffs": "many")"), {"model.cutoffs", "integers"}));
  const auto refused = [&](const Overrides& overrides) {
    const std::string path = dir.write("c.json", R"({"task": "language"})");
    return error_of([&] { RunConfig::read(path, overrides); });
  };
  CHECK(contains(refused({"model.cutoffs=[20]"}), {"model.cutoffs", "not for bytes"}));
  CHECK(contains(refused({"model.cutoffs=[20]", "model.vocabulary=words", "train.label_smoothing=0.1"}),
                 {"train.label_smoothing", "adaptive softmax"}));
  CHECK(contains(refused({"train.optimizer=sparse_adam"}), {"train.weight_decay", "sparse_adam"}));
}
