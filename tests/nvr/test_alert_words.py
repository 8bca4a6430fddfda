"""What an alert says."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from nvr.alert_words import ONE, Place, body_of, title, trial
from storage.trouble import KINDS, Alert, Notice

AT_US = 1_795_000_020_000_000  # 18/11/2026 16:37:00 IST
HERE = Place("Kanpur", "n1", ZoneInfo("Asia/Kolkata"), "http://127.0.0.1:8080/")


def alert(
    subject: str = "KNP-0412", detail: str = "Bus stand, connection refused", *, until_us: int | None = None
) -> Alert:
    return Alert(1, "recording", subject, detail, AT_US, 1, AT_US, until_us)


def test_one_camera_is_named_with_its_cause_in_the_title() -> None:
    said = title(Notice("recording", began=(alert(),)), HERE)
    assert said == "[Kanpur] KNP-0412 is not being recorded: Bus stand, connection refused"


def test_many_are_a_number_and_twenty_names() -> None:
    many = tuple(alert(f"KNP-{n:04}") for n in range(1720))
    body = body_of(Notice("recording", began=many), HERE, AT_US)
    assert body["title"] == "[Kanpur] 1,720 cameras are not being recorded"
    assert body["text"].count("\n- KNP-") == 20 and "- and 1,700 more" in body["text"]
    assert len(body["began"]) == 1720


def test_what_began_and_what_ended_are_one_message() -> None:
    notice = Notice("recording", began=(alert(),), ended=(alert("KNP-0001", until_us=AT_US + 60_000_000),))
    body = body_of(notice, HERE, AT_US)
    assert body["title"].endswith("; KNP-0001 is being recorded again")
    assert "(since 18/11/2026 16:37:00 IST, until 18/11/2026 16:38:00 IST)" in body["text"]
    assert body["text"].startswith(body["title"]) and body["text"].endswith("Node n1, http://127.0.0.1:8080/")
    assert body["ended"] == [
        {
            "subject": "KNP-0001",
            "detail": "Bus stand, connection refused",
            "since": "2026-11-18T11:07:00.000000Z",
            "until": "2026-11-18T11:08:00.000000Z",
        }
    ]


@pytest.mark.parametrize("which", ["began", "lasting", "ended"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words(kind: str, which: str) -> None:
    assert set(ONE) == set(KINDS)
    one, two = Alert(1, kind, "/data/a", "why", AT_US), Alert(2, kind, "/data/b", "why", AT_US)
    for alerts in ((one,), (one, two)):
        said = title(Notice(kind, **{which: alerts}), HERE)
        assert said.startswith("[Kanpur] ") and "{" not in said


def test_neither_a_login_nor_a_line_break_gets_into_a_title() -> None:
    sly = alert(detail="could not open rtsp://admin:secret@10.0.0.5/x\r\nBcc: everyone@example.org")
    body = body_of(Notice("recording", began=(sly,)), HERE, AT_US)
    assert "secret" not in repr(body)
    assert "\n" not in body["title"] and "\r" not in body["title"]


def test_a_test_says_that_nothing_is_wrong() -> None:
    assert "Nothing is wrong" in trial(HERE, AT_US)["text"]
