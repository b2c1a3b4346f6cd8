#include "ff/models/event_file.h"

#include <array>
#include <bit>
#include <chrono>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"

// The formats: tensorflow/core/lib/io/record_writer.h, core/util/event.proto, core/framework/summary.proto, and
// https://protobuf.dev/programming-guides/encoding. Few enough fields are used to write them out.
namespace ff::models {
namespace {

using Clock = std::chrono::system_clock;

// CRC-32C: the polynomial 0x1EDC6F41, its bits reversed.
constexpr std::uint32_t polynomial = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    table[byte] = byte;
    for (int bit = 0; bit < 8; ++bit) table[byte] = (table[byte] >> 1) ^ ((table[byte] & 1) != 0 ? polynomial : 0);
  }
  return table;
}();

// Rotated and shifted, so that the checksum of data that holds checksums is still worth something.
std::uint32_t masked_crc(std::string_view data) {
  std::uint32_t crc = ~0U;
  for (const char c : data) crc = (crc >> 8) ^ crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return std::rotr(~crc, 15) + 0xa282ead8;
}

// The bytes of a number, the least first.
template <class T>
std::string fixed(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> 8 * i & 0xff);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

// Fields of a message: their number, how they are written, the value.
enum Wire : std::uint64_t { as_varint = 0, as_fixed64 = 1, as_bytes = 2, as_fixed32 = 5 };

std::string key(std::uint64_t number, Wire wire) { return varint(number << 3 | wire); }
std::string field(std::uint64_t number, double value) {
  return key(number, as_fixed64) + fixed(std::bit_cast<std::uint64_t>(value));
}
std::string field(std::uint64_t number, float value) {
  return key(number, as_fixed32) + fixed(std::bit_cast<std::uint32_t>(value));
}
std::string field(std::uint64_t number, std::int64_t value) {
  return key(number, as_varint) + varint(static_cast<std::uint64_t>(value));
}
std::string field(std::uint64_t number, std::string_view value) {
  return key(number, as_bytes) + varint(value.size()) + std::string(value);
}

// Event: 1 wall_time, 2 step, and one of 3 file_version, 5 summary, 7 session_log.
std::string event(std::int64_t step, const std::string& what) {
  return field(1, std::chrono::duration<double>(Clock::now().time_since_epoch()).count()) + field(2, step) + what;
}

// A record of a TFRecord file.
std::string framed(const std::string& data) {
  const std::string length = fixed(static_cast<std::uint64_t>(data.size()));
  return length + fixed(masked_crc(length)) + data + fixed(masked_crc(data));
}

std::string free_name(const std::string& folder) {
  for (auto second = std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();;
       ++second) {
    std::string path = fmt::format("{}/{}{:010}.fourierformer", folder, EventFile::prefix, second);
    if (!std::filesystem::exists(path)) return path;
  }
}

}  // namespace

EventFile::EventFile(const std::string& folder, std::int64_t step) : file_(free_name(folder), "event_file") {
  // SessionLog: 1 status, START being 1. Readers drop what they have of that step and later ones.
  constexpr std::int64_t start = 1;
  file_.write(framed(event(0, field(3, std::string_view("brain.Event:2")))));
  file_.write(framed(event(step + 1, field(7, field(1, start)))));
}

void EventFile::write(const nlohmann::ordered_json& record) {
  std::string summary;  // Summary: 1 value, of which 1 tag and 2 simple_value
  for (const auto& [name, value] : record.items())
    if (name != "step" && value.is_number())
      summary += field(1, field(1, std::string_view(name)) + field(2, value.get<float>()));
  file_.write(framed(event(record.at("step").get<std::int64_t>(), field(5, summary))));
}

}  // namespace ff::models
