#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the files in references/ that the dataset tests compare with. Needs python3-pil and python3-numpy.

Pillow's results are stored as PNG, NumPy's files as NumPy writes them, so that the tests need neither.
"""
import io
import pathlib

import numpy as np
from PIL import Image

OUT = pathlib.Path(__file__).parent / "references"


def picture(height, width, channels, seed):
    """Waves, a sharp edge and some noise: every path of a filter and of a decoder is used."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    values = 127 + 90 * np.sin(x / 5.0 + c) * np.cos(y / 7.0 - c) + 60 * (x > 2 * y)
    values += np.random.default_rng(seed).integers(-20, 20, values.shape)
    pixels = np.clip(values, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def resizing():
    sources = {
        "colour": (picture(29, 37, 3, 1), [(11, 13), (12, 37), (29, 16), (41, 50), (7, 60), (1, 1), (28, 36)]),
        "gray": (picture(40, 33, 1, 2), [(20, 16), (13, 11), (47, 39), (40, 20), (9, 61)]),
        "wide": (picture(3, 200, 3, 3), [(40, 7), (2, 30), (3, 199), (6, 400)]),
        "pixel": (picture(1, 1, 3, 4), [(5, 4)]),
        "stripes": (Image.fromarray(np.tile(np.array([0, 255], np.uint8), (16, 16))), [(8, 8), (5, 21), (16, 31)]),
    }
    for name, (image, sizes) in sources.items():
        image.save(OUT / f"source_{name}.png", optimize=True)
        for height, width in sizes:
            result = image.resize((width, height), Image.BILINEAR)
            result.save(OUT / f"resize_{name}_{height}x{width}.png", optimize=True)
    # torchvision: Resize(16) on the shorter side, then CenterCrop(13), gray after Pillow's "L"
    image = sources["colour"][0]
    shorter = image.resize((int(16 * 37 / 29), 16), Image.BILINEAR)
    left, top = round((shorter.width - 13) / 2), round((16 - 13) / 2)
    shorter.crop((left, top, left + 13, top + 13)).save(OUT / "pipeline_16_13.png", optimize=True)
    image.convert("L").save(OUT / "gray_of_colour.png", optimize=True)


def decoding():
    image = picture(45, 61, 3, 5)
    gray = picture(30, 23, 1, 6)
    jpegs = {
        "420": (image, dict(quality=80, subsampling="4:2:0")),
        "422": (image, dict(quality=60, subsampling="4:2:2")),
        "444": (image, dict(quality=95, subsampling="4:4:4")),
        "progressive": (image, dict(quality=70, progressive=True)),
        "gray": (gray, dict(quality=75)),
    }
    for name, (source, options) in jpegs.items():
        packed = io.BytesIO()
        source.save(packed, "JPEG", **options)
        (OUT / f"decode_{name}.jpg").write_bytes(packed.getvalue())
        Image.open(packed).save(OUT / f"decoded_{name}.png", optimize=True)
    image.convert("CMYK").save(OUT / "cmyk.jpg", quality=75)

    small = picture(11, 14, 3, 7)
    alpha = Image.fromarray((np.arange(11 * 14) % 256).astype(np.uint8).reshape(11, 14))
    rgba = small.copy()
    rgba.putalpha(alpha)
    palette = small.quantize(13)
    pngs = {
        "rgb": (small, {}),
        "rgba": (rgba, {}),
        "palette": (palette, {}),
        "palette_transparent": (palette, dict(transparency=2)),
        "gray_alpha": (rgba.convert("LA"), {}),
        "bits1": (small.convert("1"), {}),
        "palette_bits2": (small.quantize(4), dict(bits=2)),
    }
    for name, (source, options) in pngs.items():
        packed = io.BytesIO()
        source.save(packed, "PNG", **options)
        (OUT / f"decode_{name}.png").write_bytes(packed.getvalue())
        mode = "L" if source.mode in ("L", "LA", "1") else "RGB"
        Image.open(packed).convert(mode).save(OUT / f"decoded_{name}.png", optimize=True)
    # 16 bits a sample: the high byte counts
    deep = (np.arange(6 * 5, dtype=np.uint32) * 2113 % 65536).astype(np.uint16).reshape(6, 5)
    Image.fromarray(deep).save(OUT / "decode_gray16.png")
    Image.fromarray((deep >> 8).astype(np.uint8)).save(OUT / "decoded_gray16.png")


def arrays():
    def counting(dtype, *shape):
        return (np.arange(np.prod(shape)) * 7 % 251).reshape(shape).astype(dtype)

    labels = np.array([3, 0, 65535, 1])
    np.savez(OUT / "u8_nhw.npz", x=counting("u1", 4, 3, 2), y=labels)
    np.savez_compressed(OUT / "u8_nhwc.npz", images=counting("u1", 4, 3, 2, 3), labels=labels.astype("u1") % 10)
    np.savez(OUT / "u8_nchw.npz", counting("u1", 4, 3, 5, 4), labels.astype("i4"))
    np.savez(OUT / "f4.npz", x=counting("f4", 4, 3, 2, 5) / 4, y=labels.astype("f4"))
    np.savez(OUT / "f8.npz", x=counting("f8", 4, 6), y=labels.reshape(4, 1))
    np.savez(OUT / "i4.npz", x=-counting("i4", 4, 2, 2), y=labels)
    np.savez(OUT / "i8.npz", x=counting("i8", 4, 2, 2), y=labels)
    np.savez(OUT / "x_only.npz", x=counting("u1", 4, 3, 2))
    np.savez(OUT / "fortran.npz", x=np.asfortranarray(counting("u1", 4, 3, 2)), y=labels)
    np.savez(OUT / "big_endian.npz", x=counting(">f4", 4, 3), y=labels)
    np.savez(OUT / "float16.npz", x=counting("f2", 4, 3), y=labels)
    np.savez(OUT / "label_count.npz", x=counting("u1", 4, 3, 2), y=labels[:3])
    np.savez(OUT / "label_range.npz", x=counting("u1", 4, 3, 2), y=labels + 1)
    np.savez(OUT / "label_negative.npz", x=counting("u1", 4, 3, 2), y=labels - 1)
    np.savez(OUT / "label_fraction.npz", x=counting("u1", 4, 3, 2), y=labels + 0.5)
    np.savez(OUT / "one_hot.npz", x=counting("u1", 4, 3, 2), y=np.eye(4))
    np.savez(OUT / "odd_shape.npz", x=counting("u1", 4, 2, 2, 5), y=labels)
    np.savez(OUT / "scalar.npz", x=np.float32(1), y=labels)
    np.savez(OUT / "nan.npz", x=np.array([[1, 2], [3, np.nan], [5, 6], [7, 8]], "f4"), y=labels)
    np.savez(OUT / "empty.npz")
    np.save(OUT / "small_x.npy", counting("u1", 4, 3, 2))
    np.save(OUT / "small_y.npy", labels)


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    resizing()
    decoding()
    arrays()


main()
