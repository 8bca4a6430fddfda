"""Search of recorded footage by place and time: which cameras stood there then, and what each has of the window.

`find` runs on the event loop and asks the catalog twice: once for the ranking, once for what a page shows. In between it looks
at files that still grow, so that the minute being written counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from storage.catalog import coverage
from storage.catalog import search as rows
from storage.catalog.search import Found, Wanted
from storage.catalog.sqlite import Connection
from storage.clock import rfc3339
from storage.coverage import words
from storage.coverage.shapes import Shape
from storage.coverage.spans import Explained, Interval, cut, holes, length_us, reasoned, recorded, union
from storage.footage import Footage
from storage.gaps import RANK_BEFORE_CAMERA, Reason
from storage.model import HOUR_US, MAX_SEGMENT_US, CameraId, Gap
from storage.timeline import EDGE_US

MAX_TOGETHER = 36
"""Cameras of one synchronised playlist."""
MAX_GAPS = 100
STRIDE = 100
_EARTH = (-90.0, -180.0, 90.0, 180.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """`after`: where the page before ended, as `Result.next` told."""

    from_us: int
    to_us: int
    shape: Shape | None
    wanted: Wanted
    limit: int
    after: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A camera that stood there: where it was nearest, and when it was there (the whole window, if it does not move)."""

    camera: Found
    distance_mm: int | None
    lat: float | None
    lon: float | None
    bearing: float | None
    moved: bool
    within: tuple[Interval, ...]

    @property
    def place(self) -> tuple[int, str]:
        """In the ranking."""
        return self.distance_mm or 0, self.camera.code


@dataclass(frozen=True, slots=True)
class Hit:
    """What a camera has of the time it was there. `gaps`: at most MAX_GAPS, the longest; `spans` run across those left out.
    `cause`: of most of what is missing; it spoke since `since_us`. `still_us`: an instant that is recorded."""

    ranked: Ranked
    coverage: float
    spans: list[Interval]
    gaps: list[Gap]
    gaps_left_out: int
    main: Gap | None
    since_us: int | None
    still_us: int | None
    before_us: int | None
    after_us: int | None
    video_codec: str


@dataclass(frozen=True, slots=True)
class Result:
    """`together`: the first cameras with footage, in the ranking."""

    total: int
    with_footage: int
    hits: list[Hit]
    together: list[CameraId]
    next: tuple[int, str] | None


async def find(footage: Footage, asked: Asked, now_us: int) -> Result:
    """Raises Invalid naming the parameter where the shape is none."""
    until_us = max(asked.from_us, min(asked.to_us, now_us))

    def first(db: Connection) -> tuple[list[Ranked], set[CameraId]]:
        ranked = rank(db, asked)
        return ranked, with_footage(db, ranked, asked.from_us, until_us)

    ranked, having = await footage.read(first)
    if now_us - asked.to_us < MAX_SEGMENT_US:
        having |= await _growing_ones(footage, ranked, having, asked.from_us)
    coming = [one for one in ranked if asked.after is None or one.place > asked.after]
    page = coming[: asked.limit]
    growing = await _growing(footage, page, now_us) if now_us - asked.to_us < HOUR_US else {}  # nothing grows longer
    hits = await footage.read(partial(look, page=page, growing=growing, asked=asked, now_us=now_us))
    having -= {hit.ranked.camera.id for hit in hits if not hit.spans}
    having |= {hit.ranked.camera.id for hit in hits if hit.spans}
    return Result(
        total=len(ranked),
        with_footage=len(having),
        hits=hits,
        together=[one.camera.id for one in ranked if one.camera.id in having][:MAX_TOGETHER],
        next=page[-1].place if len(coming) > len(page) else None,
    )


async def _growing_ones(
    footage: Footage, ranked: Sequence[Ranked], having: Collection[CameraId], from_us: int
) -> set[CameraId]:
    """Cameras that have nothing in the window but what is being written."""
    found = set()
    for number, one in enumerate(ranked, 1):
        if one.camera.id not in having and (footage.live_edge_us(one.camera.id) or 0) > from_us:
            found.add(one.camera.id)
        if number % STRIDE == 0:
            await asyncio.sleep(0)
    return found


async def _growing(footage: Footage, page: Sequence[Ranked], now_us: int) -> dict[CameraId, list[Interval]]:
    """What is written now, of each camera of a page."""
    ids = [one.camera.id for one in page]
    found = await asyncio.gather(*(footage.growing(camera_id, 0, now_us) for camera_id in ids))
    return {
        camera_id: [(segment.start_us, segment.end_us) for segment in some]
        for camera_id, some in zip(ids, found, strict=True)
    }


