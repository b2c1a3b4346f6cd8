#pragma once

#include <stdexcept>
#include <string>

namespace ff {

/// A mistake of the caller: shapes, dtypes, files, configuration. The message reads `[op] what was wrong: the values`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A mistake of this library. Nothing a caller passes should be able to raise it.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& what)
      : std::logic_error(what + " (a bug in FourierFormer: please report it)") {}
};

}  // namespace ff
