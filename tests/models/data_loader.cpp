#include "ff/models/data_loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include "ff/core/parallel.h"

#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

// Batches that hold their position, made slowly or at once.
class Positions : public BatchSource {
 public:
  explicit Positions(std::int64_t batches, int milliseconds = 0) : batches_(batches), milliseconds_(milliseconds) {}

  std::int64_t batches_per_epoch() const override { return batches_; }
  Batch make(DataPosition at) override {
    ++made;
    if (milliseconds_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(at.batch % 2 * milliseconds_));
    if (at == fails_at) throw std::out_of_range("no such batch");
    return {Tensor::from<std::int64_t>({at.epoch, at.batch}), Tensor(), 1};
  }

  std::atomic<int> made{0};
  DataPosition fails_at{-1, -1};

 private:
  std::int64_t batches_;
  int milliseconds_;
};

std::vector<DataPosition> all_of(DataLoader& loader) {
  std::vector<DataPosition> positions;
  for (DataPosition announced = loader.position(); const auto batch = loader.next(); announced = loader.position()) {
    const auto* at = batch->inputs.data<std::int64_t>();
    positions.push_back({at[0], at[1]});
    CHECK(positions.back() == announced);
  }
  return positions;
}

}  // namespace

TEST_CASE("data loader: batches come in order, epoch after epoch, whatever the timing") {
  for (int milliseconds : {0, 1})
    for (int workers : {1, 2, 5})
      for (int ahead : {1, 2, 50}) {
        DataLoader loader(std::make_shared<Positions>(3, milliseconds),
                          {.end_epoch = 2, .ahead = ahead, .workers = workers});
        CHECK(all_of(loader) == std::vector<DataPosition>{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}});
        CHECK(!loader.next());
        CHECK(loader.position() == DataPosition{2, 0});
      }
}

TEST_CASE("data loader: several workers make batches at the same time") {
  // Each batch waits until another one is begun: one thread alone would never end the first.
  class Pairs : public BatchSource {
   public:
    std::int64_t batches_per_epoch() const override { return 4; }
    Batch make(DataPosition at) override {
      std::unique_lock lock(mutex_);
      ++begun_;
      changed_.notify_all();
      const bool met =
          changed_.wait_for(lock, std::chrono::seconds(30), [&] { return begun_ >= at.batch / 2 * 2 + 2; });
      return {Tensor::from<std::int64_t>({at.epoch, at.batch}), Tensor(), met};
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::int64_t begun_ = 0;
  };
  DataLoader loader(std::make_shared<Pairs>(), {.end_epoch = 1, .workers = 2});
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto batch = loader.next();
    CHECK(batch->inputs.data<std::int64_t>()[1] == i);
    CHECK(batch->count == 1);
  }
  CHECK(default_workers() >= 1);
  CHECK(default_workers() <= std::max(1, num_threads() / 2));
}

TEST_CASE("data loader: starting from a saved position goes on as if nothing had been") {
  DataLoader whole(std::make_shared<Positions>(4), {.end_epoch = 3});
  const auto all = all_of(whole);
  for (std::size_t taken = 0; taken <= all.size(); ++taken) {
    DataLoader first(std::make_shared<Positions>(4), {.end_epoch = 3, .workers = 3});
    for (std::size_t i = 0; i < taken; ++i) first.next();
    DataLoader second(std::make_shared<Positions>(4), {.start = first.position(), .end_epoch = 3, .workers = 2});
    CHECK(all_of(second) == std::vector<DataPosition>(all.begin() + static_cast<std::ptrdiff_t>(taken), all.end()));
  }
  DataLoader end(std::make_shared<Positions>(4), {.start = {1, 4}, .end_epoch = 3});
  CHECK(end.position() == DataPosition{2, 0});
}

TEST_CASE("data loader: makes no more batches ahead than it is told to") {
  const auto source = std::make_shared<Positions>(100);
  DataLoader loader(source, {.ahead = 3});
  for (int i = 0; i < 5; ++i) loader.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(source->made >= 5);
  CHECK(source->made <= 5 + 3);
}

TEST_CASE("data loader: what the source throws reaches the one who asks, in its turn and ever after") {
  for (int workers : {1, 4}) {
    const auto source = std::make_shared<Positions>(4, 1);
    source->fails_at = {1, 1};
    DataLoader loader(source, {.workers = workers});
    for (int i = 0; i < 5; ++i) CHECK(loader.next());
    CHECK_THROWS_WITH_AS(loader.next(), "no such batch", std::out_of_range);
    CHECK_THROWS_WITH_AS(loader.next(), "no such batch", std::out_of_range);
    CHECK(loader.position() == DataPosition{1, 1});
  }
}

TEST_CASE("data loader: may be destroyed at any moment") {
  for (int i = 0; i < 200; ++i) {
    DataLoader loader(std::make_shared<Positions>(2), {.ahead = 1 + i % 3, .workers = 1 + i % 4});
    for (int j = 0; j < i % 5; ++j) loader.next();
  }
  const auto source = std::make_shared<Positions>(2);
  source->fails_at = {0, 0};
  for (int i = 0; i < 50; ++i) const DataLoader loader(source);
}

TEST_CASE("data loader: positions that are none are refused") {
  auto error = [](std::int64_t batches, const DataLoaderOptions& options) {
    return error_of([&] { DataLoader(std::make_shared<Positions>(batches), options); });
  };
  CHECK(contains(error(0, {}), {"[data_loader]", "no batch"}));
  CHECK(contains(error(3, {.start = {0, 4}}), {"epoch 0, batch 4 of 3"}));
  CHECK(contains(error(3, {.start = {-1, 0}}), {"epoch -1"}));
  CHECK(contains(error(3, {.start = {0, -1}}), {"batch -1"}));
  CHECK(contains(error(3, {.ahead = 0}), {"ahead", "got 0"}));
  CHECK(contains(error(3, {.workers = 0}), {"thread", "got 0"}));
}
