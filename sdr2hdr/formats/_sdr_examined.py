"""Files that can only be SDR, examined through their readers."""

from types import ModuleType

import numpy as np

from sdr2hdr.formats._examined import Examined, Signalling
from sdr2hdr.formats._light import light_of


def examined_sdr(module: ModuleType, data: bytes) -> Examined:
    """What a format's `decode` makes of a file: sRGB, into which an ICC profile, where there is one, was converted.

    Raises
    ------
    InputError
        As for the format's `decode`.
    """
    image = module.decode(data)
    signalling = Signalling(said_by=("ICC profile",) if image.profile else ())
    clipped = float(np.mean((image.signal >= 1).any(0)))
    light = light_of(image.signal.transpose(1, 2, 0), signalling)
    return Examined(image.format, image.bits, False, signalling, light, clipped, recipe={})
