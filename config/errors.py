"""The one family of errors. `web.problems` maps it to HTTP, `nvr.cli` to one line and exit status 1."""


class NvrError(Exception):
    """Something the caller can act on. `message` is one sentence that says what is wrong and the way out.

    `field` names the setting, parameter or body field at fault, where there is one. `extra` goes into the problem
    document as further members (JSON values only).
    """

    def __init__(self, message: str, *, field: str | None = None, **extra: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.extra = extra


class NotFound(NvrError):
    """The thing named does not exist (HTTP 404)."""


class Conflict(NvrError):
    """The request is sound but clashes with what is there (HTTP 409)."""


class Invalid(NvrError):
    """Bad input (HTTP 422, exit 1); `field` says which."""


class Unavailable(NvrError):
    """Cannot be done now, may work later: a volume missing, a disk full, a stalled store (HTTP 503)."""


class Corrupt(NvrError):
    """Bytes that cannot be what they claim to be. Never a reason to delete them."""
