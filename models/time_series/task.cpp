#include "ff/models/time_series/task.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/classification.h"
#include "ff/models/time_series/data.h"

namespace ff::models {
namespace {

TimeSeriesFile load(const TimeSeriesConfig& config, const std::string& name) {
  return load_series(config.data.path + "/" + name, config.model);
}

std::shared_ptr<BatchSource> test_batches(const TimeSeriesConfig& config, const TrainConfig& train,
                                          TimeSeriesFile test) {
  return std::make_shared<SeriesBatches>(std::move(test), config.data, SeriesStatistics{},
                                         SeriesBatches::Mode::evaluation, train.batch_size, 0);
}

}  // namespace

TimeSeriesTask::TimeSeriesTask(const TimeSeriesConfig& config, const TrainConfig& train)
    : model_(config.model), label_smoothing_(train.label_smoothing) {
  TimeSeriesFile learnt = load(config, config.data.train), test = load(config, config.data.test);
  check(learnt.classes == test.classes, "time_series", "{}: the classes of {} and {} are not the same",
        config.data.path, config.data.train, config.data.test);
  classes_ = learnt.classes;
  const SeriesStatistics measured = statistics(learnt);
  model_.data_mean.assign(Tensor::from(measured.mean, {config.model.dimensions}));
  model_.data_std.assign(Tensor::from(measured.deviation, {config.model.dimensions}));
  train_ = BatchStream(std::make_shared<SeriesBatches>(std::move(learnt), config.data, measured,
                                                       SeriesBatches::Mode::training, train.batch_size,
                                                       static_cast<std::uint64_t>(train.seed)));
  test_ = test_batches(config, train, std::move(test));
}

TimeSeriesTask::TimeSeriesTask(const TimeSeriesConfig& config, const TrainConfig& train, const RunFolder& folder)
    : model_(config.model), label_smoothing_(train.label_smoothing) {
  TimeSeriesFile test = load(config, config.data.test);
  classes_ = test.classes;
  check_companions(folder);
  test_ = test_batches(config, train, std::move(test));
  model_.load_state_dict(load_safetensors(folder.model()));
}

BatchLoss TimeSeriesTask::next_loss() {
  const Batch batch = train_.next();
  return {cross_entropy(model_(batch.inputs), batch.targets, {.label_smoothing = label_smoothing_}), batch.count};
}

Figures TimeSeriesTask::evaluate(const std::function<bool()>& stopped) {
  return classification_figures(test_, model_, stopped);
}

void TimeSeriesTask::save_companions(const RunFolder& folder) const { save_classes(folder, classes_); }

void TimeSeriesTask::check_companions(const RunFolder& folder) const { check_classes(folder, classes_); }

}  // namespace ff::models
