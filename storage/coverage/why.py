"""Why there is no footage, as a sentence for people. Pure."""

from __future__ import annotations

from typing import Final

_BECAUSE: Final = {
    "unauthorized": "the camera refused its user name or password",
    "refused": "the camera refused the connection",
    "unreachable": "the camera could not be reached over the network",
    "timeout": "the camera stopped answering",
    "not_found": "the camera has no stream under its URL",
    "no_video": "the camera sent no video",
    "unsupported_codec": "the camera sent a codec that cannot be recorded",
    "audio_silent": "the camera announced sound and sent none",
    "no_keyframes": "the camera sent no keyframes",
    "camera_time_jump": "the camera's clock jumped",
    "parameters_changed": "the camera's settings were changed",
    "disk_full": "there was no room on the disks",
    "volume_lost": "the disk it is recorded on was away",
    "killed": "its recorder was ended",
    "server_down": "the recording server was down",
    "disabled": "the camera was switched off here",
    "not_registered": "the camera was not registered yet",
    "deleted": "it was deleted as per policy",
    "missing": "its files were found missing",
    "unknown": "nothing was recorded; the cause is not known",
}
NOT_YET: Final = "no footage because the window has not begun yet"


def no_footage(cause: str, detail: str = "", since: str = "") -> str:
    """`since`: for people, in the site's zone; "" where it says nothing. `detail`: what was known of it, in its own words."""
    sentence = f"no footage because {_BECAUSE.get(cause, _BECAUSE['unknown'])}"
    if since:
        sentence += f" since {since}"
    return f"{sentence}: {detail}" if detail else sentence
