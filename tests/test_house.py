"""Rules of the house that no linter knows."""

import ast
import configparser
import re
from pathlib import Path

import pytest

import sdr2hdr

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sdr2hdr.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in MODULES]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")


def words(section: str, key: str) -> list[str]:
    return re.findall(r"[\w.*-]+", SETUP[section][key])


def public_definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.ClassDef]:
    """Public functions and classes, and the public methods of public classes."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    methods = [
        method
        for node in found
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
    ]
    return [*found, *methods]


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    assert [node.name for node in public_definitions(tree) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300


def test_one_module_names_torchscript() -> None:
    """It is deprecated upstream: leaving it must be a change in one file. The mark on exported methods does nothing."""
    texts = {name: path.read_text("utf-8") for path, name in zip(MODULES, NAMES, strict=True)}
    named = [name for name, text in texts.items() if re.search(r"torch\.jit\.(?!export\b|_pickle)", text)]
    assert named == ["checkpoint.py"]


def test_every_module_has_its_floor() -> None:
    floors = words("importlinter:contract:floors", "layers")
    modules = {
        f"sdr2hdr.{p.stem}" for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert sorted(floors) == sorted(modules - {"sdr2hdr.__init__", "sdr2hdr.__main__", "sdr2hdr.weights"})


def test_setup_lists_every_package() -> None:
    found = {".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(words("options", "packages")) == found | {"sdr2hdr.weights"}


def test_tests_have_unique_names() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
