#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ff::models {

class RunFolder;

/// A run that has just been made. Destroyed before there is a model in it, it takes away again what was made: files of
/// the run, and folders that were not there, unless others have put something into them.
class NewRun {
 public:
  ~NewRun();
  NewRun(const NewRun&) = delete;
  NewRun& operator=(const NewRun&) = delete;

 private:
  friend class RunFolder;
  explicit NewRun(const RunFolder& folder);

  const RunFolder& folder_;
  std::vector<std::string> made_;  // folders that were not there, from the run's own upwards
};

/// The folder of a training run:
///   config.json         the configuration, complete: the run can be repeated from it
///   metrics.jsonl       what was measured on the way, see MetricsLog
///   model.safetensors   the weights
///   model-best.safetensors  those of the best evaluation
///   checkpoint/         what training goes on from, see CheckpointFolder
///   vocabulary.txt      of a language model of words: the words
///   encoder.json, vocab.bpe   of one of byte pairs: those, see BytePairs
///   classes.txt         of a model of classes that have names: those, a line each
///   summary.json        the final figures
///   analysis.json       of a run that was analysed: what its attention does, see analysis_json()
///   events.out.tfevents.*   of a run that was asked for it: metrics.jsonl for TensorBoard, see EventFile
///   profile.json        of a run that was asked for it: where the time of some steps went, see Profiler
class RunFolder {
 public:
  /// Only names the folder; nothing is touched.
  explicit RunFolder(std::string path);

  const std::string& path() const { return path_; }
  std::string config() const { return path_ + "/config.json"; }
  std::string metrics() const { return path_ + "/metrics.jsonl"; }
  std::string model() const { return path_ + "/" + model_; }
  std::string best_model() const { return path_ + "/model-best.safetensors"; }
  std::string vocabulary() const { return path_ + "/vocabulary.txt"; }
  std::string checkpoints() const { return path_ + "/checkpoint"; }
  std::string classes() const { return path_ + "/classes.txt"; }
  std::string summary() const { return path_ + "/summary.json"; }
  std::string analysis() const { return path_ + "/analysis.json"; }
  std::string profile() const { return path_ + "/profile.json"; }

  /// Throws Error unless a run can be put here: nothing but a folder may be there, and no run in it unless overwrite.
  void check_free(bool overwrite) const;
  /// Makes the folder, and those above it, with the text of the configuration in it. With overwrite the files of the
  /// run that was there go, and no others. Throws Error, leaving nothing behind, where that cannot be done or another
  /// process is training that run. The folder must outlive what is returned.
  [[nodiscard]] std::unique_ptr<NewRun> create(const std::string& config_text, bool overwrite) const;
  /// The same folder, its model being that of the best evaluation: for whoever reads it.
  RunFolder with_best_model() const;
  /// Throws Error unless the folder has a configuration and a model.
  void check_complete() const;
  /// Throws Error unless the folder has a configuration: the run has begun, if no more.
  void check_begun() const;
  /// Removes what a process that was killed has left unfinished. Nobody may be training the run.
  void clean() const;

  /// Written atomically; reading throws Error where the file is not a JSON object.
  void write_summary(const nlohmann::ordered_json& summary) const;
  nlohmann::ordered_json read_summary() const;

 private:
  friend class NewRun;
  std::vector<std::string> files() const;
  void check_has(const std::string& file) const;

  std::string path_, model_ = "model.safetensors";
};

}  // namespace ff::models
