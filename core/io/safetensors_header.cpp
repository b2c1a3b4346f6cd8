#include "ff/core/io/safetensors_header.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/tensor_data.h"

namespace ff::io {
namespace {

using nlohmann::json;

constexpr std::uint64_t largest_header = 1 << 24;  // bytes; enough for 100,000 tensors
constexpr DType all_dtypes[] = {f64, i64, f32, i32, u8, boolean};

// Takes the header's JSON event by event, so that what does not belong is refused when it comes, at no cost of memory.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  explicit HeaderReader(const InputFile& file) : file_(file) {}

  std::vector<SafetensorsEntry> take_entries() {
    std::vector<SafetensorsEntry> entries;
    entries.reserve(entries_.size());
    while (!entries_.empty()) entries.push_back(std::move(entries_.extract(entries_.begin()).mapped()));
    return entries;
  }
  FileMetadata take_metadata() { return std::move(metadata_); }

  bool start_object(std::size_t) override {
    if (depth_ == 0) {
      depth_ = 1;
    } else {
      if (depth_ != 1) unexpected("an object");
      depth_ = 2;
    }
    return true;
  }

  bool key(std::string& key) override {
    if (depth_ == 1) {
      start_entry(std::move(key));
    } else {
      field_ = std::move(key);
      if (!in_metadata_) start_field();
    }
    return true;
  }

  bool end_object() override {
    if (depth_ == 2 && !in_metadata_) end_entry();
    --depth_;
    return true;
  }

  bool string(std::string& value) override {
    if (depth_ == 2 && in_metadata_) {
      if (!metadata_.emplace(field_, std::move(value)).second) complain(fmt::format("key \"{}\" comes twice", field_));
    } else if (depth_ == 2 && field_ == "dtype" && !in_list_) {
      set_dtype(value);
    } else {
      unexpected(fmt::format("\"{}\"", value.substr(0, 40)));
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || in_list_ || field_ == "dtype") unexpected("a list");
    in_list_ = true;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (!in_list_) unexpected(fmt::to_string(value));
    auto& list = field_ == "shape" ? sizes_ : offsets_;
    const std::size_t longest = field_ == "shape" ? Shape::max_rank : 2;
    if (list.size() == longest) complain(fmt::format("\"{}\" has more than {} numbers", field_, longest));
    list.push_back(value);
    return true;
  }

