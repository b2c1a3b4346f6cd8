#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ff/models/data_loader.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// test_loss, the mean cross-entropy, test_accuracy, the share of targets that have the greatest logit, and, of more
/// than five classes, test_top5_accuracy, that of targets among the five greatest, over one pass through source:
/// targets i64 (B), each a class, and logits (B, classes) of the inputs. workers: threads that make the batches. None
/// if stopped() became true on the way. Throws Error where the batches are empty.
Figures classification_figures(const std::shared_ptr<BatchSource>& source, nn::Module& model,
                               const std::function<bool()>& stopped, int workers = 1);

/// Writes the names of classes, in the order of a model's outputs, to the folder of its run, a line each.
void save_classes(const RunFolder& folder, const std::vector<std::string>& classes);
/// The names of a run's classes; none where it has none.
std::vector<std::string> load_classes(const RunFolder& folder);
/// Throws Error where a run has names of classes, and classes are others, or in another order.
void check_classes(const RunFolder& folder, const std::vector<std::string>& classes);

}  // namespace ff::models
