"""What simulated cameras see: pictures drawn by ffmpeg's own sources, so that nothing has to be shipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """`graph(width, height, fps)` is an ffmpeg filter graph without inputs that ends in one open video output.

    `steady`: as much movement at any time. Otherwise calm and busy times follow each other within 20 s.
    """

    name: str
    steady: bool
    graph: Callable[[int, int, int], str]


_MOVING = ((7, 8), (5, 5), (40, 10))  # sizes of car, van and walker, as parts of the picture


def _test_card(width: int, height: int, fps: int) -> str:
    return f"testsrc2=size={width}x{height}:rate={fps}"


def _crossing(width: int, height: int, fps: int) -> str:
    """A calm ground which two cars and a walker cross: empty, then one, then all, then empty again.

    Drawn at 640 pixels wide at most: mixing large pictures takes ffmpeg several times as long as coding them.
    """
    wide = min(width, 640)
    high = height * wide // width // 2 * 2
    size = f"size={wide}x{high}:rate={fps}"
    car, van, walker = (f"testsrc2=size={wide // across}x{high // up}:rate={fps}" for across, up in _MOVING)
    return (
        f"gradients={size}:c0=0x506070:c1=0x8a9a80:nb_colors=2:x0=0:y0=0:x1=0:y1={high}:speed=0.00001,"
        f"drawgrid=w={wide // 8}:h={high // 6}:t=2:c=0x404040@0.6[ground];"
        f"{car}[car];{van},hue=h=120[van];{walker},hue=h=240[walker];"
        "[ground][car]overlay=x='-w+(W+w)*mod(t-4,4)/4':y='H*0.35':enable='between(mod(t,20),4,8)'[one];"
        "[one][van]overlay=x='W-(W+w)*mod(t-10,5)/5':y='H*0.55':enable='between(mod(t,20),10,15)'[two];"
        "[two][walker]overlay=x='W*0.2+W*0.5*mod(t-7,6)/6':y='H*0.2+8*sin(t*9)':enable='between(mod(t,20),7,13)'"
        f",scale={width}:{height}"
    )


def _fractal(width: int, height: int, fps: int) -> str:
    return f"mandelbrot=size=320x180:rate={fps}:end_pts=300:end_scale=0.02,scale={width}:{height}"


def _cells(width: int, height: int, fps: int) -> str:
    """Cells that are born, live and fade: dense small movement."""
    return (
        f"life=size=80x44:rate={fps}:mold=10:seed=7:ratio=0.3:death_color=0x203040:life_color=0x80ff90"
        f":mold_color=0x304050,scale={width}:{height}:flags=neighbor"
    )


SCENES = (
    Scene("test card", True, _test_card),
    Scene("crossing", False, _crossing),
    Scene("fractal", True, _fractal),
    Scene("cells", True, _cells),
)
