"""Settings: `nvr.toml` and NVR_* environment variables, validated once, frozen. Documented in `nvr.example.toml`.

`load` is the only way in. Every problem is one `Invalid` that names `section.key` and the way out.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from config.errors import Invalid

PREFIX = "NVR_"
DELIMITER = "__"
NOT_SETTINGS = frozenset({"NVR_CONFIG", "NVR_FFMPEG", "NVR_TEST_ALL"})


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class ServerSettings(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    node: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "n1"
    name: Annotated[str, Field(max_length=80)] = "nvr"
    timezone: str = "Asia/Kolkata"
    language: Literal["en", "hi"] = "en"
    names: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone of the IANA list, such as Asia/Kolkata") from error
        return value


class StorageSettings(Section):
    database: Path = Path("data/nvr.sqlite3")
    volumes: Annotated[tuple[Path, ...], Field(min_length=1)] = (Path("data/footage"),)


class RecordingSettings(Section):
    segment_seconds: Annotated[int, Field(ge=1, le=300)] = 60
    ffmpeg: str = "auto"
    start_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    allow_loopback: bool = False


class PlaybackSettings(Section):
    x_accel_prefix: str = ""


class RetentionSettings(Section):
    default_days: Annotated[int, Field(ge=1, le=3650)] = 30
    min_free_percent: Annotated[float, Field(ge=0, le=50)] = 5.0


class AuthSettings(Section):
    mode: Literal["off"] = "off"


class OffloadSettings(Section):
    endpoint: str = ""
    bucket: str = ""
    region: str = ""
    prefix: str = ""


class AlertSettings(Section):
    webhook: str = ""
    smtp: str = ""
    to: tuple[str, ...] = ()


class Settings(Section):
    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    recording: RecordingSettings = RecordingSettings()
    playback: PlaybackSettings = PlaybackSettings()
    retention: RetentionSettings = RetentionSettings()
    auth: AuthSettings = AuthSettings()
    offload: OffloadSettings = OffloadSettings()
    alerts: AlertSettings = AlertSettings()


def is_loopback(host: str) -> bool:
    """Whether a listening address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(path: Path | None, env: Mapping[str, str] = os.environ) -> Settings:
    """`path`, else ./nvr.toml where it exists, else $NVR_CONFIG, else the defaults; NVR_SECTION__KEY overrides each.

    Relative paths are taken from the settings file's folder, without one from the working directory. Raises Invalid.
    """
    file = _file(path, env)
    values = _read(file) if file is not None else {}
    for name, text in sorted(env.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            _override(values, name, text)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None
    settings = _absolute(settings, file.parent.absolute() if file is not None else Path.cwd())
    if settings.auth.mode == "off" and not is_loopback(settings.server.host):
        raise Invalid(
            f"server.host is {settings.server.host!r}, but without sign-in (auth.mode = \"off\") only a loopback address "
            "such as 127.0.0.1 may be listened on: put a proxy with sign-in before it",
            field="server.host",
        )
    return settings


def _file(path: Path | None, env: Mapping[str, str]) -> Path | None:
    if path is not None:
        if not path.is_file():
            raise Invalid(f"there is no settings file {path}", field="--config")
        return path
    if Path("nvr.toml").is_file():
        return Path("nvr.toml")
    if named := env.get("NVR_CONFIG"):
        if not Path(named).is_file():
            raise Invalid(f"there is no settings file {named}", field="NVR_CONFIG")
        return Path(named)
    return None


def _read(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{file}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from None
    return values


def _override(values: dict[str, Any], name: str, text: str) -> None:
    section, _, key = name.removeprefix(PREFIX).lower().partition(DELIMITER)
    model = Settings.model_fields.get(section)
    fields = model.annotation.model_fields if model and model.annotation else {}
    if key not in fields:
        known = [
            f"{PREFIX}{s}{DELIMITER}{k}".upper()
            for s, f in Settings.model_fields.items()
            for k in f.annotation.model_fields  # type: ignore[union-attr]
        ]
        raise Invalid(f"{name} is no setting{_nearest(name, known)}", field=name)
    value: Any = text
    if "tuple" in str(fields[key].annotation):
        try:
            value = TypeAdapter(list[str]).validate_json(text)
        except ValidationError:
            value = [part.strip() for part in text.split(",") if part.strip()]
    table = values.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = value


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f": did you mean {near[0]}?" if near else ""


def _invalid(error: ValidationError) -> Invalid:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if not isinstance(part, int)]
    field = ".".join(place)
    if first["type"] == "extra_forbidden":
        if len(place) > 1:
            section = Settings.model_fields[place[0]].annotation
            known = [f"{place[0]}.{key}" for key in section.model_fields]  # type: ignore[union-attr]
        else:
            known = list(Settings.model_fields)
        return Invalid(f"{field} is no setting{_nearest(field, known)}", field=field)
    said = first["msg"].removeprefix("Value error, ")
    return Invalid(f"{field}: {said[0].lower()}{said[1:]} (it is {first['input']!r})", field=field)


def _absolute(settings: Settings, base: Path) -> Settings:
    storage = settings.storage.model_copy(
        update={
            "database": base / settings.storage.database,
            "volumes": tuple(base / volume for volume in settings.storage.volumes),
        }
    )
    return settings.model_copy(update={"storage": storage})
