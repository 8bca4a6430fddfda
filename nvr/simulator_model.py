"""What a simulated camera is built from, what can go wrong with it, and what it tells of its pictures. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from config.errors import Invalid
from nvr.simulator_audio import AudioCodec
from nvr.simulator_media import LoopOptions

Transports = Literal["both", "tcp", "udp"]


@dataclass(frozen=True, slots=True)
class CameraOptions:
    """How a camera is built. Times in seconds; sound times count from a client's PLAY.

    `audio_start_s` of infinity announces sound that never comes. `burst`: a client first gets the current GOP at once,
    as many servers do. `report_interval_s`: RTCP sender reports; the first comes `first_report_s` after PLAY.
    """

    loop: LoopOptions = field(default_factory=LoopOptions)
    audio: AudioCodec = "none"
    audio_start_s: float = 0.0
    audio_stop_s: float = float("inf")
    user: str | None = None
    password: str = ""
    transports: Transports = "both"
    burst: bool = False
    rtp_info: bool = True
    clock_error_s: float = 0.0
    clock_drift_ppm: float = 0.0
    report_interval_s: float = 2.0
    first_report_s: float = 0.2
    packet_bytes: int = 1400


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a camera now; the default is nothing.

    stall      the connection stays, nothing is sent, nothing is answered
    no_video   sound and sender reports only
    silent     no sound packets
    refuse     connections for this camera are reset at their first request
    status     every request is answered with this RTSP status (401, 404, 503 ...); present streams go on
    loss       share of the RTP packets that are dropped, 0 to 1
    rate       share of real time at which pictures are sent, above 0 to 1; when it ends the camera is live again
    jitter_s   each picture leaves up to this much late, in order
    """

    stall: bool = False
    no_video: bool = False
    silent: bool = False
    refuse: bool = False
    status: int | None = None
    loss: float = 0.0
    rate: float = 1.0
    jitter_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1:
            raise Invalid(f"loss {self.loss} is not within 0 to 1", field="loss")
        if not 0 < self.rate <= 1:
            raise Invalid(f"rate {self.rate} is not above 0 and at most 1", field="rate")


@dataclass(frozen=True, slots=True)
class SentFrame:
    """One picture of a camera: `index` counts for ever, `number` is what the picture shows, in repetition `loop`.

    `captured_us` is the true time of the picture; `sent_us` when its first packet left, None when it never did (nobody
    played, a fault) or that is forgotten.
    """

    index: int
    loop: int
    number: int
    captured_us: int
    sent_us: int | None
