"""Constants of the standards, computed once by colour-science and kept beside this file.

`python -m sdr2hdr.color.tables` writes `tables.npz`; the tests compare every entry with colour-science as it is
installed. So a run needs no colour-science import (two to three seconds), and colour-science stays the source.
"""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE = Path(__file__).with_name("tables.npz")
CODES = 65536  # entries of a curve's table: one per 16-bit code


@cache
def table(name: str) -> npt.NDArray[np.float64]:
    """One table, float64.

    srgb_to_linear, linear_to_srgb : (65536,) IEC 61966-2-1 decoding and encoding of code / 65535
    bt709_to_bt2020, bt2020_to_bt709, bt2020_to_p3, bt2020_to_acescg, bt2020_to_xyz : (3, 3) linear light, ITU-R BT.2087
    pq : (5,) m1, m2, c1, c2, c3 of SMPTE ST 2084, 5.2
    chromaticities_bt2020, chromaticities_bt709, chromaticities_p3, chromaticities_acescg : (8,) x, y of R, G, B, W
    spectral_locus : (N, 3) wavelength in nm, x and y of its light, CIE 1931 2 degree observer
    """
    with np.load(FILE) as file:
        return np.asarray(file[name], dtype=np.float64)


def compute() -> dict[str, npt.NDArray[np.float64]]:
    """All tables, straight from colour-science (slow: imports it)."""
    import colour
    from colour.models.rgb.transfer_functions.st_2084 import CONSTANTS_ST2084 as st2084

    named = {"bt709": "ITU-R BT.709", "bt2020": "ITU-R BT.2020", "p3": "Display P3", "acescg": "ACEScg"}
    spaces = {key: colour.RGB_COLOURSPACES[name] for key, name in named.items()}

    def matrix(source: str, target: str) -> npt.NDArray[np.float64]:
        # Bradford only where the white points differ (ACEScg: D60)
        return np.asarray(colour.matrix_RGB_to_RGB(spaces[source], spaces[target], "Bradford"), np.float64)

    codes = np.arange(CODES) / (CODES - 1)
    tables = {
        "srgb_to_linear": colour.eotf(codes, "sRGB"),
        "linear_to_srgb": colour.eotf_inverse(codes, "sRGB"),
        "bt709_to_bt2020": matrix("bt709", "bt2020"),
        "bt2020_to_bt709": matrix("bt2020", "bt709"),
        "bt2020_to_p3": matrix("bt2020", "p3"),
        "bt2020_to_acescg": matrix("bt2020", "acescg"),
        "bt2020_to_xyz": spaces["bt2020"].matrix_RGB_to_XYZ,
        "pq": np.array([st2084.m_1, st2084.m_2, st2084.c_1, st2084.c_2, st2084.c_3]),
    }
    for key, space in spaces.items():
        tables[f"chromaticities_{key}"] = np.concatenate([space.primaries.ravel(), space.whitepoint])
    observer = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"]
    visible = (observer.wavelengths >= 380) & (observer.wavelengths <= 700)  # beyond, the locus stands still
    xyz = observer.values[visible]
    tables["spectral_locus"] = np.column_stack(
        [observer.wavelengths[visible], xyz[:, :2] / xyz.sum(1, keepdims=True)]
    )
    return {name: np.asarray(value, np.float64) for name, value in tables.items()}


if __name__ == "__main__":
    np.savez_compressed(FILE, **compute())  # type: ignore[arg-type]
