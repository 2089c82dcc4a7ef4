"""Which look and which peak a format gets when nobody says so."""

from pathlib import Path

from sdr2hdr import checkpoint, formats

INSTEAD: str | None = "scene"  # look where there are no weights of the format's own; None: that is an error


def look(format_name: str, weights: Path | None = None) -> str:
    """A format's own look, if the weights that are in force have it; else `INSTEAD`.

    Parameters
    ----------
    weights : folder that the user named
    """
    own: str = getattr(formats.encoder(format_name), "LOOK", "display")
    return own if INSTEAD is None or checkpoint.has(own, weights) else INSTEAD


def peak_nits(format_name: str) -> float:
    """A format's own peak in cd/m2."""
    own: float = formats.encoder(format_name).PEAK_NITS
    return own
