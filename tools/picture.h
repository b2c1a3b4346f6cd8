#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ff/core/tensor.h"
#include "ff/models/run_config.h"

/// Small pictures of pixels, to be put into pages.
namespace ff::tools {

/// Rows from the top, channels side by side: 1 is grey, 3 are red, green and blue.
struct Pixels {
  std::int64_t height = 0, width = 0, channels = 1;
  std::vector<std::uint8_t> bytes;
};

/// As PNG in a data: URI, for an <img> or <image>.
std::string png_uri(const Pixels& pixels);

/// An image as a model is given it, (C, H, W) normalised by mean and std (a number a channel, or one for all); of other
/// than 3 channels the first.
Pixels image_pixels(const Tensor& image, std::span<const double> mean, std::span<const double> std);

/// The image that a vision model of that configuration is given, (1, C, H, W), as a data: URI; empty where the
/// configuration is of something else.
std::string shown_image(const models::RunConfig& config, const Tensor& input);

/// Numbers from 0 to the largest, (H, W), as colours from dark to bright that colour-blind people tell apart, too
/// (viridis). Their roots are shown, so that small ones are to be seen. More than `most` rows or columns are shrunk,
/// neighbours to their mean.
Pixels heat_pixels(const Tensor& values, std::int64_t most = 96);

}  // namespace ff::tools
