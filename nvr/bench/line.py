"""A line to a server on this machine that can be slow, break, or alter what is said: for benches and tests."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType
from typing import Self

BLOCK_BYTES = 1 << 16
METHODS = (b"PUT", b"GET", b"HEAD", b"POST", b"DELETE")
_BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


@dataclass
class Line:
    """Listens on `port` of 127.0.0.1 and passes everything on to `target`. What is set counts from the next block on.

    `delay_s`: each way, for every byte alike. `busy`: so many requests that begin with a method of `busy_methods` are answered
    503. `cut_after`: an answer breaks off after so many bytes. `hidden`: a header that answers lose. `silent`: nothing passes.
    """

    target: int
    delay_s: float = 0.0
    busy: int = 0
    busy_methods: tuple[bytes, ...] = METHODS
    cut_after: int | None = None
    cuts: int = 0
    hidden: str = ""
    silent: bool = False
    requests: list[bytes] = field(default_factory=list)  # first lines
    _listening: socket.socket | None = None
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        assert self._listening is not None
        return int(self._listening.getsockname()[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listening is not None
        _end(self._listening)
        self._listening.close()
        with self._lock:
            for one in self._open:
                _end(one)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                threading.Thread(target=self._connected, args=(near,), daemon=True).start()

    def _connected(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as far:
            with self._lock:
                self._open |= {near, far}
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                back = threading.Thread(target=self._answers, args=(far, near), daemon=True)
                back.start()
                self._questions(near, far)
                back.join()
            finally:
                with self._lock:
                    self._open -= {near, far}

    def _questions(self, near: socket.socket, far: socket.socket) -> None:
        late = _Late(far, self)
        with suppress(OSError):
            while block := near.recv(BLOCK_BYTES):
                method = block.split(b" ", 1)[0]
                if method in METHODS:
                    self.requests.append(block.split(b"\r\n", 1)[0])
                    if self.busy and method in self.busy_methods:
                        self.busy -= 1
                        head = f"HTTP/1.1 503 Slow Down\r\nContent-Length: {len(_BUSY)}\r\nConnection: close\r\n\r\n"
                        near.sendall(head.encode() + (b"" if method == b"HEAD" else _BUSY))
                        break
                if not self.silent:
                    late.send(block)
        late.end()
        _end(near, far)

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        late = _Late(near, self)
        sent = 0
        with suppress(OSError):
            while block := far.recv(BLOCK_BYTES):
                if block.startswith(b"HTTP/1.1 100"):  # go on: not yet the answer
                    late.send(block)
                    continue
                if block.startswith(b"HTTP/"):
                    sent = 0
                    if self.hidden:
                        block = re.sub(rf"(?im)^{self.hidden}:[^\r]*\r\n".encode(), b"", block)
                sent += len(block)
                if self.cut_after is not None and sent > self.cut_after:
                    self.cuts += 1
                    late.send(block[: len(block) - (sent - self.cut_after)])
                    break
                if not self.silent:
                    late.send(block)
        late.end()
        _end(near, far)


class _Late:
    """Passes blocks on in order, each `delay_s` after it came; many can be under way, as on a long line."""

    def __init__(self, to: socket.socket, line: Line) -> None:
        self._to = to
        self._line = line
        self._queue: SimpleQueue[tuple[float, bytes] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def send(self, block: bytes) -> None:
        """Raises OSError."""
        if self._thread is None and self._line.delay_s:
            self._thread = threading.Thread(target=self._pass, daemon=True)
            self._thread.start()
        if self._thread is None:
            self._to.sendall(block)
        else:
            self._queue.put((time.monotonic() + self._line.delay_s, block))

    def _pass(self) -> None:
        with suppress(OSError):
            while (item := self._queue.get()) is not None:
                time.sleep(max(0.0, item[0] - time.monotonic()))
                self._to.sendall(item[1])

    def end(self) -> None:
        """Returns when everything is on its way."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()


def _end(*sockets: socket.socket) -> None:
    """Wakes whoever reads from them."""
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