  bool end_array() override {
    in_list_ = false;
    return true;
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool value) override { unexpected(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { unexpected(fmt::to_string(value)); }
  bool number_float(double, const std::string& text) override { unexpected(text.substr(0, 40)); }
  bool binary(json::binary_t&) override { unexpected("bytes"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    const bool encoding = std::string_view(error.what()).find("UTF-8") != std::string_view::npos;
    fail(file_.op(), "{}: the header is not {} at byte {} of it", file_.path(),
         encoding ? "UTF-8" : "JSON: it makes no sense", position);
  }

 private:
  [[noreturn]] void complain(const std::string& what) const {
    fail(file_.op(), "{}: {}: {}", file_.path(),
         name_          ? fmt::format("tensor \"{}\"", *name_)
         : in_metadata_ ? "__metadata__"
                        : "header",
         what);
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    if (depth_ == 0) complain("expected a JSON object, got " + found);
    if (depth_ == 1) complain("expected an object, got " + found);
    if (in_metadata_) complain(fmt::format("\"{}\": expected a string, got {}", field_, found));
    if (field_ == "dtype") complain("\"dtype\": expected a string, got " + found);
    complain(fmt::format("\"{}\": expected a list of whole numbers, got {}", field_, found));
  }

  void start_entry(std::string name) {
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) {
      name_.reset();
      if (has_metadata_) complain("comes twice");
      has_metadata_ = true;
      return;
    }
    name_ = std::move(name);
    if (entries_.contains(*name_)) complain("comes twice");
    dtype_.reset();
    has_shape_ = has_offsets_ = false;
    sizes_.clear();
    offsets_.clear();
  }

  void start_field() {
    const bool is_shape = field_ == "shape", is_offsets = field_ == "data_offsets";
    if (field_ != "dtype" && !is_shape && !is_offsets)
      complain(fmt::format("unknown key \"{}\", expected dtype, shape and data_offsets", field_.substr(0, 40)));
    if ((field_ == "dtype" && dtype_) || (is_shape && has_shape_) || (is_offsets && has_offsets_))
      complain(fmt::format("\"{}\" comes twice", field_));
    has_shape_ |= is_shape;
    has_offsets_ |= is_offsets;
  }

  void set_dtype(const std::string& text) {
    for (const DType dtype : all_dtypes)
      if (text == safetensors_name(dtype)) dtype_ = dtype;
    if (!dtype_) {
      const bool half = text == "F16" || text == "BF16";
      complain(fmt::format("dtype \"{}\" is not supported, only F64, F32, I64, I32, U8 and BOOL are{}",
                           text.substr(0, 40), half ? "; convert the tensor to F32 before saving it" : ""));
    }
  }

  void end_entry() {
    if (!dtype_) complain("no \"dtype\"");
    if (!has_shape_) complain("no \"shape\"");
    if (offsets_.size() != 2) complain("\"data_offsets\" must be two numbers");
    SafetensorsEntry entry;
    entry.name = *name_;
    entry.dtype = *dtype_;
    entry.shape = checked_shape(file_, sizes_, size_of(*dtype_), fmt::format("tensor \"{}\"", *name_));
    entry.begin = offsets_[0];
    entry.end = offsets_[1];
    const std::uint64_t bytes = static_cast<std::uint64_t>(entry.shape.numel()) * size_of(entry.dtype);
    if (entry.end < entry.begin || entry.end - entry.begin != bytes)
      complain(fmt::format("data_offsets [{}, {}] do not fit {} of shape {}, which takes {} bytes", entry.begin,
                           entry.end, safetensors_name(entry.dtype), entry.shape.str(), bytes));
    entries_.emplace(*name_, std::move(entry));
    name_.reset();
  }

  const InputFile& file_;
  std::map<std::string, SafetensorsEntry> entries_;
  FileMetadata metadata_;
  int depth_ = 0;  // of objects
  bool in_list_ = false, in_metadata_ = false, has_metadata_ = false;

  // The entry being read.
  std::optional<std::string> name_;
  std::string field_;
  std::optional<DType> dtype_;
  bool has_shape_ = false, has_offsets_ = false;
  std::vector<std::uint64_t> sizes_, offsets_;
};

// Every byte after the header must belong to exactly one tensor; sorts the entries by their bytes.
void check_layout(const InputFile& file, std::vector<SafetensorsEntry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    check(entry.begin <= end, file.op(),
          "{}: tensor \"{}\": data_offsets [{}, {}] leave a gap, expected to begin at {}", file.path(), entry.name,
          entry.begin, entry.end, end);
    check(entry.begin == end, file.op(),
          "{}: tensor \"{}\": data_offsets [{}, {}] overlap tensor \"{}\", which ends at {}", file.path(), entry.name,
          entry.begin, entry.end, entries[i - std::min<std::size_t>(i, 1)].name, end);
    end = entry.end;
  }
}

}  // namespace

std::string_view safetensors_name(DType dtype) {
  switch (dtype) {
    case f32:
      return "F32";
    case f64:
      return "F64";
    case i32:
      return "I32";
    case i64:
      return "I64";
    case u8:
      return "U8";
    case boolean:
      break;
  }
  return "BOOL";
}

SafetensorsHeader read_safetensors_header(InputFile& file) {
  std::uint64_t length = 0;
  file.read(&length, sizeof length, "the length of the header");
  check(length >= 2 && length <= largest_header, file.op(),
        "{}: not a safetensors file: the header's length, its first 8 bytes, must be 2 to {}, got {}", file.path(),
        largest_header, length);
  file.require(length, "the header");
  std::string text(length, '\0');
  file.read(text.data(), length, "the header");
  check(text[0] == '{', file.op(), "{}: not a safetensors file: byte 8 must be '{{', the begin of the header",
        file.path());

  const std::size_t zero = text.find('\0');  // which the parser takes for the end
  check(zero == std::string::npos, file.op(), "{}: the header is not JSON: it makes no sense at byte {} of it",
        file.path(), zero);
  HeaderReader reader(file);
  json::sax_parse(text, &reader);
  SafetensorsHeader header{reader.take_entries(), reader.take_metadata()};
  check_layout(file, header.entries);
  const std::uint64_t bytes = header.entries.empty() ? 0 : header.entries.back().end;
  check(file.disk_size() == file.position() + bytes, file.op(),
        "{}: {}: the header takes {} bytes and describes {} bytes of tensors, the file has {} bytes", file.path(),
        file.disk_size() < file.position() + bytes ? "truncated" : "bytes follow the last tensor", file.position(),
        bytes, file.disk_size());
  return header;
}

}  // namespace ff::io
