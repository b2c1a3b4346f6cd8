#!/usr/bin/env python3
"""Writes tests/golden/images.safetensors, small JPEG and PNG files and what Pillow reads in them: a file NAME is
"file/NAME", its pixels "grey/NAME" (h, w) and "rgb/NAME" (h, w, 3). Writes tests/golden/image_transforms.safetensors,
what Pillow makes of "image" (h, w, 3) by transforms of one name each. `--full DIR` writes the transforms of a larger
image to another folder; FF_GOLDEN_DIR=DIR has build/tests/test_models look there, too. Needs Pillow and numpy.
"""

import argparse
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import safetensors_file  # noqa: E402  pylint: disable=wrong-import-position


def picture(height, width, seed):
    """Slopes, edges and some noise, u8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    channels = [200 * x + 30, 255 * (np.sin(9 * x) * np.cos(7 * y) * 0.5 + 0.5), 220 * (x + y > 0.7) + 20 * y]
    return np.clip(np.stack(channels, -1) + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(samples, bits, colour, chunks=(), interlaced=False):
    """A PNG of samples (h, w, channels) of so many bits, as Pillow does not write it. Without filters."""
    height, width, _ = samples.shape

    def packed(row):
        if bits == 16:
            return row.astype(">u2").tobytes()
        binary = (row[:, None] >> np.arange(bits - 1, -1, -1)) & 1
        return np.packbits(binary.astype(np.uint8)).tobytes()

    passes = [samples[y::dy, x::dx] for x, y, dx, dy in (ADAM7 if interlaced else ((0, 0, 1, 1),))]
    raw = b"".join(b"\0" + packed(row.reshape(-1)) for part in passes if part.size for row in part)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)),
                     *(chunk(*c) for c in chunks), chunk(b"IDAT", zlib.compress(raw, 9)), chunk(b"IEND", b"")])


def files():
    """{name: bytes}"""
    rgb = Image.fromarray(picture(11, 18, 1))
    rng = np.random.default_rng(2)
    alpha = Image.fromarray(rng.integers(0, 256, (11, 18), dtype=np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey_alpha = rgb.convert("LA")
    grey_alpha.putalpha(alpha)
    palette = rgb.quantize(13)
    cmyk = Image.merge("CMYK", [*rgb.split(), alpha])
    out = {
        "jpeg_444": saved(rgb, "JPEG", quality=90, subsampling=0),
        "jpeg_420": saved(rgb, "JPEG", quality=75, subsampling=2),
        "jpeg_422": saved(rgb, "JPEG", quality=75, subsampling=1),
        "jpeg_progressive": saved(rgb, "JPEG", quality=80, progressive=True, optimize=True),
        "jpeg_grey": saved(rgb.convert("L"), "JPEG", quality=85),
        "jpeg_cmyk": saved(cmyk, "JPEG", quality=90),
        "png_rgb": saved(rgb, "PNG"),
        "png_rgba": saved(rgba, "PNG"),
        "png_grey": saved(rgb.convert("L"), "PNG"),
        "png_grey_alpha": saved(grey_alpha, "PNG"),
        "png_palette": saved(palette, "PNG"),
        "png_palette_transparent": saved(palette, "PNG", transparency=3),
        "png_bilevel": saved(rgb.convert("1"), "PNG"),
        "png_gamma": png(picture(6, 5, 3), 8, 2, [(b"gAMA", struct.pack(">I", 100000))]),
        "png_grey_2_bits": png(rng.integers(0, 4, (5, 7, 1)), 2, 0),
        "png_grey_4_bits": png(rng.integers(0, 16, (5, 7, 1)), 4, 0, [(b"tRNS", b"\0\3")]),
        "png_rgb_16_bits": png(rng.integers(0, 65536, (5, 7, 3)), 16, 2),
        "png_rgba_16_bits": png(rng.integers(0, 65536, (5, 7, 4)), 16, 6),
        "png_interlaced": png(picture(11, 13, 5), 8, 2, interlaced=True),
        "png_interlaced_1_bit": png(rng.integers(0, 2, (9, 11, 1)), 1, 0, interlaced=True),
        "png_interlaced_narrow": png(picture(5, 2, 6), 8, 2, interlaced=True),
    }
    return out


def file_arrays():
    arrays = {}
    for name, contents in files().items():
        image = Image.open(io.BytesIO(contents))
        arrays |= {f"file/{name}": np.frombuffer(contents, np.uint8), f"grey/{name}": np.array(image.convert("L")),
                   f"rgb/{name}": np.array(image.convert("RGB"))}
    return arrays


BILINEAR, BICUBIC, NEAREST = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.NEAREST
FILTERS = {"nearest": NEAREST, "bilinear": BILINEAR, "bicubic": BICUBIC}
FILL = (124, 116, 104)


def hue_turned(image, turns):
    """torchvision's adjust_hue()."""
    hue, saturation, value = image.convert("HSV").split()
    shifted = (np.array(hue, np.int64) + int(turns * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(shifted.astype(np.uint8)), saturation, value)).convert("RGB")


