"""What any picture file says of itself and holds, SDR or HDR, ours or a stranger's."""

from dataclasses import dataclass

from sdr2hdr.image import FloatArray

Chromaticities = tuple[float, float, float, float, float, float, float, float]
TRANSFERS = ("linear", "pq", "hlg", "srgb", "gamma")  # what `Signalling.transfer` may be


@dataclass(frozen=True)
class Signalling:
    """What the code values mean.

    transfer : one of `TRANSFERS`; "gamma" with its exponent in `gamma` (BT.709's and BT.1886's curves are 2.4)
    primaries : "bt709", "p3", "bt2020", "acescg", "aces", or "custom"
    said_by : what in the file says so, in the order in which readers believe it: "cICP", "nclx", "ICC profile",
        "chromaticities", "gain map (ISO 21496-1)", ...; empty: nothing does, the values are assumed
    chromaticities : x and y of red, green, blue and white (CIE 1931), where they are none of the names
    white_nits : luminance of linear 1.0 that the file states, or None
    max_cll, max_fall : levels that the file states, cd/m2, or None
    peak_nits : peak of the mastering screen that the file states, cd/m2, or None
    headroom : of a gain map, log2 of the brightest light over SDR white; None where there is none
    """

    transfer: str = "srgb"
    primaries: str = "bt709"
    said_by: tuple[str, ...] = ()
    gamma: float = 2.2
    chromaticities: Chromaticities | None = None
    white_nits: float | None = None
    max_cll: float | None = None
    max_fall: float | None = None
    peak_nits: float | None = None
    headroom: float | None = None


@dataclass(frozen=True)
class Examined:
    """A picture file, read for what it is.

    format : "exr", "avif", "uhdr", ...
    bits : per channel; floating : whether they are floating point
    light : (3, H, W) float32, linear, BT.2020 primaries (negative outside of them), 1.0 = 203 cd/m2, with any gain map
        applied in full
    clipped : share of the pixels one of whose channels holds the largest code (an infinity, in floating point)
    notes : what viewers will do wrong with it, and why, each a sentence; empty where nothing is amiss
    recipe : of a file that this program wrote, else empty
    """

    format: str
    bits: int
    floating: bool
    signalling: Signalling
    light: FloatArray
    clipped: float
    notes: tuple[str, ...] = ()
    recipe: dict[str, str] | None = None
