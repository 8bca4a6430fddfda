"""`nvr simulate`: simulated cameras alone, to try a recorder or a player against."""

from __future__ import annotations

import asyncio
import math
import re
import signal
from pathlib import Path

import click

from config.settings import Settings
from nvr.cli_base import with_settings
from nvr.simulator import CameraOptions, LoopOptions, Simulator, SimulatorOptions
from nvr.simulator_media import default_cache_dir
from storage.binary import find


class _Size(click.ParamType[tuple[int, int]]):
    name = "WxH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", str(value))
        if match is None:
            self.fail(f"{value!r} is not a size such as 640x360", param, ctx)
        return int(match[1]), int(match[2])


@click.command()
@click.option("--cameras", default=1, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8554, show_default=True, type=click.IntRange(0, 65_535), help="0 takes any free one.")
@click.option("--codec", default="h264", show_default=True, type=click.Choice(["h264", "h265"]))
@click.option("--size", default="640x360", show_default=True, type=_Size(), help="Even, at least 320x180.")
@click.option("--fps", default=25, show_default=True, type=click.IntRange(1, 60))
@click.option("--gop-s", default=2.0, show_default=True, help="Seconds from keyframe to keyframe.")
@click.option("--bframes", default=0, show_default=True, type=click.IntRange(0, 4))
@click.option("--bitrate-kbps", default=1000, show_default=True, type=click.IntRange(50, 50_000))
@click.option("--loop-s", default=20.0, show_default=True, help="Seconds until the pictures repeat.")
@click.option("--varied/--alike", default=True, show_default=True, help="Several scenes, or the test card alone.")
@click.option("--audio", default="none", show_default=True, type=click.Choice(["aac", "pcmu", "pcma", "none"]))
@click.option("--audio-start-s", default=0.0, help="Sound comes this long after PLAY; inf announces it and sends none.")
@click.option("--audio-stop-s", default=math.inf, help="Sound stops this long after PLAY.")
@click.option("--user", help="Ask for Digest sign-in.")
@click.option("--password", default="", help="With --user.")
@click.option("--transport", "transports", default="both", show_default=True, type=click.Choice(["both", "tcp", "udp"]))
@click.option("--burst", is_flag=True, help="Send the current GOP at once to a client that connects.")
@click.option("--clock-error-s", default=0.0, help="How far the cameras' clocks are ahead of the truth.")
@click.option("--clock-drift-ppm", default=0.0, help="How much too fast the cameras' clocks run.")
@click.option("--report-interval-s", default=2.0, show_default=True, help="RTCP sender reports.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Where made pictures are kept.")
@with_settings
def simulate(
    cameras: int,
    host: str,
    port: int,
    size: tuple[int, int],
    loop_s: float,
    varied: bool,
    cache: Path | None,
    settings: Settings,
    **options: object,
) -> None:
    """Serve simulated RTSP cameras until Ctrl-C; prints their addresses once they answer.

    The pictures carry a machine-readable frame number along the bottom edge.
    """
    looped = {name: options.pop(name) for name in ("codec", "fps", "gop_s", "bframes", "bitrate_kbps")}
    loop = LoopOptions(width=size[0], height=size[1], length_s=loop_s, **looped)  # type: ignore[arg-type]  # by click
    camera = CameraOptions(loop, **options)  # type: ignore[arg-type]  # click has checked each against its option
    ffmpeg = str(find(settings.recording.ffmpeg))
    folder = cache or default_cache_dir()
    asyncio.run(_serve(SimulatorOptions(cameras, host, port, camera, varied=varied, ffmpeg=ffmpeg, cache_dir=folder)))


async def _serve(options: SimulatorOptions) -> None:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    async with Simulator(options) as simulator:
        for number in range(1, options.cameras + 1):
            click.echo(simulator.url(number))
        await stop.wait()
