"""The page that lists the pages of several pictures."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

import numpy as np

from sdr2hdr import scale
from sdr2hdr.report import words
from sdr2hdr.report.page import GENERATOR, policy, text
from sdr2hdr.report.subject import Subject, page_size

THUMBNAIL = 480  # long side, pixels
_QUALITY = 80


@dataclass(frozen=True)
class Entry:
    """One picture of the list.

    name, lead : to be shown
    address : of its page, relative to the list, quoted
    thumbnail : JPEG
    """

    name: str
    lead: str
    address: str
    thumbnail: bytes


def entry(subject: Subject, page: Path, index: Path) -> Entry:
    """The entry of a page that is (or will be) at `page`, in a list at `index`."""
    import imagecodecs

    small = scale.shrink(subject.sdr, page_size((subject.sdr.shape[1], subject.sdr.shape[2]), THUMBNAIL))[
        0
    ].numpy()
    codes = np.ascontiguousarray(np.rint(small * 255).astype(np.uint8).transpose(1, 2, 0))
    jpeg = bytes(imagecodecs.jpeg8_encode(codes, level=_QUALITY, optimize=True))
    return Entry(subject.name, words.lead(subject), address(page, index.parent), jpeg)


def address(path: Path, folder: Path) -> str:
    """A relative address, quoted byte for byte: the name may be anything that a file system takes."""
    return quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))


def index(entries: Sequence[Entry], failures: Sequence[str] = ()) -> bytes:
    """The page, UTF-8; `failures` are what became of the pictures that are not in it."""
    style = text("style.css")
    return (
        Template(text("index.html"))
        .substitute(
            policy=policy(style),
            generator=escape(GENERATOR),
            title="SDR and HDR",
            style=style,
            lead=f"{len(entries)} picture{'s' * (len(entries) != 1)}",
            pictures="\n".join(map(_item, entries)),
            failures=_failures(failures),
        )
        .encode("utf-8")
    )


def _item(entry: Entry) -> str:
    picture = base64.b64encode(entry.thumbnail).decode()
    return (
        f'<li><a href="{escape(entry.address)}"><img src="data:image/jpeg;base64,{picture}" alt="">'
        f"<div><strong>{escape(entry.name)}</strong><span>{escape(entry.lead)}</span></div></a></li>"
    )


def _failures(messages: Sequence[str]) -> str:
    if not messages:
        return ""
    return (
        '<h2>Failed</h2>\n<ul class="notes">'
        + "".join(f"<li>{escape(one)}</li>" for one in messages)
        + "</ul>"
    )
