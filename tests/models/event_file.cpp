#include "ff/models/event_file.h"

#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff::models;
using namespace ff::test;
namespace fs = std::filesystem;

namespace {

// Bit by bit, as the polynomial is written: shifted in at the top, with input and result reversed.
std::uint32_t crc32c(std::string_view data) {
  const auto reversed = [](std::uint32_t value, int bits) {
    std::uint32_t result = 0;
    for (int i = 0; i < bits; ++i) result |= (value >> i & 1U) << (bits - 1 - i);
    return result;
  };
  std::uint32_t crc = 0xffffffff;
  for (const char c : data) {
    crc ^= reversed(static_cast<unsigned char>(c), 8) << 24;
    for (int i = 0; i < 8; ++i) crc = (crc & 0x80000000U) != 0 ? crc << 1 ^ 0x1edc6f41U : crc << 1;
  }
  return reversed(~crc, 32);
}

// What is left of a text to be read.
struct Bytes {
  std::string_view left;

  template <class T>
  T number() {
    T value;
    REQUIRE(left.size() >= sizeof value);
    std::memcpy(&value, left.data(), sizeof value);
    left.remove_prefix(sizeof value);
    return value;
  }
  std::string_view bytes(std::size_t count) {
    REQUIRE(left.size() >= count);
    const std::string_view found = left.substr(0, count);
    left.remove_prefix(count);
    return found;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = number<unsigned char>();
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
  }
};

struct Event {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version;
  bool start = false;
  std::map<std::string, float> scalars;
};

void read_value(Bytes value, Event& event) {
  REQUIRE(value.varint() == (1 << 3 | 2));
  const std::string tag(value.bytes(value.varint()));
  REQUIRE(value.varint() == (2 << 3 | 5));
  CHECK(event.scalars.emplace(tag, value.number<float>()).second);
  CHECK(value.left.empty());
}

Event read_event(Bytes message) {
  Event event;
  while (!message.left.empty()) {
    const std::uint64_t key = message.varint();
    if (key == (1 << 3 | 1))
      event.wall_time = message.number<double>();
    else if (key == (2 << 3 | 0))
      event.step = static_cast<std::int64_t>(message.varint());
    else if (key == (3 << 3 | 2))
      event.version = message.bytes(message.varint());
    else if (key == (7 << 3 | 2)) {
      event.start = message.bytes(message.varint()) == "\x08\x01";
    } else {
      REQUIRE(key == (5 << 3 | 2));
      Bytes summary{message.bytes(message.varint())};
      while (!summary.left.empty()) {
        REQUIRE(summary.varint() == (1 << 3 | 2));
        read_value({summary.bytes(summary.varint())}, event);
      }
    }
  }
  return event;
}

std::vector<Event> read_events(const std::string& path) {
  const auto masked = [](std::string_view data) {
    const std::uint32_t crc = crc32c(data);
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
  };
  const std::string file = slurp(path);
  std::vector<Event> events;
  for (Bytes bytes{file}; !bytes.left.empty();) {
    const std::string_view length = bytes.left.substr(0, 8);
    const auto size = bytes.number<std::uint64_t>();
    CHECK(bytes.number<std::uint32_t>() == masked(length));
    const std::string_view data = bytes.bytes(size);
    CHECK(bytes.number<std::uint32_t>() == masked(data));
    events.push_back(read_event({data}));
  }
  return events;
}

std::set<std::string> files_in(const TempDir& folder) {
  std::set<std::string> paths;
  for (const auto& entry : fs::directory_iterator(folder.path(""))) paths.insert(entry.path().string());
  return paths;
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

TEST_CASE("event file: its reader here knows the checksum") {
  CHECK(crc32c("123456789") == 0xe3069283);            // the check value of CRC-32C
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);  // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("event file: numbers become scalars, at once in the file") {
  const TempDir folder;
  const double begin = now();
  EventFile file(folder.path(""), 0);
  REQUIRE(folder.count() == 1);
  const std::string path = *files_in(folder).begin();
  CHECK(fs::path(path).filename().string().starts_with(EventFile::prefix));
  CHECK(read_events(path).size() == 2);
  file.write({{"step", 100}, {"loss", 0.1}, {"lr", 1e-3}, {"items", 7}, {"note", "text"}, {"none", nullptr}});
  CHECK(read_events(path).size() == 3);
  file.write({{"step", std::int64_t{1} << 40}, {"loss", std::numeric_limits<double>::quiet_NaN()}, {"large", 1e300}});

  const std::vector<Event> events = read_events(path);
  REQUIRE(events.size() == 4);
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[1].start);
  CHECK(events[1].step == 1);
  CHECK(events[2].step == 100);
  CHECK(events[2].scalars == std::map<std::string, float>{{"loss", 0.1F}, {"lr", 1e-3F}, {"items", 7}});
  CHECK(events[3].step == std::int64_t{1} << 40);
  CHECK(std::isnan(events[3].scalars.at("loss")));
  CHECK(std::isinf(events[3].scalars.at("large")));
  double before = begin;
  for (const Event& event : events) {
    CHECK(event.wall_time >= before);
    before = event.wall_time;
  }
  CHECK(before <= now());
}

TEST_CASE("event file: lengths of more than a byte") {
  const TempDir folder;
  EventFile file(folder.path(""), 0);
  nlohmann::ordered_json record{{"step", 3}};
  std::map<std::string, float> expected;
  for (int i = 0; i < 50; ++i) {
    const std::string name = std::string(static_cast<std::size_t>(10 * i), 'x') + std::to_string(i);
    record[name] = expected[name] = static_cast<float>(i) / 8;
  }
  file.write(record);
  CHECK(read_events(*files_in(folder).begin()).at(2).scalars == expected);
}

TEST_CASE("event file: one that goes on is a new file, sorted last") {
  const TempDir folder;
  EventFile first(folder.path(""), 0);
  first.write({{"step", 1}, {"loss", 1}});
  const auto before = files_in(folder);
  EventFile second(folder.path(""), 41);  // in the same second
  const auto after = files_in(folder);
  REQUIRE(after.size() == 2);
  CHECK(*after.begin() == *before.begin());
  CHECK(read_events(*before.begin()).size() == 3);
  CHECK(read_events(*after.rbegin()).at(1).start);
  CHECK(read_events(*after.rbegin()).at(1).step == 42);
  CHECK(contains(error_of([&] { EventFile(folder.path("no/such"), 0); }), {"[event_file]", "no/such"}));
}
