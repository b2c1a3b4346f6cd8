#include "ff/core/io/safetensors.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/safetensors_header.h"
#include "ff/core/io/tensor_data.h"

namespace ff {
namespace {

// text as a JSON string.
std::string quoted(const std::string& path, const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    fail("save_safetensors", "{}: a name or metadata is not UTF-8", path);
  }
}

std::string describe(const std::string& name, const Tensor& tensor, std::uint64_t begin, std::uint64_t end) {
  return fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", name,
                     io::safetensors_name(tensor.dtype()), fmt::join(tensor.shape(), ","), begin, end);
}

using Item = const TensorMap::value_type*;

// In the order of the file.
std::vector<Item> in_order(const std::string& path, const TensorMap& tensors) {
  std::vector<Item> items;
  for (const auto& item : tensors) {
    check(item.second.defined(), "save_safetensors", "{}: tensor \"{}\" is undefined", path, item.first);
    check(item.first != "__metadata__", "save_safetensors", "{}: no tensor can be named \"__metadata__\"", path);
    items.push_back(&item);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](Item a, Item b) { return size_of(a->second.dtype()) > size_of(b->second.dtype()); });
  return items;
}

std::uint64_t bytes_of(const Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.numel()) * size_of(tensor.dtype());
}

std::string header_of(const std::string& path, const std::vector<Item>& items, const FileMetadata& metadata) {
  std::vector<std::string> parts;
  if (!metadata.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : metadata) pairs.push_back(quoted(path, key) + ":" + quoted(path, value));
    parts.push_back(fmt::format("\"__metadata__\":{{{}}}", fmt::join(pairs, ",")));
  }
  std::uint64_t end = 0;
  for (const Item item : items) {
    const std::uint64_t begin = end;
    end += bytes_of(item->second);
    parts.push_back(describe(quoted(path, item->first), item->second, begin, end));
  }
  std::string header = fmt::format("{{{}}}", fmt::join(parts, ","));
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

}  // namespace

void save_safetensors(const std::string& path, const TensorMap& tensors, const FileMetadata& metadata) {
  const std::vector<Item> items = in_order(path, tensors);
  const std::string header = header_of(path, items, metadata);
  const std::uint64_t length = header.size();

  io::OutputFile file(path, "save_safetensors");
  file.write(&length, sizeof length);
  file.write(header);
  for (const Item item : items) file.write(item->second.dense().raw(), bytes_of(item->second));
  file.commit();
}

TensorMap load_safetensors(const std::string& path) {
  io::InputFile file(path, "load_safetensors", io::InputFile::Format::plain);
  TensorMap tensors;
  for (const auto& entry : io::read_safetensors_header(file).entries)
    tensors.emplace(entry.name,
                    io::read_tensor(file, entry.shape, entry.dtype, fmt::format("tensor \"{}\"", entry.name)));
  return tensors;
}

FileMetadata load_safetensors_metadata(const std::string& path) {
  io::InputFile file(path, "load_safetensors_metadata", io::InputFile::Format::plain);
  return io::read_safetensors_header(file).metadata;
}

}  // namespace ff
