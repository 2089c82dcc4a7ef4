"""The tree of errors is what its docstring draws."""

import builtins
import inspect
import re

import pytest

from sdr2hdr import errors

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
DRAWN = {
    name: (builtin, int(status))
    for name, builtin, status in re.findall(r"── (\w+)\s+\((\w+)\)\s.*status (\d)", errors.__doc__ or "")
}


def test_every_class_is_drawn() -> None:
    assert sorted(DRAWN) == sorted(c.__name__ for c in CLASSES if c is not errors.Sdr2HdrError)


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_class_is_what_is_drawn(name: str) -> None:
    builtin, status = DRAWN[name]
    error = getattr(errors, name)("scene.jpg: is empty; copy it again")
    assert isinstance(error, errors.Sdr2HdrError)
    assert isinstance(error, getattr(builtins, builtin))
    assert error.status == status
    assert str(error) == "scene.jpg: is empty; copy it again"
