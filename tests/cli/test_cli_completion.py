"""Shells complete what is typed."""

import shutil
from pathlib import Path

import pytest

from sdr2hdr import cli


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(cli.COMPLETE, f"{name}_source")
    if name == "bash" and not shutil.which("bash"):
        pytest.skip("Click asks bash for its version")
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 0
    assert f"{cli.COMPLETE}={name}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sdr2hdr conv", ["plain,convert"]),
        ("sdr2hdr convert --pea", ["plain,--peak"]),
        ("sdr2hdr convert --precision b", ["plain,bf16"]),
        ("sdr2hdr convert ph", ["file,ph"]),
        ("sdr2hdr convert -t ph", ["file,ph"]),  # which names folders, too
        ("sdr2hdr info --weights w", ["file,w"]),
    ],
)
def test_completions(
    words: str, found: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(cli.COMPLETE, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 0
    assert capsys.readouterr().out.split() == found


def test_bash_itself_completes(photos: Path, bash: object) -> None:
    """The script is loaded, and its function asked as bash asks it."""
    status, out, err = bash(  # type: ignore[operator]
        'eval "$(_SDR2HDR_COMPLETE=bash_source sdr2hdr)"\n'
        "COMP_WORDS=(sdr2hdr convert --ta); COMP_CWORD=2; _sdr2hdr_completion sdr2hdr\n"
        'complete -p sdr2hdr; echo "${COMPREPLY[@]}"'
    )
    assert (status, err) == (0, "")
    assert out.splitlines() == ["complete -o nosort -F _sdr2hdr_completion sdr2hdr", "--target-directory"]


@pytest.mark.parametrize("value", ["", "nonsense"])
def test_a_variable_that_says_nothing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cli.COMPLETE, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code in (0, 1)
