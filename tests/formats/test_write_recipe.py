"""The recipe as XMP: there and back, readable by others, and harmless where it is not ours."""

from hypothesis import given
from hypothesis import strategies as st

from sdr2hdr import __version__
from sdr2hdr.formats._recipe import from_xmp, full, to_xmp

KEYS = st.from_regex(r"[a-z][a-z0-9_.-]{0,20}", fullmatch=True)
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30
)


@given(st.dictionaries(KEYS, WORDS, max_size=5))
def test_there_and_back(recipe: dict[str, str]) -> None:
    assert from_xmp(to_xmp(recipe)) == full(recipe) == {"version": __version__, **recipe}


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_any_words_make_sound_xml(recipe: dict[str, str]) -> None:
    assert from_xmp(to_xmp(recipe)) == full(recipe)


def test_order_does_not_matter() -> None:
    assert to_xmp({"a": "1", "b": "2"}) == to_xmp({"b": "2", "a": "1"})


def test_what_is_not_ours_is_empty() -> None:
    for packet in (
        b"",
        b"<a/>",
        b"no xml",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf/></x:xmpmeta>",
        b"\xff\xfe",
    ):
        assert from_xmp(packet) == {}
    assert from_xmp(to_xmp({"a": "b"}) + bytes(100)) == {"a": "b", "version": __version__}
