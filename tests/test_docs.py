"""The pages under docs/ say what the program does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from config.owner_kinds import all_kinds
from config.settings import NOT_SETTINGS, Settings
from retention.forecast import Forecast
from retention.keeper import Facts
from retention.pressure import Marks
from retention.volume_keeper import VolumeStanding
from storage.coverage.days import Covered
from storage.model import CameraId, VolumeId
from storage.registry.sheet_write import template_csv
from storage.terms import InForce, Terms
from web.keys import CameraTotals
from web.metrics import Snapshot, SnapshotCollector
from web.retention_metrics import RetentionSnapshot
from web.schemas import VolumeOut

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
SETTINGS = (DOCS / "reference/settings.md").read_text("utf-8")


def sections(text: str) -> dict[str, str]:
    """Heading of level two -> what stands below it."""
    parts = re.split(r"(?m)^## (.+)$", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> dict[str, str]:
    """First column of a table, without its backticks -> second column."""
    return dict(re.findall(r"(?m)^\| `([^`|]+)` \| ([^|]+?) \|", text))


def test_settings_page_has_every_key_with_its_default() -> None:
    told = {name[1:-1]: rows(text) for name, text in sections(SETTINGS).items() if name.startswith("[")}
    defaults = Settings().model_dump(mode="json")
    assert {section: list(keys) for section, keys in told.items()} == {
        section: list(keys) for section, keys in defaults.items()
    }
    for section, keys in told.items():
        for key, cell in keys.items():
            assert tomllib.loads(f"x = {cell.strip('`')}")["x"] == defaults[section][key], f"{section}.{key}"


def test_settings_page_has_every_other_variable() -> None:
    assert set(rows(sections(SETTINGS)["Other variables of the environment"])) == NOT_SETTINGS


ONE = VolumeId(1)
RETENTION = RetentionSnapshot(
    facts=Facts(
        terms={CameraId(1): InForce(CameraId(1), 1, "default", "default", Terms(30, 30), 0)},
        oldest_us={CameraId(1): 1},
        garbage={ONE: 1},
        held_bytes={ONE: 1},
    ),
    standings=[VolumeStanding(ONE, 1, 1, 1.0, 1.0, Marks(1, 2, 3), 1, 1)],
    forecasts=[Forecast(ONE, 1, 1.0, 1, 1.0, (), None)],
)
METRICS = (DOCS / "reference/metrics.md").read_text("utf-8")


def test_metrics_page_has_every_metric_with_its_type_and_labels() -> None:
    snapshot = Snapshot(
        now_us=1,
        cameras=[CameraTotals(CameraId(1), 1.0, 1.0, 1)],
        restarts={"refused": 1},
        ingest={"segments": 1, "bytes": 1},
        volumes=[VolumeOut(id=1, path="/a", state="ok", detail="", free_bytes=1, total_bytes=1)],
        retention=RETENTION,
        coverage={CameraId(1): Covered(2, 1, {"disk": 1})},
    )
    offered = {}
    for family in SnapshotCollector(snapshot).collect():
        suffix = "_total" if family.type == "counter" else ""
        labels = sorted({label for sample in family.samples for label in sample.labels})
        offered[family.name + suffix] = (family.type, labels)
    offered["nvr_event_loop_lag_seconds"] = ("histogram", [])  # the only one that is not read from the snapshot
    told = {
        name: (kind, re.findall(r"`(\w+)`", labels))
        for name, kind, labels in re.findall(r"(?m)^\| `(\w+)` \| (\w+) \| ([^|]*)\|", METRICS)
    }
    assert told == offered


def test_alarm_rules_use_metrics_that_exist() -> None:
    told = set(re.findall(r"(?m)^\| `(nvr_\w+)` \|", METRICS))
    used = re.findall(r"\bnvr_\w+", sections(METRICS)["Rules for alarms"])
    assert {name.removesuffix("_bucket") for name in used} <= told


def anchors(page: Path) -> set[str]:
    """As a forge makes them of headings."""
    heads = re.findall(r"(?m)^#+ (.+)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_what_is_there(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            wrong.append(target)
    assert wrong == []


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    for page in sorted(DOCS.rglob("*.md")):
        name = str(page.relative_to(DOCS))
        assert name == "README.md" or f"({name})" in index, name


@pytest.mark.parametrize("language, name", [("en", "cameras-template.csv"), ("hi", "cameras-template-hi.csv")])
def test_the_empty_sheet_is_the_one_that_the_program_gives(language: str, name: str) -> None:
    assert (DOCS / "guide" / name).read_bytes() == template_csv(all_kinds(()), language)
