"""Which ffmpeg is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import Invalid, Unavailable
from storage import binary


def test_takes_the_wheels_binary_when_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NVR_FFMPEG", raising=False)
    found = binary.find("auto")
    assert found.parent.name == "binaries"
    assert binary.version(found)[0].isdigit()


def test_takes_the_environments_before_the_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "my-ffmpeg"
    other.symlink_to(binary.find("auto"))
    monkeypatch.setenv("NVR_FFMPEG", str(other))
    assert binary.find("auto") == other


def test_takes_the_configured_one_before_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.symlink_to(binary.find("auto"))
    monkeypatch.setenv("NVR_FFMPEG", "/nonexistent/ffmpeg")
    assert binary.find(str(mine)) == mine


@pytest.mark.parametrize("name", ["/nonexistent/ffmpeg", "no-such-program-anywhere", "/etc/passwd"])
def test_names_the_setting_of_one_that_cannot_be_run(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        binary.find(name)
    assert caught.value.field == "recording.ffmpeg"
    assert name in caught.value.message


def test_says_when_a_program_is_no_ffmpeg() -> None:
    with pytest.raises(Unavailable, match="is not ffmpeg"):
        binary.version("/bin/true")
    with pytest.raises(Unavailable, match="does not run"):
        binary.version("/nonexistent/ffmpeg")
