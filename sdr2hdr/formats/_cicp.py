"""ITU-T H.273 (CICP): code points for colours, as PNG, AVIF, HEIC, JPEG XL and ICC's `cicp` tag hold them."""

from dataclasses import replace

from sdr2hdr.errors import InputError
from sdr2hdr.formats._examined import Chromaticities, Signalling

UNSPECIFIED = 2

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)

# Table 2 of H.273. Codes that name one of the package's own primaries, and the chromaticities of the others.
_PRIMARIES = {1: "bt709", 9: "bt2020", 12: "p3"}
_CHROMATICITIES: dict[int, Chromaticities] = {
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),  # BT.470 System M
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),  # BT.470 System B, G; BT.601 with 625 lines
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),  # BT.601 with 525 lines, SMPTE ST 170
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),  # SMPTE ST 240
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),  # generic film
    11: (
        0.680,
        0.320,
        0.265,
        0.690,
        0.150,
        0.060,
        0.314,
        0.351,
    ),  # SMPTE RP 431-2: P3 with the white of cinemas
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),  # EBU Tech 3213
}

# Table 3. The codes of BT.709, BT.601, BT.2020 and their kin name a camera's curve; what a screen makes of such a
# signal is BT.1886, a power of 2.4, and light is what a screen shows throughout this package.
_TRANSFERS = {
    **dict.fromkeys((1, 6, 7, 11, 12, 14, 15), ("gamma", 2.4)),
    4: ("gamma", 2.2),
    5: ("gamma", 2.8),
    8: ("linear", 1.0),
    13: ("srgb", 2.2),
    16: ("pq", 2.2),
    17: ("gamma", 2.6),  # SMPTE ST 428-1
    18: ("hlg", 2.2),
}


def primaries_of(code: int) -> str:
    """Name of the primaries; "custom" for those in `chromaticities_of`.

    Raises
    ------
    InputError
        Unspecified, reserved, or no RGB.
    """
    if code in _CHROMATICITIES:
        return "custom"
    if code in _PRIMARIES:
        return _PRIMARIES[code]
    raise InputError(f"states primaries by a code that is not supported ({code}); export it again in BT.2020")


def chromaticities_of(code: int) -> Chromaticities | None:
    """x and y of red, green, blue and white of "custom" primaries; None for named ones."""
    return _CHROMATICITIES.get(code)


def transfer_of(code: int) -> tuple[str, float]:
    """`Signalling.transfer` and `Signalling.gamma` (which means something for "gamma" only).

    Raises
    ------
    InputError
        Unspecified, reserved, or a curve that is not supported (logarithms).
    """
    if code in _TRANSFERS:
        return _TRANSFERS[code]
    raise InputError(f"states a transfer by a code that is not supported ({code}); export it again in PQ")


def signalling_of(primaries: int, transfer: int, said_by: str) -> Signalling:
    """What two code points say; `said_by` is the tag's name ("cICP", "nclx").

    What is unspecified is taken as sRGB and BT.709, as readers do; nothing is said if both are.

    Raises
    ------
    InputError
        As for `primaries_of` and `transfer_of`.
    """
    if primaries == UNSPECIFIED and transfer == UNSPECIFIED:
        return Signalling()
    found = Signalling(said_by=(said_by,))
    if primaries != UNSPECIFIED:
        found = replace(found, primaries=primaries_of(primaries), chromaticities=chromaticities_of(primaries))
    if transfer != UNSPECIFIED:
        name, gamma = transfer_of(transfer)
        found = replace(found, transfer=name, gamma=gamma)
    return found
