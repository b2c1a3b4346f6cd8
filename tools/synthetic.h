#pragma once

#include "ff/models/data_loader.h"
#include "ff/models/run_config.h"
#include "ff/nn/module.h"

/// Random data in the place of a configuration's own, for what depends on shapes alone.
namespace ff::tools {

/// size images or series and labels, or texts and the tokens that follow. model is one that make_model(config) made.
models::Batch synthetic_batch(const models::RunConfig& config, const nn::Module& model, std::int64_t size);

/// The loss of training on a batch, differentiable.
Tensor loss_of(nn::Module& model, const models::RunConfig& config, const models::Batch& batch);

}  // namespace ff::tools
