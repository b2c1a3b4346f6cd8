#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace ff {

/// A block of memory that tensors share. Its version counts the changes made in place, so that autograd can tell when a
/// tensor it saved is no longer what it was.
class Storage {
 public:
  explicit Storage(std::size_t bytes);
  /// Memory of somebody else's, such as a mapped file's, which lives as long as owner does.
  Storage(std::shared_ptr<const void> owner, std::byte* data, std::size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::byte* data_;
  std::size_t bytes_;
  std::shared_ptr<const void> owner_;  // null: the memory is the allocator's
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace ff