def rank(db: Connection, asked: Asked) -> list[Ranked]:
    """All that stood there and are wanted, the nearest first, then by code."""
    window = (asked.from_us, asked.to_us)
    asked_words = words.words(asked.wanted.text)
    there = _inside(db, asked.shape, asked.wanted, window) if asked.shape else _everywhere(db, asked.wanted, window)
    return sorted((one for one in there if words.holds(one.camera.texts, asked_words)), key=lambda one: one.place)


def _everywhere(db: Connection, wanted: Wanted, window: Interval) -> list[Ranked]:
    stays = {
        camera_id: list(some)
        for camera_id, some in groupby(rows.stays(db, _EARTH, *window), key=lambda stay: stay.camera_id)
    }
    ranked = []
    for camera in rows.cameras(db, wanted, window[0], None):
        there = stays.get(camera.id, [])
        lat, lon, bearing = (there[-1].lat, there[-1].lon, there[-1].bearing) if there else (None, None, None)
        ranked.append(Ranked(camera, None, lat, lon, bearing, len(there) > 1, (window,)))
    return ranked


def _inside(db: Connection, shape: Shape, wanted: Wanted, window: Interval) -> list[Ranked]:
    shape.check()
    box = shape.bounds
    stays = rows.stays(db, (box.south, box.west, box.north, box.east), *window)
    away = shape.distances([(stay.lat, stay.lon) for stay in stays])
    inside = [(stay, metres) for stay, metres in zip(stays, away, strict=True) if metres is not None]
    there = {camera_id: list(some) for camera_id, some in groupby(inside, key=lambda pair: pair[0].camera_id)}
    ranked = []
    for camera in rows.cameras(db, wanted, window[0], list(there)):
        stay, metres = min(there[camera.id], key=lambda pair: pair[1])
        within = tuple(union([(stay.from_us, stay.to_us) for stay, _ in there[camera.id]], *window))
        moved = len(there[camera.id]) > 1 or within != (window,)
        ranked.append(Ranked(camera, round(metres * 1000), stay.lat, stay.lon, stay.bearing, moved, within))
    return ranked