def transforms(image):
    """{name: Pillow image}"""
    width, height = image.size
    sizes = {"smaller": (width * 2 // 5, height // 2), "larger": (width * 4 // 3, height * 7 // 5),
             "narrower": (width // 3, height), "higher": (width, height * 4 // 3)}
    box = (2, 3, width - 3, height - 1)
    moved = {"shear_x": (1, 0.23, 0, 0, 1, 0), "shear_y": (1, 0, 0, -0.17, 1, 0), "move_x": (1, 0, 4.4, 0, 1, 0),
             "move_y": (1, 0, 0, 0, 1, -2)}
    out = {f"resize {name} {kind}": image.resize(size, method)
           for name, size in sizes.items() for kind, method in FILTERS.items()}
    out |= {f"resize box {kind}": image.crop(box).resize((9, 8), method) for kind, method in FILTERS.items()}
    out |= {f"{name} {kind}": image.transform(image.size, Image.Transform.AFFINE, m, method, fillcolor=FILL)
            for name, m in moved.items() for kind, method in FILTERS.items()}
    out |= {f"rotate {degrees} {kind}": image.rotate(degrees, method, fillcolor=FILL)
            for degrees in (17.3, -30, 180) for kind, method in FILTERS.items() if method != NEAREST}
    for name, enhance in {"brightness": ImageEnhance.Brightness, "contrast": ImageEnhance.Contrast,
                          "saturation": ImageEnhance.Color, "sharpness": ImageEnhance.Sharpness}.items():
        out |= {f"{name} {factor}": enhance(image).enhance(factor) for factor in (0.1, 0.73, 1.9)}
    out |= {f"hue {turns}": hue_turned(image, turns) for turns in (0, 0.3, -0.5)}
    dim = Image.eval(image, lambda x: x // 2 + 30)
    return out | {"dim": dim, "auto_contrast": ImageOps.autocontrast(dim), "equalize": ImageOps.equalize(image),
                  "invert": ImageOps.invert(image), "posterize 3": ImageOps.posterize(image, 3),
                  "solarize 100": ImageOps.solarize(image, 100),
                  "solarize_add 60": image.point([min(255, i + 60) if i < 128 else i for i in range(256)] * 3),
                  "flip": ImageOps.mirror(image)}


def write(path, arrays):
    safetensors_file.write(path, arrays)
    print(f"{path}: {len(arrays)} arrays, {path.stat().st_size:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, metavar="DIR", help="write the transforms of a larger image to DIR")
    full = parser.parse_args().full
    folder = full or Path(__file__).resolve().parents[2] / "tests" / "golden"
    if not full:
        write(folder / "images.safetensors", file_arrays())
    image = Image.fromarray(picture(205, 307, 4) if full else picture(10, 14, 4))
    made = {"image": image} | transforms(image)
    write(folder / "image_transforms.safetensors", {name: np.array(result) for name, result in made.items()})


if __name__ == "__main__":
    main()
