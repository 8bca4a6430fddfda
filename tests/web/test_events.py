"""Server-sent events."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession, StreamReader

from config.errors import Unavailable
from storage.model import CameraId, CameraState
from tests.web.served import serve
from web.events import MAX_CLIENTS, QUEUE, Events


async def read_event(stream: StreamReader) -> str:
    async with asyncio.timeout(5):
        return (await stream.readuntil(b"\n\n")).decode()


async def test_tells_a_page_what_changes(tmp_path: Path) -> None:
    async with serve(tmp_path) as served, served.session.get(served.url + "/api/v1/events") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert await read_event(answer.content) == "retry: 3000\n\n"
        served.events.camera_state(CameraState(CameraId(1), 0, "failed", "refused", "closed\nport"))
        assert await read_event(answer.content) == (
            'event: camera\ndata: {"camera_id":1,"state":"failed","cause":"refused","detail":"closed\\nport",'
            '"since":"1970-01-01T00:00:00.000000Z"}\n\n'
        )


async def test_tells_of_a_volume_that_goes_away(tmp_path: Path) -> None:
    async with serve(tmp_path) as served, served.session.get(served.url + "/api/v1/events") as answer:
        await read_event(answer.content)
        (tmp_path / "footage" / ".nvr-volume").unlink()
        served.volumes.recheck(served.volumes.all()[0].id)
        event = await read_event(answer.content)
        assert event.startswith('event: storage\ndata: {"volume_id":1,')
        assert '"state":"missing"' in event


async def test_the_server_ends_at_once_though_a_page_listens(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with ClientSession() as page:
        async with serve(tmp_path) as served:
            answer = await page.get(served.url + "/api/v1/events")
            await answer.content.readuntil(b"\n\n")
            before = loop.time()
        assert loop.time() - before < 1.5
        assert await answer.content.read() == b""
        answer.close()


def test_lets_a_page_go_that_does_not_keep_up() -> None:
    events = Events()
    slow, quick = events.subscribe(), events.subscribe()
    for number in range(QUEUE + 1):
        events.publish("job", {"job_id": number})
        assert quick.get_nowait().startswith(b"event: job\n")
    assert slow.get_nowait() == b""
    events.publish("job", {"job_id": 0})
    assert slow.empty()
    assert not quick.empty()


def test_listens_to_no_more_than_it_can() -> None:
    events = Events()
    queues = [events.subscribe() for _ in range(MAX_CLIENTS)]
    with pytest.raises(Unavailable):
        events.subscribe()
    events.unsubscribe(queues[0])
    events.subscribe()
