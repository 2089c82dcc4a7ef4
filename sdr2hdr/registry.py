"""A folder is a registry: every public module of a package is one entry, its file name is the entry's name.

Modules whose names start with an underscore are helpers and no entries.
"""

import importlib
import pkgutil
from types import ModuleType


def names(package: ModuleType) -> list[str]:
    """Names of the entries of `package`, sorted. Nothing is imported."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def get(package: ModuleType, name: str) -> ModuleType:
    """Import and return one entry.

    Raises
    ------
    KeyError
        No entry has this name.
    """
    if name not in names(package):
        raise KeyError(name)
    return importlib.import_module(f"{package.__name__}.{name}")
