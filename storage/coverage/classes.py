"""Classes of causes: what a city reports. Who mends it is the same for all causes of a class. Pure."""

from __future__ import annotations

from typing import Final

CLASSES: Final = ("camera", "network", "credentials", "codec", "disk", "server", "disabled", "deleted", "unknown")
_OF: Final = {
    "unauthorized": "credentials",
    "refused": "camera",
    "unreachable": "network",
    "timeout": "network",
    "not_found": "camera",
    "no_video": "camera",
    "unsupported_codec": "codec",
    "audio_silent": "codec",
    "no_keyframes": "codec",
    "camera_time_jump": "camera",
    "parameters_changed": "codec",
    "disk_full": "disk",
    "volume_lost": "disk",
    "killed": "server",
    "server_down": "server",
    "disabled": "disabled",
    "not_registered": "disabled",
    "deleted": "deleted",
    "missing": "disk",
}


def class_of(cause: str) -> str:
    """One of CLASSES for one of `storage.model.CAUSES`."""
    return _OF.get(cause, "unknown")
