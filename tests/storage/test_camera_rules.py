"""What a camera's fields may hold."""

from dataclasses import replace

import pytest

from config.errors import Invalid
from storage.camera_rules import checked
from storage.model import Camera, CameraId

SOUND = Camera(CameraId(1), "KNP-1", "Gate", "rtsp://10.0.0.5/x", "n1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""),
        ("code", "a b"),
        ("code", "../x"),
        ("code", "x" * 65),
        ("code", "KNP-1\n"),
        ("name", "a\x00b"),
        ("name", "a\u202eb"),
        ("name", "\ud800"),
        ("station", "x" * 201),
        ("owner_kind", "Bank"),
        ("audio", "loud"),
        ("mode", "motion"),
        ("covers", ("roof",)),
        ("lat", 91.0),
        ("lat", float("nan")),
        ("lon", -180.5),
        ("bearing", 360.0),
        ("tags", ("x" * 65,)),
        ("tags", tuple(str(number) for number in range(33))),
    ],
)
def test_refuses_and_names_the_field(field: str, value: object) -> None:
    sound = replace(SOUND, lat=1.0, lon=2.0)
    with pytest.raises(Invalid) as refused:
        checked(replace(sound, **{field: value}))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert refused.value.message.encode()


def test_a_place_has_both_coordinates() -> None:
    with pytest.raises(Invalid) as refused:
        checked(replace(SOUND, lat=26.4))
    assert refused.value.field == "lon"


def test_trims_texts_and_drops_repeats() -> None:
    kept = checked(
        replace(
            SOUND, name="  ", name_hi=" मुख्य\u200dद्वार ", covers=("exit", "entrance", "exit"), tags=(" a", "a", "", "b")
        )
    )
    assert (kept.name, kept.name_hi, kept.covers, kept.tags) == (
        "KNP-1",
        "मुख्य\u200dद्वार",
        ("entrance", "exit"),
        ("a", "b"),
    )
