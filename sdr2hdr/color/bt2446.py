"""Report ITU-R BT.2446-1, methods A and C: HDR display light -> SDR display light, BT.2020 primaries on both sides.

Constants stand here as the report prints them.
"""

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

SDR_NITS = 100.0  # the SDR display of both methods
MASTER_NITS = 1000.0  # the HDR display that method A's curve was made for
LUMA = (0.2627, 0.6780, 0.0593)  # BT.2020, table 4: E'Y
CB, CR = 1.8814, 1.4746  # BT.2020, table 4: divisors of the colour differences
GAMMA = 2.4

# Table 2 of method A: the knees in Y'p, and Y'c in the three ranges.
A_KNEES = (0.7399, 0.9909)
A_LOW, A_MIDDLE, A_HIGH = 1.0770, (-1.1510, 2.7811, -0.6302), (0.5000, 0.5000)

# Clause 6.1.4 of method C.
C_K1, C_K2, C_K3, C_K4 = 0.83802, 15.09968, 0.74204, 78.99439
C_INFLECTION_NITS = 58.5 / C_K1


def curve_a(luma: FloatArray, master_nits: float = MASTER_NITS) -> FloatArray:
    """Method A's tone mapping of luma (clause 4, table 2): Y' (HDR, 1/2.4 power) -> Y'SDR, both in [0, 1]."""
    hdr, sdr = (1 + 32 * (nits / 10000) ** (1 / GAMMA) for nits in (master_nits, SDR_NITS))
    p = np.log1p(np.float32(hdr - 1) * luma) / np.float32(np.log(hdr))
    a, b, c = A_MIDDLE
    middle = (a * p + b) * p + c
    high = A_HIGH[0] * p + A_HIGH[1]
    compressed = np.where(p <= A_KNEES[0], A_LOW * p, np.where(p < A_KNEES[1], middle, high))
    result: FloatArray = (np.exp(compressed * np.float32(np.log(sdr))) - 1) / np.float32(sdr - 1)
    return result


def method_a(nits: FloatArray, master_nits: float = MASTER_NITS) -> FloatArray:
    """Method A (clause 4, tables 2 and 3).

    Parameters
    ----------
    nits : (H, W, 3) float32, BT.2020 light in cd/m2; above `master_nits` it clips
    master_nits : peak of the HDR display

    Returns
    -------
    (H, W, 3) float32, BT.2020 light in [0, 1], 1.0 = SDR white
    """
    signal = cv2.pow(np.clip(nits / np.float32(master_nits), 0, 1), 1 / GAMMA)
    luma = cv2.transform(signal, np.array([LUMA], np.float32))
    mapped = curve_a(luma, master_nits)
    scale = mapped / np.maximum(1.1 * luma, np.float32(1e-6))
    cb, cr = scale * (signal[..., 2] - luma) / CB, scale * (signal[..., 0] - luma) / CR
    mapped = mapped - np.maximum(0.1 * cr, 0)
    red, blue = mapped + CR * cr, mapped + CB * cb
    green = (mapped - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    out: FloatArray = cv2.pow(np.clip(cv2.merge([red, green, blue]), 0, 1).astype(np.float32), GAMMA)
    return out


def curve_c(nits: FloatArray) -> FloatArray:
    """Method C's tone mapping of luminance (clause 6.1.4): cd/m2 -> cd/m2 on the SDR display, white = 100."""
    ratio = np.maximum(nits / np.float32(C_INFLECTION_NITS), 1)
    logarithmic = C_K2 * np.log(ratio - np.float32(C_K3)) + C_K4
    result: FloatArray = np.where(nits < C_INFLECTION_NITS, C_K1 * nits, logarithmic).astype(np.float32)
    return result


def method_c(nits: FloatArray, crosstalk: float = 0.0) -> FloatArray:
    """Method C (clause 6.1), without its optional chroma correction; above SDR white it clips.

    Parameters
    ----------
    nits : (H, W, 3) float32, BT.2020 light in cd/m2
    crosstalk : alpha of the crosstalk matrix (clause 6.1.2), 0 .. 0.33: how much a colour's luminance is taken for
        that of a grey when it is mapped

    Returns
    -------
    (H, W, 3) float32, BT.2020 light in [0, 1], 1.0 = SDR white
    """
    matrix = np.full((3, 3), crosstalk) + np.eye(3) * (1 - 3 * crosstalk)
    luminance = cv2.transform(nits, (np.array([LUMA]) @ matrix).astype(np.float32))
    # x and y of the colour stay (6.1.3, 6.1.5): R, G and B are scaled as Y is, and the inverse matrix (6.1.6) undoes
    # the first one exactly
    scale = curve_c(luminance) / np.maximum(luminance * np.float32(SDR_NITS), np.float32(1e-6))
    out: FloatArray = np.clip(nits * scale[..., None], 0, 1)
    return out
