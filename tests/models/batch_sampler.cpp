#include <algorithm>
#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "ff/models/batch_sampler.h"

#include "tests/support/errors.h"

using namespace ff::models;
using namespace ff::test;

namespace {

using Samples = std::vector<std::int64_t>;

// All of an epoch, one after the other.
Samples epoch_of(BatchSampler& sampler, std::int64_t epoch) {
  Samples all;
  for (std::int64_t batch = 0; batch < sampler.batches_per_epoch(); ++batch) {
    const Samples some = sampler.samples({epoch, batch});
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

TEST_CASE("batch sampler: in order, the last batch smaller") {
  BatchSampler sampler("test", 7, {.batch_size = 3});
  CHECK(sampler.batches_per_epoch() == 3);
  CHECK(sampler.samples({0, 1}) == Samples{3, 4, 5});
  CHECK(sampler.samples({5, 2}) == Samples{6});
}

TEST_CASE("batch sampler: shuffled, every epoch in another order, full batches alone") {
  BatchSampler sampler("test", 50, {.batch_size = 7, .shuffle = true, .seed = 3});
  CHECK(sampler.batches_per_epoch() == 7);
  const Samples first = epoch_of(sampler, 0), second = epoch_of(sampler, 1);
  CHECK(first != second);
  for (Samples epoch : {first, second}) {
    CHECK(epoch.size() == 49);
    std::sort(epoch.begin(), epoch.end());
    CHECK(std::adjacent_find(epoch.begin(), epoch.end()) == epoch.end());
    CHECK(epoch.front() >= 0);
    CHECK(epoch.back() < 50);
  }
  BatchSampler same("test", 50, {.batch_size = 7, .shuffle = true, .seed = 3});
  CHECK(epoch_of(same, 1) == second);  // without the first, and after it
  CHECK(epoch_of(sampler, 0) == first);
  BatchSampler other("test", 50, {.batch_size = 7, .shuffle = true, .seed = 4});
  CHECK(epoch_of(other, 0) != first);
}

TEST_CASE("batch sampler: a sample comes several times in a row") {
  BatchSampler once("test", 12, {.batch_size = 4, .shuffle = true});
  BatchSampler thrice("test", 12, {.batch_size = 4, .shuffle = true, .repeats = 3});
  CHECK(thrice.batches_per_epoch() == once.batches_per_epoch());
  const Samples order = epoch_of(once, 2);
  Samples wanted;
  for (std::size_t i = 0; i < 4; ++i) wanted.insert(wanted.end(), 3, order[i]);
  CHECK(epoch_of(thrice, 2) == wanted);
}

TEST_CASE("batch sampler: asked from several threads at once") {
  const BatchSamplerOptions options{.batch_size = 10, .shuffle = true};
  BatchSampler shared("test", 100, options);
  std::vector<std::future<Samples>> found;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch)
    found.push_back(std::async(std::launch::async, [&shared, epoch] { return epoch_of(shared, epoch); }));
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    BatchSampler alone("test", 100, options);
    CHECK(found[static_cast<std::size_t>(epoch)].get() == epoch_of(alone, epoch));
  }
}

TEST_CASE("batch sampler: errors") {
  check_says(error_of([] { BatchSampler("test", 2, {.batch_size = 3, .shuffle = true}); }),
             "[test] 2 samples do not make a batch of 3");
  check_says(error_of([] { BatchSampler("test", 0, {}); }), "[test] 0 samples do not make a batch of 1");
  check_says(error_of([] { BatchSampler("test", 5, {.batch_size = 0}); }), "the batch size must be at least 1, got 0");
  check_says(error_of([] { BatchSampler("test", 5, {.repeats = 0}); }), "a sample comes at least once, got 0");
  BatchSampler sampler("test", 5, {.batch_size = 2});
  for (const std::int64_t batch : {-1, 3})
    check_says(error_of([&] { sampler.samples({0, batch}); }), "no batch " + std::to_string(batch) + " of 3");
}
