"""Threads that wait for the network: a pool that does not keep the program from ending, as the standard one does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[Future[Any], Callable[[], Any]]


class DaemonPool(Executor):
    """At most `threads` jobs at once, the others wait in line. Threads are started when they are first needed."""

    def __init__(self, threads: int, name: str) -> None:
        self._limit = threads
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the pool {self._name} is closed")
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
            if self._idle > 0:
                self._idle -= 1
            elif len(self._threads) < self._limit:
                number = len(self._threads)
                thread = threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """What waits in line is always cancelled; what runs goes on, and is waited for with `wait` alone."""
        with self._lock:
            self._closed = True
            while not self._jobs.empty():
                job = self._jobs.get_nowait()
                if job is not None:
                    job[0].cancel()
            for _ in self._threads:
                self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, run = job
            result: Any = None
            error: BaseException | None = None
            started = future.set_running_or_notify_cancel()
            if started:
                try:
                    result = run()
                except BaseException as caught:  # noqa: BLE001 - handed to who waits, as every executor does
                    error = caught
            with self._lock:
                self._idle += 1  # before it is told: who submits the next job at once finds this thread
            if started and error is not None:
                future.set_exception(error)
            elif started:
                future.set_result(result)
            del job, future, run, result, error  # nothing of it is kept alive until the next job
