"""/healthz (it runs), /readyz (it can do its work), /metrics (Prometheus text)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest

from config.errors import NvrError
from storage.clock import wall_us
from web import bodies
from web.coverage_watch import COVERAGE, CoverageWatch
from web.keys import CATALOG, FLEET, INGEST, KEEPER, VOLUMES
from web.metrics import Snapshot, SnapshotCollector
from web.operations import Operation, Reply
from web.problems import problem
from web.retention_metrics import RetentionSnapshot
from web.schemas import Alive, Ready
from web.status import volumes_shown

READY_S = 5.0
LAG_STEP_S = 0.5
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

LAG: web.AppKey[Histogram] = web.AppKey("loop lag")
OWN: web.AppKey[CollectorRegistry] = web.AppKey("own metrics")


async def healthz(_: web.Request) -> web.Response:
    return bodies.answer(Alive())


async def readyz(request: web.Request) -> web.Response:
    """503 while something it needs is missing: the catalog's writer, a volume to write to, the recorders that already run."""
    checks = {
        "catalog": await _catalog_check(request.app),
        "volumes": "ok" if request.app[VOLUMES].ok() else "no volume can be written",
        "fleet": "ok" if request.app[FLEET].started() else "recorders are being adopted",
    }
    if all(said == "ok" for said in checks.values()):
        return bodies.answer(Ready(checks=checks))
    wrong = "; ".join(f"{name}: {said}" for name, said in checks.items() if said != "ok")
    return problem(503, "unavailable", wrong, checks=checks)


async def _catalog_check(app: web.Application) -> str:
    try:
        async with asyncio.timeout(READY_S):
            await app[CATALOG].write(lambda db: None)
    except TimeoutError:
        return f"no commit within {READY_S:.0f} s"
    except NvrError as error:
        return error.message
    return "ok"


async def metrics(request: web.Request) -> web.Response:
    """What is read is read here on the loop, at once; the text (15,000 lines for 5,000 cameras) is made in a thread."""
    app = request.app
    snapshot = Snapshot(
        now_us=wall_us(),
        cameras=list(app[FLEET].totals()),
        restarts=dict(app[FLEET].restarts()),
        ingest=dict(app[INGEST].counts),
        volumes=volumes_shown(app[VOLUMES]),
        retention=RetentionSnapshot.of(app[KEEPER]),
        coverage=await app[COVERAGE].last_day(),
    )
    text = await asyncio.to_thread(_text, app[OWN], snapshot)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


def _text(own: CollectorRegistry, snapshot: Snapshot) -> bytes:
    once = CollectorRegistry()
    once.register(SnapshotCollector(snapshot))
    return b"".join(generate_latest(registry) for registry in (once, own, REGISTRY))


async def _watch_lag(lag: Histogram) -> None:
    """How late the loop comes back from a sleep: what blocks it shows here."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LAG_STEP_S)
        lag.observe(max(0.0, loop.time() - before - LAG_STEP_S))


async def lag_watch(app: web.Application) -> AsyncIterator[None]:
    """cleanup_ctx: runs while the application does."""
    task = asyncio.create_task(_watch_lag(app[LAG]), name="loop lag")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _end_coverage(app: web.Application) -> None:
    await app[COVERAGE].close()


def setup(app: web.Application) -> None:
    app[OWN] = CollectorRegistry()
    app[LAG] = Histogram(
        "nvr_event_loop_lag_seconds", "How late the event loop is", registry=app[OWN], buckets=LAG_BUCKETS
    )
    app.cleanup_ctx.append(lag_watch)
    app[COVERAGE] = CoverageWatch(app[CATALOG])
    app.on_cleanup.append(_end_coverage)


def operations() -> list[Operation]:
    text = Reply("Prometheus text.", media_type="text/plain", schema={"type": "string"})
    return [
        Operation("GET", "/healthz", healthz, "Health", "It runs", {200: Reply("It does.", Alive)}),
        Operation("GET", "/readyz", readyz, "Health", "It can do its work", {200: Reply("It can.", Ready)}),
        Operation("GET", "/metrics", metrics, "Health", "Metrics for Prometheus", {200: text}),
    ]
