#include "ff/core/storage.h"

#include "ff/core/allocator.h"

namespace ff {

Storage::Storage(std::size_t bytes) : data_(static_cast<std::byte*>(allocate(bytes))), bytes_(bytes) {}
Storage::~Storage() { deallocate(data_, bytes_); }

}  // namespace ff
