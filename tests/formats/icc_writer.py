"""ICC profiles made from scratch for the tests: matrix, grey and table profiles."""

import struct

import colour
import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
SPACES = {
    "Display P3": ("Display P3", "sRGB"),
    "Adobe RGB": ("Adobe RGB (1998)", 563 / 256),
    "ProPhoto": ("ProPhoto RGB", 1.8),
    "sRGB": ("sRGB", "sRGB"),
}


def profile(space, tags, device=b"mntr", pcs=b"XYZ ", version=0x04400000):
    """A whole profile out of its tags."""
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, at, len(data))
        body += data
        at += len(data)
    head = struct.pack(">I4sI4s4s4s", at, b"test", version, device, space, pcs)
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    head += struct.pack(">3i", *(round(v * 65536) for v in D50))
    return head.ljust(128, b"\0") + table + body


def text(words):
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", 2 * len(words), 28) + words.encode(
        "utf-16-be"
    )


def xyz(values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(v) * 65536) for v in values))


def gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def points(values):
    codes = [round(float(v) * 65535) for v in values]
    return b"curv\0\0\0\0" + struct.pack(f">I{len(codes)}H", len(codes), *codes)


def parametric(kind, *numbers):
    return b"para\0\0\0\0" + struct.pack(f">HH{len(numbers)}i", kind, 0, *(round(n * 65536) for n in numbers))


SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def matrix(name, curve=None, extra=None):
    """A matrix/TRC profile of one of `SPACES`, adapted to D50 by colour-science."""
    known, default = SPACES[name]
    space = colour.RGB_COLOURSPACES[known]
    white = colour.xy_to_XYZ(space.whitepoint)
    adapted = (
        colour.adaptation.matrix_chromatic_adaptation_VonKries(white, D50, "Bradford")
        @ space.matrix_RGB_to_XYZ
    )
    if curve is None:
        curve = SRGB_CURVE if default == "sRGB" else gamma(default)
    tags = {b"desc": text(name), b"wtpt": xyz(D50)}
    tags |= {f"{c}XYZ".encode(): xyz(adapted[:, i]) for i, c in enumerate("rgb")}
    tags |= {f"{c}TRC".encode(): curve for c in "rgb"}
    return profile(b"RGB ", tags | (extra or {}))


def grey(curve):
    return profile(b"GRAY", {b"desc": text("grey"), b"wtpt": xyz(D50), b"kTRC": curve})


def lut(space, function, device=b"prtr", points_per_side=9):
    """A table profile (lut16Type, Lab PCS): `function` maps device values (..., n) in [0, 1] to Lab."""
    n = {b"RGB ": 3, b"CMYK": 4, b"GRAY": 1}[space]
    side = np.linspace(0, 1, points_per_side)
    lab = function(np.stack(np.meshgrid(*[side] * n, indexing="ij"), -1)).reshape(-1, 3)
    codes = np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], 1)
    codes = codes.round().clip(0, 65535).astype(">u2")
    tag = struct.pack(
        ">4sI4B9i2H", b"mft2", 0, n, 3, points_per_side, 0, *np.eye(3, dtype=int).ravel() * 65536, 2, 2
    )
    tag += struct.pack(f">{2 * n}H", *[0, 65535] * n) + codes.tobytes() + struct.pack(">6H", *[0, 65535] * 3)
    tags = {b"desc": text("table"), b"wtpt": xyz(D50), b"A2B0": tag}
    return profile(space, tags, device=device, pcs=b"Lab ", version=0x02400000)
