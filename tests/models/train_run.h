#pragma once

#include <string>

#include "ff/models/trainer.h"

namespace ff::test {

/// Trains what config says in the folder out, which is made.
inline models::TrainResult train_run(const models::RunConfig& config, const std::string& out) {
  const models::RunFolder folder(out);
  const auto task = models::make_training_task(config);
  models::Trainer trainer(*task, config.train, {.folder = &folder});
  const auto made = folder.create(config.text(), false);
  return trainer.run();
}

}  // namespace ff::test
