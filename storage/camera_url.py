"""Camera URLs: what the server may be told to connect to, with user and password split off.

A URL is given by a person, and ffmpeg connects to it from inside the network: so only RTSP, and no address that leads to the
server itself or to the link (cloud metadata services live there). Pure functions; a name is judged by its spelling alone, for
what it resolves to may change between the check and the connection.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from config.errors import Invalid
from storage.camera_rules import unfit
from storage.model import Credentials

MAX_LENGTH = 1024
MAX_CREDENTIAL = 128

_ALLOWED = re.compile(r"[!$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~%{}]+")  # RFC 3986 without '#', and our own placeholders
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})

_USER_PLACE, _PASSWORD_PLACE = "{username}", "{password}"
# Some makers want the login inside the path: /user=admin_password=secret_channel=1_stream=0.sdp or ?user=..&password=..
_VALUE = r"=([^&/?]*?)(?=[&/?]|_(?:password|channel|stream)=|$)"
_PATH_USER = re.compile(rf"(?i)(?<![a-z])((?:user(?:name)?|usr|login)){_VALUE}")
_PATH_PASSWORD = re.compile(rf"(?i)(?<![a-z])((?:password|passwd|pass|pwd|psw)){_VALUE}")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class CameraUrl:
    """`url` carries no user and no password: `join` puts them back for ffmpeg."""

    url: str
    credentials: Credentials | None


def parse(url: str, *, allow_loopback: bool, field: str = "url") -> CameraUrl:
    """The URL as it is kept, and the login that was in it.

    Raises Invalid (naming `field`, never the login) for anything but rtsp:// or rtsps:// with a host, and for a host that is
    multicast, link-local, unspecified, broadcast, or loopback unless `allow_loopback`.
    """
    _check_characters(url, field)
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in ("rtsp", "rtsps"):
        raise Invalid("a camera's URL starts with rtsp:// or rtsps://", field=field)
    authority, slash, path = _cut(rest)
    login, at, place = authority.rpartition("@")
    if "@" in path:
        raise Invalid("write an @ of the path as %40, and a / or ? of the password as %2F or %3F", field=field)
    host, port = _host_and_port(place, field)
    _check_host(host, allow_loopback, field)
    credentials = _login(login, field) if at else None
    path, credentials = _split_path(path, credentials)
    return CameraUrl(f"{scheme}://{host}{port}{slash}{path}", credentials)


def check(url: str, *, allow_loopback: bool) -> str:
    """`url` as it is kept. Raises Invalid as `parse`, and where it carries a login."""
    parsed = parse(url, allow_loopback=allow_loopback)
    if parsed.credentials is not None:
        raise Invalid("give user and password apart from the URL", field="url")
    return parsed.url


def join(url: str, credentials: Credentials | None) -> str:
    """The URL ffmpeg is given, login included: for the mode 0600 ffconcat file alone, never for a log or an answer."""
    if credentials is None:
        return url
    user, password = quote(credentials.username, safe=""), quote(credentials.password, safe="")
    if _PASSWORD_PLACE in url:
        return url.replace(_USER_PLACE, user).replace(_PASSWORD_PLACE, password)
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{user}:{password}@{rest}"


def check_credentials(username: str, password: str) -> Credentials:
    """Raises Invalid where they are too long or carry control characters (which would break the ffconcat file)."""
    for value, field in ((username, "username"), (password, "password")):
        if len(value) > MAX_CREDENTIAL:
            raise Invalid(f"{field} is longer than {MAX_CREDENTIAL} characters", field=field)
        if unfit(value):
            raise Invalid(f"{field} has control characters or is no valid text", field=field)
    return Credentials(username, password)


def _check_characters(url: str, field: str) -> None:
    if len(url) > MAX_LENGTH:
        raise Invalid(f"a camera's URL has at most {MAX_LENGTH} characters", field=field)
    if "#" in url:
        raise Invalid("write a # in a camera's URL as %23", field=field)
    if not _ALLOWED.fullmatch(url):
        raise Invalid(
            "a camera's URL has plain ASCII letters, digits and -._~:/?[]@!$&'()*+,;=% only: percent-encode the rest",
            field=field,
        )
    if re.search(r"%(?![0-9A-Fa-f]{2})", url):
        raise Invalid("a % in a camera's URL is followed by two hex digits (%25 is a plain %)", field=field)
    if re.search(r"(?i)%(?:[01][0-9a-f]|7f)", url):
        raise Invalid("a camera's URL has no control characters, not even encoded ones", field=field)
    if re.search(r"[{}]", url.replace(_USER_PLACE, "").replace(_PASSWORD_PLACE, "")):
        raise Invalid("write a { or } in a camera's URL as %7B or %7D", field=field)


def _cut(rest: str) -> tuple[str, str, str]:
    """(authority, its delimiter or "", what follows)."""
    match = re.search(r"[/?]", rest)
    return (rest[: match.start()], match[0], rest[match.end() :]) if match else (rest, "", "")


def _host_and_port(place: str, field: str) -> tuple[str, str]:
    """Host in lower case, an IPv6 one in brackets; port as ":554" or ""."""
    match = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,6}))?", place)
    if match is None:
        raise Invalid(
            "a camera's URL is rtsp://host[:port]/path; write : / ? @ of a password as %3A %2F %3F %40", field=field
        )
    host, port = match[1].lower(), match[2] or ""
    if port and not 1 <= int(port) <= 65535:
        raise Invalid("the port of a camera's URL is 1 to 65535", field=field)
    return host, f":{int(port)}" if port else ""


def _check_host(host: str, allow_loopback: bool, field: str) -> None:
    address = _address(host, field)
    if address is None:
        plain = host.rstrip(".")
        loopback = plain in _LOCAL_NAMES or plain.endswith(".localhost")
        if loopback and not allow_loopback:
            raise Invalid("a camera's URL must not lead to this machine (loopback)", field=field)
        return
    for seen in (address, *_embedded(address)):
        if reason := _refused(seen, allow_loopback):
            raise Invalid(f"a camera's URL must not lead to {reason}", field=field)


def _refused(address: Address, allow_loopback: bool) -> str:
    if address.is_loopback:
        return "" if allow_loopback else "this machine (loopback)"
    if address.is_unspecified or (address.version == 4 and address in ipaddress.IPv4Network("0.0.0.0/8")):
        return "an unspecified address"  # Linux connects 0.0.0.0 to itself
    if address.is_multicast:
        return "a multicast address"
    if address.is_link_local:
        return "a link-local address"
    if address.version == 4 and address in ipaddress.IPv4Network("240.0.0.0/4"):
        return "a broadcast or reserved address"
    return ""


def _address(host: str, field: str) -> Address | None:
    """The address a host spells, in any spelling the system's resolver takes; None for a name."""
    if host.startswith("["):
        try:
            address = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise Invalid("the IPv6 address in the camera's URL cannot be read", field=field) from None
        if address.scope_id is not None:
            raise Invalid("a camera's URL must not lead to a link-local address", field=field)
        return address
    if not host or len(host) > 253 or not _HOST_NAME.fullmatch(host):
        raise Invalid("the camera's URL needs a host: a name or an address", field=field)
    last = host.rstrip(".").rpartition(".")[2]
    if not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        return None
    try:
        # getaddrinfo takes 2130706433, 0x7f000001, 0177.1 and 127.1 for 127.0.0.1: so must the check.
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        raise Invalid("the IPv4 address in the camera's URL cannot be read", field=field) from None


