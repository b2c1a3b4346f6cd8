#include "ff/core/call_site.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

namespace ff {
namespace {

thread_local const CallSite* innermost = nullptr;

// The folder that this project was compiled in, with a slash.
std::string_view root() {
  constexpr std::string_view here = __FILE__, own = "core/call_site.cpp";
  return here.ends_with(own) ? here.substr(0, here.size() - own.size()) : "";
}

std::string_view relative(std::string_view file) {
  if (!root().empty() && file.starts_with(root())) file.remove_prefix(root().size());
  return file;
}

}  // namespace

bool Where::in_library() const {
  if (!known() || root().empty() || !std::string_view(file).starts_with(root())) return false;
  const std::string_view path = relative(file);
  return path.starts_with("core/") || path.starts_with("autograd/") || path.starts_with("nn/") ||
         path.starts_with("optim/");
}

std::string Where::str() const { return known() ? std::string(relative(file)) + ":" + std::to_string(line) : ""; }

bool Where::operator==(const Where& other) const {
  return line == other.line && known() == other.known() && (!known() || std::strcmp(file, other.file) == 0);
}

CallSite::CallSite(Where where, Level level)
    : where_(where),
      level_(level),
      entered_(level != Level::op || innermost == nullptr || innermost->level_ == Level::module),
      outer_(innermost) {
  if (entered_) innermost = this;
}

CallSite::~CallSite() {
  if (entered_) innermost = outer_;
}

Where CallSite::current() { return innermost != nullptr ? innermost->where_ : Where::unknown(); }

std::string CallSite::trace() {
  std::vector<Where> lines, library;
  for (const CallSite* site = innermost; site != nullptr; site = site->outer_) {
    if (!site->where_.known()) continue;
    std::vector<Where>& list = site->where_.in_library() ? library : lines;
    if (list.empty() || !(list.back() == site->where_)) list.push_back(site->where_);
  }
  constexpr std::size_t most = 4;
  if (lines.empty()) lines = std::move(library);
  if (lines.empty()) return "";
  std::string text = " (at " + lines[0].str();
  for (std::size_t i = 1; i < std::min(lines.size(), most); ++i) text += ", called at " + lines[i].str();
  return text + ")";
}

}  // namespace ff
