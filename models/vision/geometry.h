#pragma once

#include <array>
#include <vector>

#include "ff/models/vision/resize.h"

namespace ff::models {

/// What is in box, which may reach beyond the image; there it is black.
Image crop(const Image& image, const Box& box);

/// The middle of a frame of so many pixels, as torchvision's CenterCrop places it.
Box center_box(std::int64_t height, std::int64_t width, std::int64_t box_height, std::int64_t box_width);

/// Mirrors left and right.
void flip_horizontal(Image& image);

/// Maps pixel centres of the result to places of the image, x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5],
/// and takes the value there; fill (a number a channel) where that is outside. To the byte Pillow's
/// Image.transform(.., AFFINE, m, resample, fillcolor), whose bicubic has a = -1 here; nearest may be the neighbour
/// where both are as near, as Pillow computes places in fixed point.
Image affine(const Image& image, const std::array<double, 6>& m, Interpolation interpolation,
             const std::vector<std::uint8_t>& fill);

/// Turns the image about its middle, counter-clockwise, as Pillow's Image.rotate() without expand.
Image rotate(const Image& image, double degrees, Interpolation interpolation, const std::vector<std::uint8_t>& fill);

}  // namespace ff::models