def _embedded(address: Address) -> list[Address]:
    """IPv4 addresses inside an IPv6 one: mapped, compatible, 6to4, NAT64, Teredo."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found: list[Address] = [inner for inner in (address.ipv4_mapped, address.sixtofour) if inner is not None]
    if address.teredo is not None:
        found.append(address.teredo[1])
    high, low = int(address) >> 32, int(address) & 0xFFFFFFFF
    if (high == 0 and low > 1) or address in ipaddress.IPv6Network("64:ff9b::/96"):
        found.append(ipaddress.IPv4Address(low))
    return found


def _login(login: str, field: str) -> Credentials | None:
    user, _, password = login.partition(":")
    if not user and not password:
        return None
    try:
        return check_credentials(unquote(user, errors="strict"), unquote(password, errors="strict"))
    except UnicodeDecodeError:
        raise Invalid("user and password in the camera's URL are percent-encoded UTF-8", field=field) from None
    except Invalid as error:
        raise Invalid(error.message, field=field) from None


def _split_path(path: str, credentials: Credentials | None) -> tuple[str, Credentials | None]:
    """A login written inside the path becomes placeholders that `join` fills."""
    password = _PATH_PASSWORD.search(path)
    if password is None or password[2] == _PASSWORD_PLACE:
        return path, credentials
    user = _PATH_USER.search(path)
    found = Credentials(unquote(user[2]) if user else "", unquote(password[2]))
    path = _PATH_PASSWORD.sub(lambda match: f"{match[1]}={_PASSWORD_PLACE}", path, count=1)
    if user:
        path = _PATH_USER.sub(lambda match: f"{match[1]}={_USER_PLACE}", path, count=1)
    return path, credentials or found


def host_of(url: str) -> str:
    """The host of a URL that `parse` has taken, for messages."""
    return urlsplit(url).hostname or ""
