"""Give SDR pictures back the light that clipping took.

    >>> import numpy, sdr2hdr
    >>> convert = sdr2hdr.Converter()  # loads the nets once
    >>> sdr = numpy.full((32, 48, 3), 200, numpy.uint8)  # an array, sRGB-encoded; or the name of a file
    >>> hdr = convert(sdr)
    >>> hdr.rgb.shape, hdr.white_nits  # linear light, BT.2020, 1.0 = SDR white = 203 cd/m2
    ((32, 48, 3), 203.0)

`Converter` is what the command line uses, too; `Settings` has its options, `read` and `write` its files, and the errors
are the tree in `sdr2hdr.errors`. Names are loaded when they are asked for: `import sdr2hdr` alone imports no PyTorch,
and no NumPy.

The floors of the house; a module imports only from lower ones:

    cli                                       words typed by people
    jobs, training, inspection                uses of the method
    pipeline                                  the method, in order
    grade                                     the virtual camera of the display look
    formats, decompose, camera                its steps
    mask, wls, scale, tonemap, checkpoint     what the steps need
    drawing                                   labelled pictures
    networks                                  the nets
    color, image, device                      things that know only numbers
    errors, registry                          words
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdr2hdr.errors import InputError, OutputError, Sdr2HdrError, UsageError, WeightsError
    from sdr2hdr.formats import EncodeOptions, read, write
    from sdr2hdr.image import HdrImage, SdrImage
    from sdr2hdr.pipeline import Converter, Report
    from sdr2hdr.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Converter",
    "EncodeOptions",
    "HdrImage",
    "InputError",
    "OutputError",
    "Report",
    "Sdr2HdrError",
    "SdrImage",
    "Settings",
    "UsageError",
    "WeightsError",
    "__version__",
    "read",
    "write",
]

_PLACES = {
    "errors": ("InputError", "OutputError", "Sdr2HdrError", "UsageError", "WeightsError"),
    "formats": ("EncodeOptions", "read", "write"),
    "image": ("HdrImage", "SdrImage"),
    "pipeline": ("Converter", "Report"),
    "settings": ("Settings",),
}


def __getattr__(name: str) -> Any:
    """PEP 562: import what a public name stands for, when it is first asked for."""
    for module, names in _PLACES.items():
        if name in names:
            value = getattr(importlib.import_module(f"sdr2hdr.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is public, loaded or not."""
    return sorted({*globals(), *__all__})
