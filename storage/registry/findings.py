"""What is found about a camera when it is looked at, and what to do about it. Pure: from measured values to codes.

The pages have the same texts in the viewer's language (`finding.<code>`, `finding.<code>.fix`); docs/guide/camera-settings.md
explains each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from storage.model import Credentials
from storage.registry.measured import Measured

Level = Literal["info", "warn", "bad"]

LONG_GOP_S: Final = 4.0
SMART_GOP_S: Final = 8.0
CLOCK_WRONG_US: Final = 2_000_000
LOW_FPS: Final = 8.0
FPS_OFF: Final = 0.2
"""Share by which the announced and the measured frame rate may differ."""
LOW_HEIGHT: Final = 480
HIGH_KBPS: Final = 8_000.0
LOW_BITS_PER_PIXEL: Final = 0.02
"""H.264 below this is smeared: 2 Mbit/s at 1080p and 25 fps is 0.039. HEVC needs half."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`text`: what is so; `fix`: what a person can do. English, one or two sentences each."""

    code: str
    level: Level
    text: str
    fix: str


_ALL: Final = (
    Finding(
        "unreachable",
        "bad",
        "The camera does not answer at this address.",
        "Check power, cable and switch, the address and the port (554 as a rule), and that a firewall lets the server through.",
    ),
    Finding(
        "wrong_login",
        "bad",
        "The camera refuses this user name or password.",
        "Enter the login of an account that may view the stream; after many wrong ones some cameras block for half an hour.",
    ),
    Finding(
        "wrong_path",
        "bad",
        "The camera answers, but it has no such stream.",
        "Look the path up in the camera's manual, or let ONVIF find it.",
    ),
    Finding(
        "udp_only",
        "bad",
        "The camera does not send over TCP.",
        "Allow RTSP over TCP (interleaved) in the camera's network settings; over UDP pictures are lost on a busy network.",
    ),
    Finding(
        "no_video",
        "bad",
        "The camera answers but sends no video.",
        "See whether its own page shows a picture; restart the camera, and choose H.264 for this stream.",
    ),
    Finding(
        "unsupported_codec",
        "bad",
        "The camera sends video in a form that cannot be recorded.",
        "Choose H.264 (or H.265) for this stream in the camera's video settings.",
    ),
    Finding(
        "no_keyframes",
        "bad",
        "No keyframe came while the camera was looked at: its footage cannot be cut or searched.",
        "Set the I-frame interval to two seconds (twice the frame rate) and switch smart coding off.",
    ),
    Finding(
        "well_known_login",
        "bad",
        "This login is on published lists of factory passwords.",
        "Set a password of its own on the camera, then enter it here.",
    ),
    Finding(
        "no_login",
        "warn",
        "The camera shows its pictures to anyone who asks.",
        "Require a login for RTSP in the camera's settings, then enter it here.",
    ),
    Finding(
        "plain_rtsp",
        "info",
        "Video crosses the network unencrypted.",
        "Keep cameras on a network of their own, or use rtsps:// where the camera has it.",
    ),
    Finding(
        "smart_codec",
        "warn",
        "Keyframes are far apart or come irregularly, as with smart coding (H.264+, H.265+).",
        "Switch smart coding off and set the I-frame interval to two seconds; else live view lags and a power cut loses more.",
    ),
    Finding(
        "long_gop",
        "warn",
        "More than four seconds lie between keyframes.",
        "Set the I-frame interval to two seconds (twice the frame rate).",
    ),
    Finding(
        "variable_frame_rate",
        "warn",
        "The frame rate varies.",
        "Set a fixed frame rate, and a shutter no slower than one frame; switch slow shutter at night off.",
    ),
    Finding(
        "low_frame_rate",
        "warn",
        "Fewer than eight pictures a second: fast movement is missed.",
        "Set 12 to 25 pictures a second.",
    ),
    Finding(
        "frame_rate_mismatch",
        "info",
        "The camera announces another frame rate than it sends.",
        "Set a fixed frame rate; a full network or a busy camera sends fewer pictures than it says.",
    ),
    Finding(
        "hevc",
        "info",
        "The video is H.265, which many browsers do not play.",
        "Choose H.264, or give the camera a second stream in H.264 for viewing.",
    ),
    Finding(
        "mjpeg",
        "warn",
        "The video is Motion JPEG: it takes many times the room of H.264.",
        "Choose H.264 for this stream.",
    ),
    Finding(
        "b_frames",
        "info",
        "The camera sends B-frames: live view comes a little later.",
        "Choose the Baseline or Main profile without B-frames if live view matters.",
    ),
    Finding(
        "audio_present",
        "info",
        "Sound is recorded.",
        "Record sound only where the law and the owner allow it: switch it off on the camera, or set its audio to off here.",
    ),
    Finding(
        "audio_codec",
        "info",
        "The sound is not AAC: it is coded anew, which takes computing time.",
        "Choose AAC for the sound, or switch it off.",
    ),
    Finding(
        "audio_silent",
        "warn",
        "The camera announces sound but sends none.",
        "Switch sound off on the camera, or connect its microphone.",
    ),
    Finding(
        "high_bitrate",
        "warn",
        "The bit rate is above 8 Mbit/s.",
        "2 to 4 Mbit/s are enough for 1080p; set a constant or limited bit rate.",
    ),
    Finding(
        "low_bitrate",
        "warn",
        "The bit rate is low for this size and frame rate: faces and number plates are smeared.",
        "Raise the bit rate: about 2 Mbit/s for 1080p at 25 pictures a second.",
    ),
    Finding(
        "low_resolution",
        "warn",
        "The picture has fewer than 480 lines.",
        "Choose the main stream, and its full resolution.",
    ),
    Finding(
        "clock_wrong",
        "warn",
        "The camera's clock is more than two seconds off.",
        "Set an NTP server on the camera. Footage is dated by the server's clock, but the time shown in the picture is wrong.",
    ),
    Finding(
        "clock_unknown",
        "info",
        "The camera does not tell its time.",
        "Compare the time shown in the picture with a clock, and set an NTP server on the camera.",
    ),
)
FINDINGS: Final[dict[str, Finding]] = {one.code: one for one in _ALL}

