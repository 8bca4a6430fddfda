"""Many cameras of a sheet at once: what each is promised, before and after, in the one transaction that writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import Conflict
from config.owner_kinds import all_kinds
from retention import imported
from storage.catalog import camera_history, cameras, policies
from storage.catalog.db import transaction
from storage.catalog.sqlite import Connection
from storage.model import CameraId, Credentials
from storage.registry import importing
from storage.registry.import_plan import Plan, Rules
from storage.registry.sheet_read import CSV
from tests.retention.stocked import catalog

ONE, TWO = CameraId(1), CameraId(2)
RULES = Rules(all_kinds(()), (), allow_loopback=False, update=True)
SHEET = "Code,Owner category,URL\nA,bank_atm,rtsp://u:p@10.0.0.1/a\nB,shop,rtsp://10.0.0.2/a\n"


def planned(db: Connection, sheet: str) -> Plan:
    plan = importing.looked_at(sheet.encode(), CSV, importing.known(db), RULES)
    return importing.with_logins(db, plan, update=True)


def imports(db: Connection, sheet: str) -> list[CameraId]:
    with transaction(db):
        return imported.write(db, planned(db, sheet), by="a.csv", node="n1")


def test_new_cameras_are_promised_what_their_kind_is(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        assert imports(db, SHEET) == [ONE, TWO]
        promised = policies.in_force(db)
        assert (promised[ONE].terms.max_days, promised[TWO].terms.max_days) == (90, 30)


def test_another_kind_that_keeps_less_waits_as_any_edit_does(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        imports(db, SHEET)
        assert imports(db, SHEET.replace("bank_atm", "shop")) == [ONE]
        assert policies.in_force(db)[ONE].terms.max_days == 90
        assert policies.pending(db)[ONE].terms.max_days == 30
        imports(db, SHEET)
        assert policies.pending(db) == {}


def test_the_same_again_writes_no_row(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        imports(db, SHEET)
        assert planned(db, SHEET).wishes == ()
        assert imports(db, SHEET) == []
        assert len(camera_history.changes(db, ONE, limit=9)) == 1


def test_what_somebody_else_did_meanwhile_undoes_all_of_it(tmp_path: Path) -> None:
    with catalog(tmp_path) as db:
        imports(db, SHEET)
        plan = planned(db, SHEET.replace("10.0.0.2/a", "10.0.0.9/a") + "C,shop,rtsp://10.0.0.3/a\n")
        cameras.set_credentials(db, TWO, Credentials("u", "new"))
        with pytest.raises(Conflict, match="given a login meanwhile"), transaction(db):
            imported.write(db, plan, by="a.csv", node="n1")
        cameras.set_credentials(db, TWO, None)
        cameras.archive(db, TWO, 5)
        with pytest.raises(Conflict, match="archived meanwhile"), transaction(db):
            imported.write(db, plan, by="a.csv", node="n1")
        assert cameras.ids(db) == {ONE, TWO}


def test_tells_how_far_it_is(tmp_path: Path) -> None:
    with catalog(tmp_path) as db, transaction(db):
        told: list[int] = []
        imported.write(db, planned(db, SHEET), by="a.csv", node="n1", progress=told.append)
        assert told == [1, 2]
