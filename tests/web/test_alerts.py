"""What the API says of troubles."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from storage.catalog import alerts
from storage.trouble import Alert, AlertStep, Notice
from tests.web.served import serve

AT_US = 1_795_000_020_000_000


async def test_troubles_that_last_ended_ones_and_messages_on_their_way(tmp_path: Path) -> None:
    async with serve(tmp_path) as served:
        opened = tuple(
            Alert(0, kind, subject, f"rtsp://u:secret@10.0.0.5 {kind}", AT_US)
            for kind, subject in (("clock", "n1"), ("recording", "KNP-1"), ("volume", "/a"))
        )
        take = partial(alerts.take, step=AlertStep(opened=opened), at_us=AT_US, messages=[("mail", {"title": "x"})])
        await served.catalog.write(take)
        clock, camera, _ = await served.catalog.read(alerts.open_rows)
        over = AlertStep(ended=(camera.id,), notices=(Notice("recording", ended=(camera,)),))
        await served.catalog.write(partial(alerts.take, step=over, at_us=AT_US + 1_000_000, messages=[]))
        await served.catalog.write(partial(alerts.failed, message_id=1, error="mail:25 did not answer"))
        told = await served.get("/api/v1/alerts")
        assert [one["kind"] for one in told["lasting"]] == ["clock", "volume"] and told["total"] == 2
        assert [(one["subject"], one["until"]) for one in told["lately"]] == [("KNP-1", "2026-11-18T11:07:01.000000Z")]
        assert told["waiting"] == [{"place": "mail", "messages": 1, "error": "mail:25 did not answer"}]
        assert "secret" not in str(told)
        status = await served.get("/api/v1/status")
        assert [one["id"] for one in status["alerts"]] == [clock.id]  # cameras and volumes carry their own state
