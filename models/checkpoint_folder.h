#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ff/core/io/file.h"
#include "ff/models/checkpoint.h"

namespace ff::models {

/// A folder of checkpoints: step-00001200.safetensors, .. and manifest.json, which tells which of them are complete and
/// what their checksums are. A process that is killed, or finds the disk full, at any moment leaves the checkpoints of
/// before.
class CheckpointFolder {
 public:
  /// Only names the folder, which must be there by the time something is saved.
  explicit CheckpointFolder(std::string path) : path_(std::move(path)) {}

  /// A checkpoint as the manifest tells of it.
  struct Entry {
    std::string file;  ///< its name in the folder
    std::int64_t step = 0;
    io::FileDigest digest{};
    bool best = false;  ///< of the best evaluation so far
  };
  /// The complete ones, oldest first; without a manifest all that are there, as they are. Throws Error where it is
  /// damaged.
  std::vector<Entry> list() const;

  /// Adds a checkpoint, which is the best so far if its state says so (best.step is its step); then removes those
  /// that are neither among the newest `keep` nor the best. Throws Error where it cannot be written.
  void save(const Checkpoint& checkpoint, std::int64_t keep) const;

  /// The newest checkpoint that is whole, and a line for each newer one that is not; no checkpoint where none was
  /// saved. Throws Error where there are some and all are damaged.
  struct Newest {
    std::optional<Checkpoint> checkpoint;
    std::vector<std::string> damaged;
  };
  Newest load_newest() const;

  /// Removes what killed processes have left unfinished. Nobody may be saving.
  void clean() const;
  /// Its files, those unfinished among them; the manifest first.
  std::vector<std::string> files() const;

 private:
  std::string manifest() const { return path_ + "/manifest.json"; }
  std::vector<Entry> found() const;
  Checkpoint load(const Entry& entry) const;

  std::string path_;
};

}  // namespace ff::models
