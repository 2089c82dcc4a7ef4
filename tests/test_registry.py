"""A folder is a registry."""

import sys
from pathlib import Path

import pytest

from sdr2hdr import registry


def test_entries_are_the_public_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shelf_of_this_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "pear.py").write_text("raise RuntimeError('imported too early')")
    (folder / "apple.py").write_text("COLOUR = 'red'")
    (folder / "_knife.py").write_text("")
    (folder / "notes.txt").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    shelf = __import__("shelf_of_this_test")
    assert registry.names(shelf) == ["apple", "pear"]
    assert registry.get(shelf, "apple").COLOUR == "red"
    for absent in ("_knife", "plum", "notes"):
        with pytest.raises(KeyError):
            registry.get(shelf, absent)
    assert "shelf_of_this_test.pear" not in sys.modules
