#include "ff/core/storage.h"

#include <utility>

#include "ff/core/allocator.h"

namespace ff {

Storage::Storage(std::size_t bytes) : data_(static_cast<std::byte*>(allocate(bytes))), bytes_(bytes) {}
Storage::Storage(std::shared_ptr<const void> owner, std::byte* data, std::size_t bytes)
    : data_(data), bytes_(bytes), owner_(std::move(owner)) {}
Storage::~Storage() {
  if (!owner_) deallocate(data_, bytes_);
}

}  // namespace ff
