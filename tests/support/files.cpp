#include "tests/support/files.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include "ff/core/random.h"

namespace ff::test {

TempDir::TempDir() {
  static std::atomic<int> counter{0};
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("ff-test-{}-{}", ::getpid(), counter++);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  folder_ = folder.string();
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TempDir::write(std::string_view name, std::string_view contents) const {
  // Not truncated but made anew: some file systems flush a file that is written over, and tests do so by the thousand.
  std::error_code ignored;
  std::filesystem::remove(path(name), ignored);
  std::ofstream out(path(name), std::ios::binary);
  out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path(name));
  return path(name);
}

int TempDir::count() const {
  return static_cast<int>(
      std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator{}));
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string gzip(std::string_view text) {
  z_stream z{};
  if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2 failed");
  std::string input(text), out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<unsigned char*>(input.data());
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<unsigned char*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return out;
}

std::string idx_file(int type, std::initializer_list<std::uint32_t> sizes, std::string_view elements) {
  std::string out{0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) out += bytes_of({size}, std::endian::big);
  return out += elements;
}

std::string safetensors_file(std::string_view header, std::string_view data) {
  return bytes_of({std::uint64_t{header.size()}}) + std::string(header) + std::string(data);
}

std::string damaged(std::string_view file, std::uint64_t attempt) {
  const RandomKey key{20220602, attempt << 8};
  std::uint64_t drawn = 0;
  auto below = [&](std::size_t n) { return random_bits(key, drawn++) % std::max<std::size_t>(n, 1); };
  std::string out(file);
  switch (below(5)) {
    case 0:
      return out.substr(0, below(out.size()));
    case 1:
      return out.erase(below(out.size()), 1 + below(8));
    case 2:
      return out.insert(below(out.size()), out.substr(below(out.size()), 1 + below(16)));
    case 3: {
      const std::string piece = out.substr(below(out.size()), 1 + below(8));
      return out.replace(below(out.size()), piece.size(), piece);
    }
    default:
      break;
  }
  // The first bytes say how the rest is to be read: hit them more often.
  const std::size_t reach = below(2) == 0 ? std::min<std::size_t>(out.size(), 96) : out.size();
  for (std::size_t i = 0, n = 1 + below(4); i < n; ++i) out[below(reach)] = static_cast<char>(below(256));
  return out;
}

}  // namespace ff::test
