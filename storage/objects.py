"""The object store: one S3 client, and what is said to the store through it.

boto3 is imported at the first use, in a thread. Uploads (and deletions) and reads have bounded pools of their own, so that they
never delay a player. Every refusal becomes one sentence: NotFound (no such object), Unavailable (later, or after somebody has
put the store, or our settings for it, right), Corrupt (other bytes than were sent), Conflict (it must be restored first).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from config.errors import Invalid, NvrError, Unavailable
from config.settings import OffloadSettings
from storage.daemon_pool import DaemonPool
from storage.objects_keys import Keys
from storage.objects_trouble import WRONG_KEYS, kinds, told
from storage.pace import PacedFile

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

T = TypeVar("T")

CONNECT_S = 10
READ_S = 60
READERS = 8
SINGLE_BYTES = 1 << 27
"""Larger files go up in parts: one of these is repeated when a line breaks, not all. A segment of a minute is far smaller."""
PART_BYTES = 1 << 26
HASH_BYTES = 1 << 20
CONTENT_TYPE = "video/mp4"
COLD = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects must be restored before they can be read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store says of an object. `sha256`: as it computed it, None where it keeps none. `restore`: "" | "running" |
    "done", of one in a cold storage class."""

    size_bytes: int
    sha256: bytes | None
    version_id: str
    storage_class: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    restore: str = ""

    @property
    def cold(self) -> bool:
        """It cannot be read now."""
        return self.storage_class in COLD and self.restore != "done"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be put. `metadata`: ASCII only."""

    key: str
    fd: int
    size_bytes: int
    sha256: bytes
    metadata: Mapping[str, str]
    storage_class: str = ""
    content_type: str = CONTENT_TYPE


class Objects:
    """Used from the event loop. Raises as the module says; `bucket` and `prefix` are those of the settings. `keys` is called in
    a thread, again and again until it gives some: who mends the file need not start the server anew."""

    def __init__(self, settings: OffloadSettings, keys: Callable[[], Keys], *, read_s: float = READ_S) -> None:
        self.bucket = settings.bucket
        self.prefix = settings.prefix
        self.where = f"{settings.endpoint or 'Amazon S3'} bucket {settings.bucket}"
        self._settings = settings
        self._keys = keys
        self._read_s = read_s
        self._made: S3Client | None = None
        self._making = asyncio.Lock()
        self._writers = DaemonPool(settings.parallel, "s3-write")
        self._readers = DaemonPool(READERS, "s3-read")
        self._closing = False

    async def _client(self) -> S3Client:
        async with self._making:
            if self._made is None:
                try:
                    self._made = await asyncio.get_running_loop().run_in_executor(self._readers, self._make)
                except Invalid as error:
                    raise Unavailable(error.message, field=error.field) from error
            return self._made

    def _make(self) -> S3Client:
        import boto3
        from botocore.config import Config

        keys = self._keys()
        session = boto3.session.Session(
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.token or None,
            region_name=self._settings.region or "us-east-1",
        )
        config = Config(
            signature_version="s3v4",
            # Not hashed once more for the signature: the checksum header, which is signed, binds the bytes.
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "total_max_attempts": 1},  # who asks knows how often, and when
            connect_timeout=CONNECT_S,
            read_timeout=self._read_s,
            max_pool_connections=self._settings.parallel + READERS,
            tcp_keepalive=True,
        )
        try:
            return session.client("s3", endpoint_url=self._settings.endpoint or None, config=config)
        except ValueError as error:
            raise Invalid(f"offload.endpoint: {error}", field="offload.endpoint") from error

    async def _ask(self, pool: DaemonPool, what: str, work: Callable[[S3Client], T]) -> T:
        client = await self._client()
        if self._closing:
            raise Unavailable("the server ends")

        def run() -> T:
            try:
                return work(client)
            except kinds() as error:
                raise told(error, what, self.where) from error

        try:
            return await asyncio.get_running_loop().run_in_executor(pool, run)
        except Unavailable as error:
            if error.extra.get("store_code") in WRONG_KEYS and self._made is client:
                self._made = None  # somebody may have put the right ones into the file by the next time
            raise

    def close(self) -> None:
        """What waits is given up; what runs is cut at its next block."""
        self._closing = True
        self._writers.shutdown(wait=False)
        self._readers.shutdown(wait=False)
        if self._made is not None:
            self._made.close()

    # -- one object ------------------------------------------------------------------------------------------------

    async def put(self, upload: Upload, take: Callable[[int], None] = lambda count: None) -> str:
        """Its version id, '' where the bucket keeps none. `take(bytes)` is called in the thread before each block is sent; it
        may wait, or raise to break off. Raises Corrupt when the file's bytes have not its SHA-256."""
        return await self._ask(self._writers, f"put {upload.key}", partial(self._put, upload=upload, take=take))

    def _put(self, client: S3Client, *, upload: Upload, take: Callable[[int], None]) -> str:
        def guarded(count: int) -> None:
            if self._closing:
                raise Unavailable("the server ends")
            take(count)

        more: dict[str, Any] = {"Metadata": dict(upload.metadata), "ContentType": upload.content_type}
        if upload.storage_class:
            more["StorageClass"] = upload.storage_class
        body: Any = PacedFile(upload.fd, upload.size_bytes, guarded)
        if upload.size_bytes <= SINGLE_BYTES:
            more["ChecksumSHA256"] = base64.b64encode(upload.sha256).decode()
            made = client.put_object(Bucket=self.bucket, Key=upload.key, Body=body, **more)
            return str(made.get("VersionId") or "")
        from boto3.s3.transfer import TransferConfig

        config = TransferConfig(multipart_threshold=SINGLE_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
        client.upload_fileobj(body, self.bucket, upload.key, ExtraArgs=more, Config=config)
        return self._head(client, upload.key, "").version_id

    async def head(self, key: str, version_id: str = "") -> Stored:
        """Raises NotFound."""
        return await self._ask(self._readers, f"look at {key}", lambda client: self._head(client, key, version_id))

    def _head(self, client: S3Client, key: str, version_id: str) -> Stored:
        made = client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", **_version(version_id))
        said = str(made.get("Restore", ""))
        restore = "" if not said else "running" if 'ongoing-request="true"' in said else "done"
        version = str(made.get("VersionId") or "")
        return Stored(
            size_bytes=int(made["ContentLength"]),
            sha256=_checksum(str(made.get("ChecksumSHA256", ""))),
            version_id="" if version == "null" else version,
            storage_class=str(made.get("StorageClass", "")),
            metadata=dict(made.get("Metadata", {})),
            restore=restore,
        )

    async def read(self, key: str, version_id: str, start: int, count: int) -> bytes:
        """Bytes [start, start + count), all of them. Raises NotFound, Unavailable."""
        return await self._ask(
            self._readers, f"read {key}", lambda client: b"".join(self._blocks(client, key, version_id, start, count))
        )

    async def sha256(self, key: str, version_id: str, size_bytes: int) -> bytes:
        """Of what the store gives back. In a thread of the uploads: it is a part of them."""

        def run(client: S3Client) -> bytes:
            digest = hashlib.sha256()
            for block in self._blocks(client, key, version_id, 0, size_bytes):
                digest.update(block)
            return digest.digest()

        return await self._ask(self._writers, f"read {key} back", run)

    def _blocks(self, client: S3Client, key: str, version_id: str, start: int, count: int) -> Iterator[bytes]:
        wanted = f"bytes={start}-{start + count - 1}"
        made = client.get_object(Bucket=self.bucket, Key=key, Range=wanted, **_version(version_id))
        got = 0
        with closing(made["Body"]) as body:
            while block := body.read(HASH_BYTES):
                got += len(block)
                yield block
                if self._closing:
                    raise Unavailable("the server ends")
        if got != count:
            raise Unavailable(f"{self.where}: of {count} bytes of {key} from {start} came {got}")

    async def delete(self, key: str, version_id: str) -> None:
        """That version for good; without one all of the key's. One that is not there is no error. Raises Conflict for one that
        the store holds."""

        def run(client: S3Client) -> None:
            if version_id:
                client.delete_object(Bucket=self.bucket, Key=key, VersionId=version_id)
                return
            found = list(self._versions(client, key))
            for version in found:
                client.delete_object(Bucket=self.bucket, Key=key, VersionId=version)
            if not found:
                client.delete_object(Bucket=self.bucket, Key=key)

        await self._ask(self._writers, f"delete {key}", run)

    async def delete_other_versions(self, key: str, kept: str) -> None:
        """What an upload left whose answer was lost."""

        def run(client: S3Client) -> None:
            for version in self._versions(client, key):
                if version != kept:
                    client.delete_object(Bucket=self.bucket, Key=key, VersionId=version)

        await self._ask(self._writers, f"delete older versions of {key}", run)

    def _versions(self, client: S3Client, key: str) -> Iterator[str]:
        """Delete markers too. Nothing where the bucket keeps no versions."""
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key)
        for page in pages:
            for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                if one.get("Key") == key and (version := str(one.get("VersionId") or "null")) != "null":
                    yield version

    async def restore(self, key: str, version_id: str, days: int) -> None:
        """Ask for a readable copy of a cold object. One that was asked for before is no error."""

        wanted: Any = {"Days": days, "GlacierJobParameters": {"Tier": "Standard"}}

        def run(client: S3Client) -> None:
            client.restore_object(Bucket=self.bucket, Key=key, RestoreRequest=wanted, **_version(version_id))

        try:
            await self._ask(self._readers, f"restore {key}", run)
        except Unavailable as error:
            if error.extra.get("store_code") != "RestoreAlreadyInProgress":
                raise

    async def set_legal_hold(self, key: str, version_id: str, *, on: bool) -> None:
        """Only where `has_lock` says that the store keeps its word."""
        status: Any = {"Status": "ON" if on else "OFF"}
        await self._ask(
            self._readers,
            f"hold {key}",
            lambda client: client.put_object_legal_hold(
                Bucket=self.bucket, Key=key, LegalHold=status, **_version(version_id)
            ),
        )

    # -- the bucket ------------------------------------------------------------------------------------------------

    async def has_lock(self) -> bool:
        """Whether object lock is real there. Several stores answer 200 to a legal hold and delete all the same."""

        def run(client: S3Client) -> bool:
            found = client.get_object_lock_configuration(Bucket=self.bucket)
            return found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"

        try:
            return await self._ask(self._readers, "ask for object lock", run)
        except NvrError as error:
            if error.extra.get("store_code") in _NO_LOCK:
                return False
            raise

    async def checks_sums(self, key: str) -> bool:
        """Whether the store refuses bytes that have not the SHA-256 they came with. Tried with a few bytes at `key`."""

        def run(client: S3Client) -> bool:
            wrong = base64.b64encode(bytes(32)).decode()
            try:
                client.put_object(Bucket=self.bucket, Key=key, Body=b"nvr", ChecksumSHA256=wrong)
            except kinds() as error:
                found = told(error, f"put {key}", self.where)
                if found.extra.get("store_code") in _BAD_SUM:
                    return True
                raise
            return False

        found = await self._ask(self._readers, "try the store", run)
        if not found:
            with suppress(NvrError):  # a few bytes that stay are no reason to stop
                await self.delete(key, "")
        return found

    async def abort_uploads(self, prefix: str) -> int:
        """Parts of uploads that were never finished, below `prefix`. How many uploads."""

        def run(client: S3Client) -> int:
            count = 0
            for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
                for one in page.get("Uploads", []):
                    if one["Key"].startswith(
                        prefix
                    ):  # a store that ignores the prefix must not cost others their uploads
                        client.abort_multipart_upload(Bucket=self.bucket, Key=one["Key"], UploadId=one["UploadId"])
                        count += 1
            return count

        return await self._ask(self._readers, "list unfinished uploads", run)

    async def page(self, prefix: str, after: str) -> list[tuple[str, int]]:
        """(key, bytes) of up to 1,000 objects below `prefix` that sort behind `after`."""

        def run(client: S3Client) -> list[tuple[str, int]]:
            made = client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, StartAfter=after)
            return [(one["Key"], one["Size"]) for one in made.get("Contents", [])]

        return await self._ask(self._readers, f"list {prefix}", run)

    async def look(self) -> None:
        """Raises when the bucket cannot be used with our keys."""
        await self._ask(
            self._readers,
            "look at the bucket",
            lambda client: client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1),
        )


_NO_LOCK = frozenset({"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed", "404", "NoSuchKey"})
_BAD_SUM = frozenset({"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "InvalidRequest", "InvalidArgument"})


def _version(version_id: str) -> Any:
    return {"VersionId": version_id} if version_id else {}


def _checksum(text: str) -> bytes | None:
    """None for none, and for that of an upload in parts, which is a hash of hashes."""
    with suppress(ValueError):
        found = base64.b64decode(text, validate=True)
        if len(found) == 32:
            return found
    return None
