"""Cameras from a sheet and as a sheet: import with a report per row, its progress, export, the empty template.

A sheet is read and checked in a child process, written in one transaction of the catalog's writer: all of it or nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from aiohttp import web

from config.errors import Conflict, Invalid, Unavailable
from config.owner_kinds import all_kinds
from config.settings import is_loopback
from retention import imported
from storage.catalog import probe_queue
from storage.catalog.sqlite import Connection
from storage.child import in_child
from storage.clock import wall_us
from storage.model import CameraId
from storage.registry import importing
from storage.registry.import_plan import Item, Plan, Rules
from storage.registry.sheet_read import CSV, MAX_ROWS, XLSX
from storage.registry.sheet_write import FORMATS, LANGUAGES, csv_bytes, template_csv, template_xlsx, xlsx_bytes
from web import bodies, params
from web.keys import CATALOG, FLEET, KEEPER, SETTINGS, ZONE
from web.operations import Operation, Parameter, Reply
from web.schemas import FIT, Answer

MAX_BYTES = 32 * 1024 * 1024
BODY_S = 120.0
READ_S = 90.0
MAX_ITEMS = 1000
"""Rows that a report tells one by one, those that are wrong first."""
STRIDE = 100

Phase = Literal["reading", "checking", "writing"]


@dataclass(slots=True)
class Progress:
    """Of the one import that runs. `done` of `of`: bytes while reading, rows while writing; 0 of 0: not known."""

    phase: Phase | None = None
    done: int = 0
    of: int = 0

    writing: asyncio.Task[None] | None = None

    def enter(self, phase: Phase, of: int = 0) -> None:
        self.phase, self.done, self.of = phase, 0, of

    def leave(self) -> None:
        self.phase, self.done, self.of, self.writing = None, 0, 0, None


PROGRESS: web.AppKey[Progress] = web.AppKey("progress of the import")


class ImportProblem(Answer):
    """What is wrong with a cell, and what to write instead. `column`: its header as it stands in the sheet."""

    column: str
    field: str
    what: str
    mend: str


class ImportItem(Answer):
    """`row` as the spreadsheet counts it."""

    row: int
    code: str
    result: Literal["add", "change", "same", "wrong"]
    problems: list[ImportProblem]
    notes: list[str]


class ImportReport(Answer):
    """`more`: rows that are not told. `notes`: of the sheet as a whole."""

    dry_run: bool
    imported: bool
    rows: int
    added: int
    changed: int
    same: int
    wrong: int
    items: list[ImportItem]
    more: int
    notes: list[str]


class ImportProgress(Answer):
    """`phase` null: no import runs. `of` 0: how much there is to do is not known."""

    phase: Phase | None
    done: int
    of: int


def report_of(plan: Plan, *, dry_run: bool, imported: bool) -> ImportReport:
    results = [item.result for item in plan.items]
    told = _told(plan.items)
    return ImportReport(
        dry_run=dry_run,
        imported=imported,
        rows=len(results),
        added=results.count("add"),
        changed=results.count("change"),
        same=results.count("same"),
        wrong=results.count("wrong"),
        items=[_item(item) for item in told],
        more=len(results) - len(told),
        notes=list(plan.notes),
    )


def _told(items: Sequence[Item]) -> list[Item]:
    """In the order of the sheet."""
    if len(items) <= MAX_ITEMS:
        return list(items)
    by_weight = sorted(items, key=lambda item: (not item.problems, not item.notes, item.result == "same", item.row))
    return sorted(by_weight[:MAX_ITEMS], key=lambda item: item.row)


def _item(item: Item) -> ImportItem:
    return ImportItem(
        row=item.row,
        code=item.code,
        result=item.result,
        problems=[
            ImportProblem(column=one.column, field=one.field, what=one.what, mend=one.mend) for one in item.problems
        ],
        notes=list(item.notes),
    )


async def add_sheet(request: web.Request) -> web.Response:
    dry_run = params.flag(request, "dry_run", default=False)
    update = params.flag(request, "update", default=False)
    probe = params.flag(request, "probe", default=False)
    name = params.text(request, "name") or "a sheet"
    progress = request.app[PROGRESS]
    if progress.phase is not None:
        raise Conflict("another sheet is being imported: wait until it is done", field="body")
    progress.enter("reading", request.content_length or 0)
    try:
        data = await _body(request, progress)
        progress.enter("checking")
        plan = await _planned(request, data, update=update)
        del data
        wrong = sum(1 for item in plan.items if item.result == "wrong")
        if wrong and not dry_run:
            report = await asyncio.to_thread(report_of, plan, dry_run=False, imported=False)
            rows = f"{wrong} of {len(plan.items)} rows {'is' if wrong == 1 else 'are'} wrong"
            raise Invalid(f"{rows}: nothing was imported", field="body", report=report.model_dump())
        if not dry_run:
            progress.enter("writing", len(plan.wishes))
            progress.writing = asyncio.create_task(_write(request.app, plan, progress, by=name, probe=probe))
            await asyncio.shield(progress.writing)  # a client that goes away does not keep the fleet from being told
        report = await asyncio.to_thread(report_of, plan, dry_run=dry_run, imported=not dry_run)
        return bodies.answer(report)
    finally:
        if progress.writing is None:
            progress.leave()


async def _body(request: web.Request, progress: Progress) -> bytes:
    """At most MAX_BYTES; the application's own bound is for JSON."""
    if (request.content_length or 0) > MAX_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.content.iter_any():
                parts.append(part)
                progress.done += len(part)
                if progress.done > MAX_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise Unavailable("the sheet did not arrive in time: try again") from None
    return b"".join(parts)


