"""What there is of a camera: its timeline with the causes of gaps, and its segments."""

from __future__ import annotations

from aiohttp import web

from storage.clock import rfc3339
from storage.model import Segment, Timeline
from web import bodies, params
from web.cameras import milliseconds
from web.keys import FOOTAGE
from web.operations import CAMERA_ID, CURSOR, LIMIT, WINDOW, Operation, Parameter, Reply
from web.schemas import ActivityOut, GapOut, SegmentOut, SegmentPage, SpanOut, TimelineOut

MAX_BUCKETS = 5000


def shown_segment(segment: Segment) -> SegmentOut:
    return SegmentOut(
        camera_id=segment.camera_id,
        run_id=segment.run_id,
        n=segment.n,
        from_=rfc3339(segment.start_us),
        to=rfc3339(segment.end_us),
        size_bytes=segment.size_bytes,
        tier=segment.tier.label,  # type: ignore[arg-type]  # one of the three
        sha256=segment.sha256.hex() or None,
        uncertainty_ms=segment.err_us / 1000,
        clock_offset_ms=milliseconds(segment.clock_offset_us),
        flags=segment.flags.labels,
        url=f"/media/{segment.camera_id}/{segment.run_id}/{segment.n}.mp4",
    )


def shown_timeline(timeline: Timeline) -> TimelineOut:
    return TimelineOut(
        camera_id=timeline.camera_id,
        from_=rfc3339(timeline.from_us),
        to=rfc3339(timeline.to_us),
        coverage=min(1.0, max(0.0, timeline.coverage)),
        spans=[SpanOut(from_=rfc3339(s.from_us), to=rfc3339(s.to_us), run_id=s.run_id) for s in timeline.spans],
        gaps=[
            GapOut(from_=rfc3339(g.from_us), to=rfc3339(g.to_us), cause=g.cause, detail=g.detail) for g in timeline.gaps
        ],
        activity=ActivityOut(bucket_s=timeline.bucket_us / 1_000_000, values=list(timeline.activity)),
    )


async def timeline(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    from_us, to_us = params.window(request)
    buckets = params.integer(request, "buckets", default=None, low=1, high=MAX_BUCKETS)
    footage = request.app[FOOTAGE]
    await footage.camera(camera_id)
    return bodies.answer(shown_timeline(await footage.timeline(camera_id, from_us, to_us, buckets)))


async def segments(request: web.Request) -> web.Response:
    camera_id = params.camera_id(request)
    from_us, to_us = params.window(request)
    limit, cursor = params.limit(request), _cursor(request)
    footage = request.app[FOOTAGE]
    await footage.camera(camera_id)
    items, following = await footage.page(camera_id, from_us, to_us, limit, cursor)
    return bodies.answer(
        SegmentPage(
            items=[shown_segment(segment) for segment in items],
            next=params.as_cursor(*following) if following else None,
        )
    )


def _cursor(request: web.Request) -> tuple[int, int] | None:
    cursor = params.cursor(request)
    if cursor is None:
        return None
    if len(cursor) != 2 or not all(type(value) is int and 0 <= value < 1 << 62 for value in cursor):
        raise params.bad_cursor()
    return cursor[0], cursor[1]


def operations() -> list[Operation]:
    buckets = Parameter(
        "buckets",
        "query",
        {"type": "integer", "minimum": 1, "maximum": MAX_BUCKETS},
        "Into how many equal parts the activity of the window is cut.",
    )
    return [
        Operation(
            "GET",
            "/api/v1/cameras/{camera_id}/timeline",
            timeline,
            "Footage",
            "Spans, gaps with their causes, activity",
            {200: Reply("The timeline of the window.", TimelineOut)},
            parameters=(CAMERA_ID, *WINDOW, buckets),
        ),
        Operation(
            "GET",
            "/api/v1/cameras/{camera_id}/segments",
            segments,
            "Footage",
            "The files of a window",
            {200: Reply("A page, in the order of time.", SegmentPage)},
            description="Segments that touch the window, each whole. The one being written is not listed until it closes.",
            parameters=(CAMERA_ID, *WINDOW, LIMIT, CURSOR),
        ),
    ]
