#pragma once

#include "ff/core/io/image.h"

/// Changes of an image's colours in place, each to the byte what Pillow's ImageEnhance and ImageOps give.
namespace ff::models {

/// Blends with black, the mean grey, the grey image, the smoothed image: a factor of 0 gives that, 1 the image as it
/// is, more goes beyond.
void adjust_brightness(Image& image, double factor);
void adjust_contrast(Image& image, double factor);
void adjust_saturation(Image& image, double factor);
void adjust_sharpness(Image& image, double factor);

/// Turns the hue by so many turns, from -0.5 to 0.5, as torchvision's adjust_hue() in Pillow's HSV of 8 bits. Grey
/// images have none.
void adjust_hue(Image& image, double turns);

/// Stretches each channel to reach from 0 to 255.
void auto_contrast(Image& image);
/// Makes the histogram of each channel flat.
void equalize(Image& image);
void invert(Image& image);
/// Keeps so many upper bits, 0 to 8.
void posterize(Image& image, int bits);
/// Inverts what is threshold or above.
void solarize(Image& image, int threshold);
/// Adds to what is below 128.
void solarize_add(Image& image, int add);

}  // namespace ff::models