def _too_large() -> Invalid:
    return Invalid(
        f"a sheet has at most {MAX_BYTES // 1024**2} MiB and {MAX_ROWS} rows: cut it in parts; nothing was imported",
        field="body",
    )


async def _planned(request: web.Request, data: bytes, *, update: bool) -> Plan:
    catalog, settings = request.app[CATALOG], request.app[SETTINGS]
    rules = Rules(
        kinds=all_kinds(settings.registry.owner_kinds),
        city=settings.registry.city,
        allow_loopback=settings.recording.allow_loopback or is_loopback(settings.server.host),
        update=update,
    )
    known = await catalog.read(importing.known)
    plan = await in_child(importing.looked_at, data, request.content_type, known, rules, limit_s=READ_S)
    return await catalog.read(partial(importing.with_logins, plan=plan, update=update))


async def _write(app: web.Application, plan: Plan, progress: Progress, *, by: str, probe: bool) -> None:
    node = app[SETTINGS].server.node

    def told(done: int) -> None:
        progress.done = done

    def write(db: Connection) -> list[CameraId]:
        made = imported.write(db, plan, by=by, node=node, progress=told)
        if probe:
            probe_queue.ask(db, made, wall_us())
        return made

    try:
        made = await app[CATALOG].write(write) if plan.wishes else []
        for number, camera_id in enumerate(made, 1):
            app[FLEET].camera_changed(camera_id)
            if number % STRIDE == 0:
                await asyncio.sleep(0)
        if made:
            app[KEEPER].ask()
    finally:
        progress.leave()


async def progress_of(request: web.Request) -> web.Response:
    now = request.app[PROGRESS]
    return bodies.answer(ImportProgress(phase=now.phase, done=now.done, of=now.of))


def _form(request: web.Request) -> tuple[str, str]:
    """(format, language): as asked for, else CSV in the site's language."""
    usual = request.app[SETTINGS].server.language
    return (
        params.choice(request, "format", FORMATS, default="csv"),
        params.choice(request, "language", LANGUAGES, default=str(usual)),
    )


async def export(request: web.Request) -> web.Response:
    form, language = _form(request)
    kinds = all_kinds(request.app[SETTINGS].registry.owner_kinds)
    cameras = await request.app[CATALOG].read(importing.registered)
    if form == "xlsx":
        data = await in_child(xlsx_bytes, cameras, kinds, language)
    else:
        data = await asyncio.to_thread(csv_bytes, cameras, kinds, language)
    today = datetime.now(request.app[ZONE]).date().isoformat()
    return _file(data, f"cameras-{today}.{form}", form)


async def template(request: web.Request) -> web.Response:
    form, language = _form(request)
    kinds = all_kinds(request.app[SETTINGS].registry.owner_kinds)
    make: Callable[..., bytes] = template_xlsx if form == "xlsx" else template_csv
    data = await in_child(make, kinds, language) if form == "xlsx" else make(kinds, language)
    return _file(data, f"cameras-template.{form}", form)


def _file(data: bytes, name: str, form: str) -> web.Response:
    return web.Response(
        body=data,
        content_type=XLSX if form == "xlsx" else CSV,
        charset=None if form == "xlsx" else "utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


async def _finished(app: web.Application) -> AsyncIterator[None]:
    """What is being written when the server ends is written."""
    yield
    if (writing := app[PROGRESS].writing) is not None:
        await asyncio.wait([writing])


def setup(app: web.Application) -> None:
    app[PROGRESS] = Progress()
    app.cleanup_ctx.append(_finished)


_FLAG = {"type": "boolean", "default": False}
_TAG = "Cameras"
_FORM = (
    Parameter("format", "query", {"type": "string", "enum": list(FORMATS), "default": "csv"}, "CSV or XLSX."),
    Parameter("language", "query", {"type": "string", "enum": list(LANGUAGES)}, "Of headers and words: `en` or `hi`."),
)
_BYTES = {"type": "string", "format": "binary"}


def operations() -> list[Operation]:
    return [
        Operation(
            "POST",
            "/api/v1/cameras/import",
            add_sheet,
            _TAG,
            "Import a sheet of cameras",
            {200: Reply("What each row does, or would do.", ImportReport)},
            description="The body is a CSV or XLSX file of at most 20,000 rows. All of it is imported or nothing: where a row"
            " is wrong the answer is 422, and its member `report` tells of every row. The same sheet again changes nothing.",
            parameters=(
                Parameter("dry_run", "query", _FLAG, "Only look, write nothing."),
                Parameter("update", "query", _FLAG, "Whether registered cameras may be changed."),
                Parameter("probe", "query", _FLAG, "Look at the new and changed cameras afterwards."),
                Parameter(
                    "name",
                    "query",
                    {"type": "string", "maxLength": params.MAX_TEXT, "pattern": FIT},
                    "The file's name, for the cameras' history.",
                ),
            ),
            uploads=(CSV, XLSX),
            problems=(409,),
        ),
        Operation(
            "GET",
            "/api/v1/cameras/import",
            progress_of,
            _TAG,
            "How far an import is",
            {200: Reply("Its phase, null where none runs.", ImportProgress)},
        ),
        Operation(
            "GET",
            "/api/v1/cameras/export",
            export,
            _TAG,
            "All cameras as a sheet that can be imported",
            {
                200: Reply(
                    "The file, without users and passwords.", media_type=CSV, schema=_BYTES, or_media_types=(XLSX,)
                )
            },
            parameters=_FORM,
        ),
        Operation(
            "GET",
            "/api/v1/cameras/template",
            template,
            _TAG,
            "An empty sheet with an example",
            {200: Reply("The file.", media_type=CSV, schema=_BYTES, or_media_types=(XLSX,))},
            parameters=_FORM,
        ),
    ]
