"""SHA256SUMS beside the weights, as `sha256sum -c` reads it: nothing is loaded that it does not vouch for."""

import hashlib
import re
from pathlib import Path

from sdr2hdr.errors import WeightsError

SUMS = "SHA256SUMS"
CURE = "install sdr2hdr again, or name a folder of weights with --weights"


def stated(where: Path) -> dict[str, str]:
    """SHA-256 by file name, as the folder's SHA256SUMS states them.

    Raises
    ------
    WeightsError
        The file is missing or is not a list of checksums.
    """
    path = where / SUMS
    try:
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise WeightsError(f"{path}: cannot be read ({reason}); {CURE}") from None
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](\S.*)", line)
        if not match:
            raise WeightsError(f"{path}: damaged, {line[:20]!r} is no line of sha256sum; {CURE}")
        found[match[2]] = match[1]
    return found


def verify(where: Path) -> dict[str, str]:
    """Check every file that a folder's SHA256SUMS names; SHA-256 by file name.

    Raises
    ------
    WeightsError
        A file is missing, truncated or altered.
    """
    return {name: sha256(where / name) for name in stated(where)}


def sha256(path: Path) -> str:
    """SHA-256 of an archive, hexadecimal; checked as `read_checked` does."""
    return hashlib.sha256(read_checked(path)).hexdigest()


def read_checked(path: Path) -> bytes:
    """Bytes of an archive whose SHA-256 is what SHA256SUMS beside it says (if there is one).

    Raises
    ------
    WeightsError
        Missing, truncated, altered, or not in the list.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: weights cannot be read ({error.strerror}); {CURE}") from None
    if (path.parent / SUMS).exists():
        expected = stated(path.parent).get(path.name)
        if expected is None:
            raise WeightsError(f"{path}: not listed in {SUMS} beside it; {CURE}")
        if expected != hashlib.sha256(data).hexdigest():
            raise WeightsError(f"{path}: truncated or altered, its checksum is not that of {SUMS}; {CURE}")
    return data


def write(where: Path) -> None:
    """Write SHA256SUMS for all archives of a folder."""
    names = sorted(path.name for path in where.glob("*.pt"))
    lines = [f"{hashlib.sha256((where / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (where / SUMS).write_text("".join(lines), "ascii")
