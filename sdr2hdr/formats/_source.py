"""The file that is being read, for messages."""

from contextvars import ContextVar

from sdr2hdr.errors import InputError

NAME: ContextVar[str] = ContextVar("name", default="picture")
"""What warnings call the picture; `read` sets it. Errors get their name in `read`."""


def one_line(words: object) -> str:
    """Words for a message: what is not printable, in a name or in a file's own text, becomes a question mark."""
    return "".join(c if c.isprintable() else "?" for c in str(words))


def damaged(why: object) -> InputError:
    """The error for data that ends early or makes no sense; `why` may be a library's exception."""
    word = one_line(" ".join(str(why).split()))[:160] or type(why).__name__
    return InputError(f"is damaged or cut off ({word}); copy or export it again")
