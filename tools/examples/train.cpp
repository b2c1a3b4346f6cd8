// Trains a network of one's own on Fashion-MNIST. Killed and started again it goes on to the same weights.
// Usage: example_train [FOLDER OF THE RUN] [IMAGES TO TRAIN ON] [FOLDER OF THE DATA]
#include <csignal>
#include <cstdio>

#include "ff/ff.h"

namespace models = ff::models;

struct Net : ff::nn::Module {
  ff::nn::Conv2d stem{1, 16, {3, 3}, {.stride = {2, 2}, .padding = {1, 1}}};
  ff::nn::Linear hidden{16 * 14 * 14, 64}, out{64, 10};
  Net() { add("stem", stem), add("hidden", hidden), add("out", out); }
  ff::Tensor forward(const ff::Tensor& x) override { return out(ff::relu(hidden(ff::flatten(ff::relu(stem(x)), 1)))); }
};

// The first n images of a pair of files, all where n is 0.
std::shared_ptr<models::BatchSource> data(const std::string& files, std::int64_t n, bool shuffle) {
  const ff::Tensor bytes = ff::load_idx(files + "-images-idx3-ubyte.gz");
  if (n == 0) n = bytes.size(0);
  const ff::Tensor images = ff::cast(ff::narrow(bytes, 0, 0, n), ff::f32) / 255.0;
  const ff::Tensor labels = ff::cast(ff::narrow(ff::load_idx(files + "-labels-idx1-ubyte.gz"), 0, 0, n), ff::i64);
  return std::make_shared<models::TensorBatches>(ff::unsqueeze(images, 1), labels,
                                                 models::BatchSamplerOptions{.batch_size = 64, .shuffle = shuffle});
}

struct Printer : models::TrainObserver {
  void on_step(const models::TrainStep& s) override {
    if (s.step % 50 == 0) std::printf("step %ld/%ld  loss %.4f\n", long(s.step), long(s.steps), s.loss);
  }
};

std::atomic<bool> stop{false};

int main(int argc, char** argv) try {
  std::signal(SIGINT, [](int) { stop = true; });
  const models::RunFolder folder(argc > 1 ? argv[1] : "fashion");
  const std::int64_t limit = argc > 2 ? std::stol(argv[2]) : 0;
  const std::string files = argc > 3 ? argv[3] : "/usr/share/datasets/fashion-mnist";

  ff::manual_seed(1);
  Net net;
  models::ModuleTask task(net, data(files + "/train", limit, true), data(files + "/t10k", limit, false),
                          {.also = {{"test_accuracy", models::accuracy}}});
  const models::TrainConfig config{.epochs = 2, .lr = 2e-3, .warmup = 10};
  Printer printer;
  models::Trainer trainer(task, config, {.folder = &folder, .observer = &printer, .stop = &stop});
  if (const auto from = trainer.begin_or_resume(); from.step > 0) std::printf("on from step %ld\n", long(from.step));
  const models::TrainResult result = trainer.run();
  for (const auto& [name, value] : result.figures) std::printf("%s %.4f\n", name.c_str(), value);
  return result.finished ? 0 : 1;
} catch (const ff::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
