"""What simulated cameras see: a test card, and places with calm and busy times, all drawn by ffmpeg.

A place is a still backdrop of boxes and things that move across it. All measures are thousandths of the picture's width
and height. Everything repeats after 20 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_CYCLE_S = 20
_WIDEST = 640  # pictures are drawn at most this wide and scaled: mixing large ones takes longer than coding them


@dataclass(frozen=True, slots=True)
class Scene:
    """`graph(width, height, fps)` is an ffmpeg filter graph without inputs that ends in one open video output.

    `steady`: as much movement at any time, so that it can be coded at a constant bit rate.
    """

    name: str
    steady: bool
    graph: Callable[[int, int, int], str]


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    w: int
    h: int
    color: str


@dataclass(frozen=True, slots=True)
class Mover:
    """A thing of `w` x `h` made of `parts` (thousandths of itself) that crosses the picture at height `y`.

    It sets out `start_s` into each cycle and takes `takes_s`; `leftward` turns its way round, `sway` is how far it
    bobs.
    """

    parts: tuple[Box, ...]
    w: int
    h: int
    y: int
    start_s: float
    takes_s: float
    leftward: bool = False
    sway: int = 0


def _draw(box: Box, width: int, height: int, *, replace: bool = False) -> str:
    x, y = box.x * width // 1000, box.y * height // 1000
    w, h = max(1, box.w * width // 1000), max(1, box.h * height // 1000)
    return f"drawbox=x={x}:y={y}:w={w}:h={h}:color={box.color}:t=fill{':replace=1' if replace else ''}"


def _still(source: str, boxes: tuple[Box, ...], width: int, height: int, *, replace: bool = False) -> str:
    """Boxes drawn once, then the same picture for ever."""
    drawn = ",".join(_draw(box, width, height, replace=replace) for box in boxes)
    return f"{source},{drawn},trim=end_frame=1,loop=loop=-1:size=1"


def place(ground: str, backdrop: tuple[Box, ...], movers: tuple[Mover, ...]) -> Callable[[int, int, int], str]:
    """A scene's graph: `ground` is the colour behind the backdrop."""

    def graph(width: int, height: int, fps: int) -> str:
        wide = min(width, _WIDEST)
        high = height * wide // width // 2 * 2
        behind = _still(f"color=c={ground}:s={wide}x{high}:r={fps}", backdrop, wide, high)
        steps = [f"{behind},format=yuv420p,setpts=N/({fps}*TB)[s0]"]
        for number, mover in enumerate(movers):
            w, h = max(8, mover.w * wide // 1000), max(8, mover.h * high // 1000)
            clear = f"color=c=black@0:s={w}x{h}:r={fps},format=rgba"
            steps.append(f"{_still(clear, mover.parts, w, h, replace=True)},setpts=N/({fps}*TB)[m{number}]")
            steps.append(f"[s{number}][m{number}]{_overlay(mover)}[s{number + 1}]")
        return ";".join(steps) + f";[s{len(movers)}]scale={width}:{height}"

    return graph


def _overlay(mover: Mover) -> str:
    since = f"mod(t+{_CYCLE_S}-{mover.start_s},{_CYCLE_S})"
    done = f"{since}/{mover.takes_s}"
    x = f"W-(W+w)*{done}" if mover.leftward else f"-w+(W+w)*{done}"
    y = f"H*{mover.y / 1000}+H*{mover.sway / 1000}*sin(t*11)"
    return f"overlay=x='{x}':y='{y}':enable='lt({since},{mover.takes_s})'"


def _vehicle(body: str, *, lights: str = "0xd04030", box: bool = False) -> tuple[Box, ...]:
    """A car, or a van where `box`, seen from the side."""
    cabin = Box(0, 0, 1000, 700, body) if box else Box(200, 60, 600, 400, body)
    panes = (Box(120, 120, 260, 260, "0x203038"), Box(640, 120, 260, 260, "0x203038"))
    if not box:
        panes = (Box(260, 120, 220, 260, "0x203038"), Box(530, 120, 210, 260, "0x203038"))
    wheels = tuple(Box(x, 700, 160, 300, "0x101010") for x in (140, 700))
    lamps = (Box(0, 520, 40, 120, lights), Box(960, 520, 40, 120, lights))
    return (cabin, Box(0, 400, 1000, 430, body), *panes, *wheels, *lamps)


def _walker(coat: str, skin: str = "0x8a6248") -> tuple[Box, ...]:
    legs = (Box(220, 620, 200, 380, "0x202838"), Box(560, 620, 200, 380, "0x202838"))
    return (Box(330, 0, 340, 200, skin), Box(150, 200, 700, 450, coat), *legs)


def _houses(walls: tuple[str, ...], pane: str, lit: str, ground: int) -> Iterator[Box]:
    """A row of houses up to `ground`, every fifth window lit."""
    for number, wall in enumerate(walls):
        x, width, top = number * 1000 // len(walls), 1000 // len(walls) - 12, 90 + number * 137 % 160
        yield Box(x, top, width, ground - top, wall)
        for row, y in enumerate(range(top + 40, ground - 90, 95)):
            for column in range(3):
                color = lit if (row * 3 + column + number * 2) % 5 == 0 else pane
                yield Box(x + width * (2 * column + 1) // 7, y, width // 7, 50, color)


def _road(surface: str, kerb: str, marking: str) -> Iterator[Box]:
    yield Box(0, 500, 1000, 60, kerb)
    yield Box(0, 560, 1000, 360, surface)
    yield Box(0, 920, 1000, 80, kerb)
    yield from (Box(x, 730, 60, 14, marking) for x in range(20, 1000, 120))


_STREET = place(
    "0xa9c4d8",
    (
        *_houses(("0xb08d6a", "0xc9b79a", "0x94785e", "0xbfa88c", "0xa39383"), "0x53646e", "0x8fb0bd", 500),
        *_road("0x55585c", "0x8d8a83", "0xd8d8cc"),
    ),
    (
        Mover(_walker("0x3a7a4a"), 22, 130, 455, 0, 11, sway=4),
        Mover(_vehicle("0xb5322a"), 150, 130, 590, 2, 4),
        Mover(_vehicle("0xd9c23a", box=True), 130, 170, 560, 4, 5),
        Mover(_vehicle("0x2d5fa8"), 160, 150, 760, 5, 4, leftward=True),
        Mover(_vehicle("0xe8e8e4", box=True), 220, 250, 680, 15, 3, leftward=True),
    ),
)
_NIGHT = place(
    "0x0b0f1a",
    (
        *_houses(("0x171c28", "0x1c2230", "0x141924", "0x1a202c"), "0x10141c", "0xd8b860", 500),
        *_road("0x1b1d22", "0x26282c", "0x5a5a50"),
        *(Box(x, 180, 8, 340, "0x30343c") for x in (120, 460, 800)),
        *(Box(x - 16, 170, 40, 22, "0xffe9a8") for x in (120, 460, 800)),
    ),
    (
        Mover(_vehicle("0x3a1a1c", lights="0xfff4c8"), 150, 130, 590, 3, 5),
        Mover(_vehicle("0x2a3038", lights="0xfff4c8", box=True), 200, 220, 690, 12, 4, leftward=True),
        Mover(_walker("0x3a3a44", "0x5a4638"), 24, 140, 450, 8, 9, leftward=True, sway=4),
    ),
)
_HALL = place(
    "0xcfc8ba",
    (
        Box(0, 0, 1000, 90, "0xe8e4da"),
        *(Box(x, 20, 110, 30, "0xfdfdf4") for x in range(60, 1000, 220)),
        *(Box(x, 200, 170, 400, "0x7f95a0") for x in (90, 415, 740)),
        *(Box(x + 82, 200, 6, 400, "0x4b5a62") for x in (90, 415, 740)),
        Box(0, 600, 1000, 400, "0x9a9186"),
        *(Box(0, y, 1000, 5, "0x857d73") for y in (640, 700, 790, 900)),
        *(Box(x, 600, 4, 400, "0x857d73") for x in range(50, 1000, 130)),
    ),
    (
        Mover(_walker("0x8c2f39"), 45, 330, 420, 1, 9, sway=6),
        Mover(_walker("0x2f5d8c"), 45, 340, 430, 4, 10, leftward=True, sway=6),
        Mover(_walker("0xd0902a"), 60, 420, 480, 6, 8, sway=8),
        Mover(_walker("0x4a4a4a"), 62, 440, 500, 7, 7, leftward=True, sway=8),
        Mover(_walker("0x6a4a8c"), 45, 330, 425, 17, 3, sway=6),
    ),
)
_YARD = place(
    "0x6e7468",
    (
        Box(0, 0, 1000, 120, "0x59634f"),
        *(Box(x, 140, 6, 260, "0xd8d8c8") for x in range(40, 1000, 130)),
        *(Box(x, 640, 6, 300, "0xd8d8c8") for x in range(40, 1000, 130)),
        *(Box(x, 170, 85, 200, color) for x, color in ((65, "0x7a2a2a"), (325, "0xd0d0d0"), (585, "0x24405f"))),
        *(Box(x + 12, 230, 61, 60, "0x20282c") for x in (65, 325, 585)),
        *(Box(x, 690, 85, 220, color) for x, color in ((195, "0x3f5f3a"), (455, "0xb8b8b4"), (845, "0x2c2c30"))),
        *(Box(x + 12, 750, 61, 70, "0x20282c") for x in (195, 455, 845)),
    ),
    (
        Mover(_vehicle("0xc8a020", box=True), 150, 150, 440, 6, 7),
        Mover(_walker("0x303848"), 24, 130, 420, 0, 16, leftward=True, sway=3),
    ),
)


def _test_card(width: int, height: int, fps: int) -> str:
    return f"testsrc2=size={width}x{height}:rate={fps}"


SCENES = (
    Scene("test card", True, _test_card),
    Scene("street", False, _STREET),
    Scene("night", False, _NIGHT),
    Scene("hall", False, _HALL),
    Scene("yard", False, _YARD),
)
PLACES = range(1, len(SCENES))
