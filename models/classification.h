#pragma once

#include <functional>
#include <memory>

#include "ff/models/data_loader.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// test_loss, the mean cross-entropy, test_accuracy, the share of targets that have the greatest logit, and, of more
/// than five classes, test_top5_accuracy, that of targets among the five greatest, over one pass through source:
/// targets i64 (B), each a class, and logits (B, classes) of the inputs. workers: threads that make the batches. None
/// if stopped() became true on the way. Throws Error where the batches are empty.
Figures classification_figures(const std::shared_ptr<BatchSource>& source, nn::Module& model,
                               const std::function<bool()>& stopped, int workers = 1);

}  // namespace ff::models