_OF_CAUSE: Final = {
    "unreachable": "unreachable",
    "timeout": "unreachable",
    "refused": "unreachable",
    "unauthorized": "wrong_login",
    "not_found": "wrong_path",
    "no_video": "no_video",
    "unsupported_codec": "unsupported_codec",
}
# Published factory logins: what was entered is compared with them. None of them is ever tried on a camera.
_USERS: Final = frozenset(
    ("", "admin", "administrator", "root", "user", "guest", "service", "supervisor", "operator", "888888", "666666")
)
_PASSWORDS: Final = frozenset(
    (
        *("", "admin", "administrator", "root", "user", "guest", "service", "password", "pass", "camera", "system"),
        *(
            "1111",
            "1234",
            "12345",
            "123456",
            "1234567",
            "12345678",
            "123456789",
            "1234567890",
            "0000",
            "00000",
            "000000",
        ),
        *("111111", "666666", "888888", "54321", "654321", "4321", "9999", "8888", "admin1", "admin12", "admin123"),
        *(
            "admin1234",
            "admin12345",
            "admin123456",
            "pass123",
            "password1",
            "ikwb",
            "fliradmin",
            "meinsm",
            "jvc",
            "wbox123",
        ),
        *("smcadmin", "supervisor", "operator", "hikvision", "hik12345", "hik123456", "dahua", "dahua123", "cpplus123"),
        *(
            "abcd1234",
            "admin@123",
            "admin@1234",
            "test",
            "test123",
            "qwerty",
            "qwerty123",
            "ubnt",
            "tlJwpbo6",
            "xc3511",
        ),
    )
)
_LOWER_PASSWORDS: Final = frozenset(word.lower() for word in _PASSWORDS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a camera gave. `cause`: one of CAUSES where nothing could be read. `fps`: as announced."""

    ok: bool
    cause: str | None
    detail: str
    url: str
    credentials: Credentials | None
    has_login: bool = False  # though `credentials` cannot be read
    video_codec: str = ""
    fps: float | None = None
    audio_codec: str = ""
    audio_received: bool = False
    audio_recorded: bool = True  # the camera's `audio` is not off
    measured: Measured | None = None
    clock_asked: bool = False  # the look was long enough for the camera to tell its time
    clock_offset_us: int | None = None


def well_known(credentials: Credentials) -> bool:
    """A factory login, as entered. Case does not save it."""
    user, password = credentials.username.lower(), credentials.password.lower()
    return password == user or (user in _USERS and password in _LOWER_PASSWORDS)


def findings_of(seen: Seen) -> tuple[str, ...]:
    """Codes of FINDINGS, in its order."""
    found = set(_of_login(seen))
    if seen.ok:
        found |= {*_of_video(seen), *_of_audio(seen), *_of_clock(seen)}
    else:
        found.add(_of_failure(seen))
    return tuple(code for code in FINDINGS if code in found)


def _of_failure(seen: Seen) -> str:
    if seen.cause == "refused" and "461" in seen.detail:
        return "udp_only"  # 461 Unsupported Transport, RFC 2326 11.3.14
    return _OF_CAUSE.get(seen.cause or "", "unreachable")


def _of_login(seen: Seen) -> Iterator[str]:
    if seen.credentials is None:
        if seen.ok and not seen.has_login:
            yield "no_login"
    elif well_known(seen.credentials):
        yield "well_known_login"
    if seen.ok and seen.url.startswith("rtsp:"):
        yield "plain_rtsp"


def _of_video(seen: Seen) -> Iterator[str]:
    if seen.video_codec in ("hevc", "mjpeg"):
        yield seen.video_codec
    measured = seen.measured
    if measured is None:
        return
    if 0 < measured.height < LOW_HEIGHT:
        yield "low_resolution"
    yield from _of_keyframes(measured, seen.video_codec)
    if measured.b_frames:
        yield "b_frames"
    if measured.fps is not None:
        yield from _of_rate(seen, measured, measured.fps)
    if measured.bitrate_kbps is not None:
        yield from _of_bitrate(seen, measured, measured.bitrate_kbps)


def _of_keyframes(measured: Measured, codec: str) -> Iterator[str]:
    if codec == "mjpeg":
        return
    longest_s = max(measured.keyframe_s or 0.0, measured.keyframe_at_least_s)
    if measured.keyframes == 0 and measured.seconds > LONG_GOP_S:
        yield "no_keyframes"
    elif longest_s > SMART_GOP_S or (longest_s > LONG_GOP_S and measured.keyframes_vary):
        yield "smart_codec"
    elif longest_s > LONG_GOP_S:
        yield "long_gop"


def _of_rate(seen: Seen, measured: Measured, fps: float) -> Iterator[str]:
    if measured.fps_varies:
        yield "variable_frame_rate"
    if fps < LOW_FPS:
        yield "low_frame_rate"
    if seen.fps and abs(fps - seen.fps) > FPS_OFF * seen.fps:
        yield "frame_rate_mismatch"


def _of_bitrate(seen: Seen, measured: Measured, kbps: float) -> Iterator[str]:
    if kbps > HIGH_KBPS:
        yield "high_bitrate"
    pixels = measured.width * measured.height * (measured.fps or 0.0)
    least = LOW_BITS_PER_PIXEL / (2 if seen.video_codec == "hevc" else 1)
    if pixels and kbps * 1000 / pixels < least:
        yield "low_bitrate"


def _of_audio(seen: Seen) -> Iterator[str]:
    if not seen.audio_codec:
        return
    if not seen.audio_received:
        yield "audio_silent"
        return
    if not seen.audio_recorded:
        return
    yield "audio_present"
    if seen.audio_codec != "aac":
        yield "audio_codec"


def _of_clock(seen: Seen) -> Iterator[str]:
    if seen.clock_offset_us is None:
        if seen.clock_asked:
            yield "clock_unknown"
    elif abs(seen.clock_offset_us) > CLOCK_WRONG_US:
        yield "clock_wrong"
