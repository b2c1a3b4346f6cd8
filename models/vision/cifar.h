#pragma once

#include <string>
#include <vector>

#include "ff/core/io/image.h"

namespace ff::models {

/// Images of CIFAR-10 (Krizhevsky 2009), 32 x 32 and coloured, with labels from 0 to 9.
struct CifarImages {
  std::vector<Image> images;
  std::vector<std::int64_t> labels;
};

/// Reads a file of the binary version, plain or gzip, and puts its images behind those that are there: records of a
/// label and three planes of 1024 bytes. Throws Error naming path and record where the file is anything else.
void read_cifar10(const std::string& path, CifarImages& to);

/// The files of a folder of the binary version: data_batch_1.bin to data_batch_5.bin, or test_batch.bin.
std::vector<std::string> cifar10_files(const std::string& folder, bool train);

}  // namespace ff::models
