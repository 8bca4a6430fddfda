"""`nvr camera probe` and `discover` as a person types them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from nvr.simulator import CameraOptions
from tests.nvr.simulated import LOOP, simulator
from tests.nvr.typed import nvr

SETTINGS = '[storage]\ndatabase = "nvr.sqlite3"\nvolumes = ["footage"]\n'


async def test_a_registered_camera_is_looked_at_with_its_login_and_the_result_is_kept(
    loops: Path, tmp_path: Path
) -> None:
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    camera = replace(CameraOptions(LOOP), user="admin", password="admin123")
    async with simulator(loops, camera) as cameras:
        status, _, err = await nvr(tmp_path, "camera", "add", "A", "--url", cameras.url(1))
        assert status == 0, err
        status, out, err = await nvr(tmp_path, "camera", "probe", "A", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert (found["ok"], found["video_codec"]) == (True, "h264")
    assert "well_known_login" in {one["code"] for one in found["findings"]}
    assert "admin123" not in out + err
    status, out, _ = await nvr(tmp_path, "camera", "show", "A", "--json")
    assert json.loads(out)["media"].startswith("h264 320x180")


async def test_a_camera_that_is_away_is_an_error_with_its_way_out(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    status, out, err = await nvr(tmp_path, "camera", "probe", "rtsp://root:pass@127.0.0.1:9/x")
    assert status != 0 and "refused" in err
    assert "unreachable" in out and "well_known_login" in out


async def test_the_network_is_searched(tmp_path: Path) -> None:
    (tmp_path / "nvr.toml").write_text(SETTINGS)
    status, out, err = await nvr(tmp_path, "camera", "discover", "--seconds", "1", "--json")
    assert status == 0, err
    assert isinstance(json.loads(out), list)
