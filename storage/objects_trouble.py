"""What a store refuses, as one sentence with the way out. `extra["store_code"]` has the store's own word for it."""

from __future__ import annotations

import re
from functools import cache

from config.errors import Conflict, Corrupt, NotFound, NvrError, Unavailable

REFUSED = {
    "InvalidAccessKeyId": "it does not know our access key",
    "SignatureDoesNotMatch": "our secret key is not the right one",
    "AccessDenied": "our keys may not do that",
    "403": "our keys may not do that, or are wrong",
    "401": "our keys are wrong",
    "Unauthorized": "our keys are wrong",
    "ExpiredToken": "our session token has expired",
    "RequestTimeTooSkewed": "its clock and ours differ by minutes",
    "AccountProblem": "it has closed our account",
}
WRONG_KEYS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "Unauthorized", "401"})
GONE = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
BAD_SUM = frozenset({"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "InvalidDigest"})


@cache
def kinds() -> tuple[type[Exception], ...]:
    """What a call of boto3 raises for what the store or the line does."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return (BotoCoreError, ClientError, Boto3Error, HTTPError, OSError)


def told(error: Exception, what: str, where: str) -> NvrError:
    """`what`: what was tried, as `put <key>`; `where`: the endpoint and bucket."""
    answer = getattr(error, "response", None)
    code = str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(answer, dict) else 0
    trouble = f"{where} refused to {what}"
    if code in GONE:
        return NotFound(f"{where}: there is nothing to {what}", store_code=code)
    if code == "NoSuchBucket":
        return Unavailable(f"{where}: there is no such bucket: make it, or set offload.bucket", store_code=code)
    if code in BAD_SUM:
        return Corrupt(f"{trouble}: the bytes that came are not those of the SHA-256", store_code=code)
    if code in REFUSED:
        return Unavailable(f"{trouble}: {REFUSED[code]} ({code})", store_code=code)
    if code == "InvalidObjectState":
        return Conflict(f"{where}: it must be restored first ({what})", store_code=code)
    if code:
        said = answer.get("Error", {}).get("Message", "") if isinstance(answer, dict) else ""
        return Unavailable(f"{trouble}: {code} {status} {said}".rstrip(), store_code=code)
    return Unavailable(f"{where} does not answer: {_short(error)}")


def _short(error: Exception) -> str:
    """What the system said, where that is in it: urllib3 wraps it in the names of its own objects."""
    inner = getattr(error, "kwargs", {}).get("error", error)
    text = str(inner) or type(inner).__name__
    if (said := re.search(r"\[Errno -?\d+\] ([^()]+)", text)) is not None:
        return said[1].strip(" '\")").lower()
    if "timed out" in text or "timeout" in text.lower():
        return "time-out"
    return text if len(text) <= 200 else text[:200] + "..."