def with_footage(db: Connection, ranked: Sequence[Ranked], from_us: int, until_us: int) -> set[CameraId]:
    """Those with something indexed in the time they were there. Of a long window the hours inside are only asked whether they
    hold anything."""
    if until_us <= from_us or not ranked:
        return set()
    moving = {one.camera.id: one.within for one in ranked if one.moved}
    standing = [one.camera.id for one in ranked if not one.moved]
    first_us, last_us = -(-from_us // HOUR_US) * HOUR_US, until_us // HOUR_US * HOUR_US
    found: set[CameraId] = set()
    edges = [(from_us, until_us)]
    if last_us - first_us >= 2 * HOUR_US:
        found = coverage.with_any(db, coverage.as_ids(standing), first_us, last_us)
        edges = [edge for edge in ((from_us, first_us), (last_us, until_us)) if edge[0] < edge[1]]
    for edge in edges:
        left = [camera_id for camera_id in standing if camera_id not in found]
        found |= recorded(db, left, *edge).keys() if left else set()
    if moving:
        spans = recorded(db, moving, from_us, until_us)
        found |= {camera_id for camera_id, some in spans.items() if cut(some, moving[camera_id])}
    return found


def look(
    db: Connection, page: Sequence[Ranked], growing: Mapping[CameraId, list[Interval]], asked: Asked, now_us: int
) -> list[Hit]:
    """What each camera of a page has of the time it was there."""
    until_us = max(asked.from_us, min(asked.to_us, now_us))
    ids = [one.camera.id for one in page]
    known = recorded(db, ids, asked.from_us, until_us) if until_us > asked.from_us else {}
    failing = coverage.failing(db, coverage.as_ids(ids), until_us) if now_us - until_us < EDGE_US else set(ids)
    codecs = rows.video_codecs(db, ids)
    spans: dict[CameraId, list[Interval]] = {}
    missing: dict[CameraId, list[Interval]] = {}
    for one in page:
        camera_id = one.camera.id
        all_spans = union([*known.get(camera_id, []), *growing.get(camera_id, [])], asked.from_us, until_us)
        spans[camera_id] = cut(all_spans, one.within)
        past = cut([(asked.from_us, until_us)], one.within)
        if camera_id not in failing:
            past = _without_edge(past, spans[camera_id], until_us)
        missing[camera_id] = [hole for part in past for hole in holes(cut(spans[camera_id], [part]), *part)]
    lost = reasoned(db, missing, _before_registered(page, asked.from_us))
    hits = []
    for one in page:
        camera_id = one.camera.id
        near = _nearest(db, camera_id, growing.get(camera_id, []), asked)
        hits.append(_hit(one, spans[camera_id], lost.get(camera_id), near, codecs.get(camera_id, ""), until_us))
    return hits


def _without_edge(past: list[Interval], spans: list[Interval], until_us: int) -> list[Interval]:
    """The newest fragment is still being written: as in `storage.timeline`."""
    if past and spans and past[-1][1] == until_us and until_us - spans[-1][1] < EDGE_US and spans[-1][1] > past[-1][0]:
        return [*past[:-1], (past[-1][0], spans[-1][1])]
    return past


def _before_registered(page: Sequence[Ranked], from_us: int) -> dict[CameraId, list[Reason]]:
    return {
        one.camera.id: [
            Reason(
                *(0, one.camera.created_us, "not_registered"),
                f"the camera was registered at {rfc3339(one.camera.created_us)}",
                RANK_BEFORE_CAMERA,
            )
        ]
        for one in page
        if one.camera.created_us > from_us
    }


def _nearest(
    db: Connection, camera_id: CameraId, growing: Sequence[Interval], asked: Asked
) -> tuple[int | None, int | None]:
    before, after = rows.nearest(db, camera_id, asked.from_us, asked.to_us)
    ends = [min(end_us, asked.from_us) for start_us, end_us in growing if start_us < asked.from_us]
    starts = [max(start_us, asked.to_us) for start_us, end_us in growing if end_us > asked.to_us]
    return max([*ends, *([before] if before else [])], default=None), min(
        [*starts, *([after] if after else [])], default=None
    )


def _hit(
    one: Ranked,
    spans: list[Interval],
    lost: Explained | None,
    near: tuple[int | None, int | None],
    video_codec: str,
    until_us: int,
) -> Hit:
    gaps = lost.gaps if lost is not None else []
    missing_us = sum(gap.to_us - gap.from_us for gap in gaps)
    there_us = length_us(spans)
    main = _main(gaps)
    shown, joined = gaps, spans
    if len(gaps) > MAX_GAPS:
        shown = sorted(sorted(gaps, key=lambda gap: gap.from_us - gap.to_us)[:MAX_GAPS], key=lambda gap: gap.from_us)
        left_out = [(gap.from_us, gap.to_us) for gap in gaps if gap not in shown]
        joined = union([*spans, *left_out], 0, until_us)
    return Hit(
        ranked=one,
        coverage=there_us / (there_us + missing_us) if there_us else 0.0,
        spans=joined,
        gaps=shown,
        gaps_left_out=len(gaps) - len(shown),
        main=main,
        since_us=_since_us(main, lost.reasons) if main is not None and lost is not None else None,
        still_us=_still_us(spans) if there_us else None,
        before_us=near[0],
        after_us=near[1],
        video_codec=video_codec,
    )


def _main(gaps: Sequence[Gap]) -> Gap | None:
    """A gap of the cause that took most: the longest one."""
    took: dict[str, int] = {}
    for gap in gaps:
        took[gap.cause] = took.get(gap.cause, 0) + gap.to_us - gap.from_us
    most = max(took, key=lambda cause: took[cause], default=None)
    return max((gap for gap in gaps if gap.cause == most), key=lambda gap: gap.to_us - gap.from_us, default=None)


def _since_us(gap: Gap, reasons: Sequence[Reason]) -> int | None:
    """Since when the gap's cause spoke, which may be long before the window; None where that says nothing."""
    if gap.cause in ("not_registered", "deleted", "unknown"):
        return None
    speaking = [r.from_us for r in reasons if r.cause == gap.cause and r.from_us <= gap.from_us < r.to_us]
    return min(speaking, default=gap.from_us)


def _still_us(spans: Sequence[Interval]) -> int:
    """The recorded instant nearest to the middle of what is recorded."""
    middle = (spans[0][0] + spans[-1][1]) // 2
    near = min(spans, key=lambda span: max(span[0] - middle, middle - span[1], 0))
    return min(max(middle, near[0]), near[1] - 1)
