#pragma once

#include <map>
#include <string>

#include "ff/core/named_tensors.h"

/// The safetensors format: the length of the header (8 bytes, little-endian), the header (JSON: of every tensor its
/// dtype, shape and place), then the elements without gaps.
namespace ff {

/// What a file says of itself beside its tensors.
using FileMetadata = std::map<std::string, std::string>;

/// Writes tensors to path, atomically. The bytes depend on names, tensors and metadata alone: the wider dtypes come
/// first so that every tensor is aligned, within a width names are in order, and the header is padded with spaces to a
/// multiple of 8 bytes. Throws Error where a tensor is undefined or a name is not UTF-8.
void save_safetensors(const std::string& path, const TensorMap& tensors, const FileMetadata& metadata = {});

/// Reads all tensors of a file, which may have been written by others: any order of names and dtypes, any alignment.
/// Throws Error naming path and field where a byte of it is not as the format says, or a dtype is not one of ours.
TensorMap load_safetensors(const std::string& path);

/// The metadata alone; the header is checked as load_safetensors() does.
FileMetadata load_safetensors_metadata(const std::string& path);

}  // namespace ff
