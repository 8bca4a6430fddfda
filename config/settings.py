"""Settings: `nvr.toml` and NVR_* environment variables, validated once, frozen. Documented in `nvr.example.toml`.

`load` is the only way in. Every problem is one `Invalid` that names `section.key` and the way out.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from config import owner_kinds, smtp
from config.errors import Invalid

PREFIX = "NVR_"
DELIMITER = "__"
NOT_SETTINGS = frozenset(
    {"NVR_CONFIG", "NVR_FFMPEG", "NVR_SECRETS_KEY", "NVR_SECRETS_KEY_FILE", "NVR_SMTP_PASSWORD", "NVR_TEST_ALL"}
)
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SAID = {
    "tuple_type": 'a list is needed, such as ["a", "b"]',
    "too_short": "at least one entry is needed",
    "model_type": "this is a section: write its keys below [name]",
}
_WEBHOOK = re.compile(r"https?://[^\s/?#@]+(/\S*)?")
_MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_STORE = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+/?")
_STORE_NAME = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
_ORIGIN = re.compile(r"https?://[^\s/?#@*]+")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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

    @field_validator("names")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no host name: write it without scheme, port and path, as nvr.example.org"
                )
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: write scheme and host alone, as https://wall.example.org")
        return value


class StorageSettings(Section):
    database: Path = Path("data/nvr.sqlite3")
    volumes: Annotated[tuple[Path, ...], Field(min_length=1)] = (Path("data/footage"),)

    @field_validator("database", "volumes")
    @classmethod
    def _named(cls, value: Path | tuple[Path, ...]) -> Path | tuple[Path, ...]:
        paths = value if isinstance(value, tuple) else (value,)
        if Path() in paths:
            raise ValueError("a path of its own is needed, not an empty one or the folder itself")
        if any("\0" in str(path) for path in paths):
            raise ValueError("a path cannot hold a NUL character")
        return value


class RecordingSettings(Section):
    segment_seconds: Annotated[int, Field(ge=1, le=300)] = 60
    ffmpeg: str = "auto"
    start_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    allow_loopback: bool = False


class PlaybackSettings(Section):
    x_accel_prefix: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~/-]*)?$")] = ""


class RetentionSettings(Section):
    default_days: Annotated[int, Field(ge=1, le=3650)] = 30
    min_free_percent: Annotated[float, Field(ge=0, le=50)] = 5.0


class RegistrySettings(Section):
    owner_kinds: tuple[str, ...] = ()
    city: tuple[float, ...] = (25.9, 79.5, 27.0, 80.9)

    @field_validator("owner_kinds")
    @classmethod
    def _kinds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            owner_kinds.parse(text)
        return value

    @field_validator("city")
    @classmethod
    def _box(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if value:
            if len(value) != 4:
                raise ValueError("four numbers are needed: south, west, north, east; or none, []")
            south, west, north, east = value
            if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
                raise ValueError("south, west, north, east are degrees; south lies below north and west below east")
        return value


class AuthSettings(Section):
    mode: Literal["off"] = "off"


class OffloadSettings(Section):
    endpoint: str = ""
    bucket: str = ""
    region: str = ""
    prefix: str = ""
    credentials_file: str = ""
    parallel: Annotated[int, Field(ge=1, le=64)] = 4
    mbit_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    hours: str = ""

    @field_validator("endpoint")
    @classmethod
    def _store(cls, value: str) -> str:
        if value and not _STORE.fullmatch(value):
            raise ValueError(f"{value!r} is no address of a store: write it as https://s3.example.org:9000")
        return value.rstrip("/")

    @field_validator("bucket", "region", "prefix")
    @classmethod
    def _store_name(cls, value: str) -> str:
        if not _STORE_NAME.fullmatch(value):
            raise ValueError(f"{value!r}: letters, digits, '.', '-', '_' alone, in a prefix with '/' between its parts")
        return value

    @field_validator("hours")
    @classmethod
    def _from_to(cls, value: str) -> str:
        if value and not _HOURS.fullmatch(value):
            raise ValueError(f'{value!r} is no time of the day: write it as "22:00-06:00"')
        return value


class AlertSettings(Section):
    webhook: str = ""
    smtp: str = ""
    smtp_password_file: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()

    @field_validator("webhook")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not _WEBHOOK.fullmatch(value):
            raise ValueError("the webhook is no http:// or https:// address without blanks")
        return value

    @field_validator("smtp")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value:
            smtp.parse(value)
        return value

    @field_validator("sender", "to")
    @classmethod
    def _mail_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in (value,) if isinstance(value, str) else value:
            if (address or not isinstance(value, str)) and not _MAIL_ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no mail address, such as control-room@example.org")
        return value

    @model_validator(mode="after")
    def _both_or_neither(self) -> AlertSettings:
        if self.smtp and not self.to:
            raise ValueError("alerts.smtp is set but alerts.to names nobody: who reads the mails?")
        if self.to and not self.smtp:
            raise ValueError("alerts.to names readers but alerts.smtp no mail server")
        return self


class Settings(Section):
    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    recording: RecordingSettings = RecordingSettings()
    playback: PlaybackSettings = PlaybackSettings()
    retention: RetentionSettings = RetentionSettings()
    registry: RegistrySettings = RegistrySettings()
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
    return _made(_file(path, env), env)


def from_variables(env: Mapping[str, str]) -> Settings:
    """NVR_SECTION__KEY over the defaults; no file is read. Raises Invalid."""
    return _made(None, env)


def _made(file: Path | None, env: Mapping[str, str]) -> Settings:
    values = _read(file) if file is not None else {}
    overridden: dict[str, str] = {}
    for name, text in sorted(env.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            overridden[_override(values, name, text)] = name
    try:
        # By way of JSON: strict there takes text for a path and an array for a tuple, but no `true` for a number.
        settings = Settings.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise _invalid(error, overridden) from None
    settings = _absolute(settings, file.parent.absolute() if file is not None else Path.cwd())
    if settings.auth.mode == "off" and not is_loopback(settings.server.host):
        raise Invalid(
            f'server.host is {settings.server.host!r}, but without sign-in (auth.mode = "off") only a loopback address '
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


def _override(values: dict[str, Any], name: str, text: str) -> str:
    """Puts one variable into `values`; returns its `section.key`."""
    section, _, key = name.removeprefix(PREFIX).lower().partition(DELIMITER)
    fields = _fields(section)
    if key not in fields or name != name.upper():
        known = [f"{PREFIX}{s}{DELIMITER}{k}".upper() for s in Settings.model_fields for k in _fields(s)]
        raise Invalid(f"{name} is no setting{_nearest(name, known)}", field=name)
    table = values.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = _typed(fields[key].annotation, text)
    return f"{section}.{key}"


def _typed(annotation: Any, text: str) -> object:
    """The text of a variable as what the file would hold. What cannot be read stays text, and the model refuses it."""
    if annotation in (bool, int, float):
        try:
            return TypeAdapter(annotation).validate_strings(text)
        except ValidationError:
            return text
    if "tuple" in str(annotation):
        try:
            return TypeAdapter(list[float] if "float" in str(annotation) else list[str]).validate_json(text)
        except ValidationError:
            return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _fields(section: str) -> dict[str, FieldInfo]:
    """The keys of a section; of one that does not exist none."""
    info = Settings.model_fields.get(section)
    model = info.annotation if info else None
    return model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f": did you mean {near[0]}?" if near else ""


def _invalid(error: ValidationError, overridden: Mapping[str, str]) -> Invalid:
    """The first problem in one sentence. `overridden`: which variable of the environment set which key."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if not isinstance(part, int)]
    field = ".".join(place)
    if first["type"] == "extra_forbidden":
        known = [f"{place[0]}.{key}" for key in _fields(place[0])] if len(place) > 1 else list(Settings.model_fields)
        return Invalid(f"{field} is no setting{_nearest(field, known)}", field=field)
    said = _SAID.get(first["type"], first["msg"].removeprefix("Value error, "))
    held = "" if first["type"] == "value_error" else f" (it is {first['input']!r})"
    source = f", from {overridden[field]}" if field in overridden else ""
    return Invalid(f"{field}{source}: {said[0].lower()}{said[1:]}{held}", field=field)


def _absolute(settings: Settings, base: Path) -> Settings:
    volumes = tuple(Path(os.path.normpath(base / volume)) for volume in settings.storage.volumes)
    for one, other in permutations(volumes, 2):
        if one == other:
            raise Invalid(f"storage.volumes names {one} twice", field="storage.volumes")
        if one.resolve().is_relative_to(other.resolve()):
            raise Invalid(
                f"storage.volumes: {one} lies inside {other}: each volume needs its own folder", field="storage.volumes"
            )
    database = Path(os.path.normpath(base / settings.storage.database))
    alerts = settings.alerts
    if alerts.smtp_password_file:
        alerts = alerts.model_copy(update={"smtp_password_file": os.path.normpath(base / alerts.smtp_password_file)})
    offload = settings.offload
    if offload.credentials_file:
        offload = offload.model_copy(update={"credentials_file": os.path.normpath(base / offload.credentials_file)})
    return settings.model_copy(
        update={
            "storage": settings.storage.model_copy(update={"database": database, "volumes": volumes}),
            "offload": offload,
            "alerts": alerts,
        }
    )
