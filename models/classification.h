#pragma once

#include <functional>
#include <memory>

#include "ff/models/data_loader.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// test_loss, the mean cross-entropy, and test_accuracy, the share of targets that have the greatest logit, over one
/// pass through source: targets i64 (B), each a class, and logits (B, classes) of the inputs. None if stopped() became
/// true on the way.
Figures classification_figures(const std::shared_ptr<BatchSource>& source, nn::Module& model,
                               const std::function<bool()>& stopped);

}  // namespace ff::models
