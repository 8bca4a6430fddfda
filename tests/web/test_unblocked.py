"""No handler blocks the event loop: one that does stops every other page, player and recorder watch."""

from pathlib import Path

from blockbuster import BlockBuster

from tests.lavfi import recorded
from tests.web.served import RECORDING, serve

T0_US = 1_795_000_000_000_000
WINDOW = f"from={T0_US + 1_000_000}&to={T0_US + 9_000_000}"


async def test_nothing_that_is_asked_blocks_the_loop(tmp_path: Path, guarded_loop: BlockBuster) -> None:
    guarded_loop.deactivate()
    async with serve(tmp_path) as served:
        served.fleet.usual = RECORDING
        await served.add("A")
        run_id = await served.record(1, recorded(audio=True), at_us=T0_US, segment_s=4)
        guarded_loop.activate()
        for path in (
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/status",
            "/api/v1/volumes",
            "/api/v1/cameras?state=recording&text=a",
            "/api/v1/cameras/1",
            "/api/v1/cameras/by-code/A",
            f"/api/v1/cameras/1/timeline?{WINDOW}",
            f"/api/v1/cameras/1/segments?{WINDOW}",
            "/api/v1/openapi.json",
            "/api/docs",
            "/",
            "/static/theme.css",
            f"/play/1/index.m3u8?{WINDOW}",
            "/play/1/live.m3u8",
            f"/play/1/clip.json?{WINDOW}",
            f"/play/sync?cameras=1&{WINDOW}",
            f"/api/v1/footage/search?{WINDOW}&near=26.45,80.33",
            f"/api/v1/footage/search?{WINDOW}&polygon=26.4,80.3;26.5,80.3;26.45,80.4&text=a",
            f"/api/v1/footage/search?{WINDOW}&route=26.4,80.3;26.5,80.3",
            "/api/v1/places?text=a",
            f"/api/v1/coverage?{WINDOW}&text=a",
            f"/api/v1/cameras/1/coverage?{WINDOW}",
        ):
            status, body, _ = await served.ask("GET", path)
            assert status == 200, (path, body)
        for path in (
            f"/play/1/clip.mp4?{WINDOW}",
            f"/play/1/frame.jpg?at={T0_US + 5_000_000}",
            f"/media/1/{run_id}/0.mp4",
        ):
            async with served.session.get(served.url + path) as answer:
                assert answer.status == 200, path
                assert await answer.read()
        assert (await served.ask("PATCH", "/api/v1/cameras/1", json={"name": "Gate"}))[0] == 200
        assert (await served.ask("DELETE", "/api/v1/cameras/1"))[0] == 204
        guarded_loop.deactivate()
