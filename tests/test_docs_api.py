"""The pages about the API, the files and the causes say what the program has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from storage.catalog import schema, schema_registry
from storage.model import CAUSES, SegmentFlag
from web.app import all_operations
from web.operations import Operation
from web.problems import MEANINGS
from web.schemas import CameraIn, CameraOut, SegmentOut

DOCS = Path(__file__).parents[1] / "docs"
API = (DOCS / "reference/api.md").read_text("utf-8")
URLS = dict(re.findall(r"(?m)^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)` \|([^|]*)\|", API))
OPERATIONS = {f"{operation.method} {operation.path}": operation for operation in all_operations()}


def words(text: str) -> set[str]:
    """Everything that stands in backticks or is a key of an example."""
    return set(re.findall(r"`(\w+)`", text)) | set(re.findall(r'"(\w+)":', text))


def section(text: str, heading: str) -> str:
    return re.split(r"(?m)^## ", text.partition(f"## {heading}\n")[2])[0]


def test_every_url_is_told_and_no_other() -> None:
    assert set(URLS) == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_query_parameter_is_told_beside_its_url(operation: Operation) -> None:
    told = re.findall(r"`(\w+)`", URLS[f"{operation.method} {operation.path}"])
    assert told == list(operation.query_names)


@pytest.mark.parametrize("model", [CameraIn, CameraOut])
def test_every_field_of_a_camera_is_told(model: type[BaseModel]) -> None:
    assert set(model.model_fields) - words(section(API, "Cameras")) == set()


def test_every_field_and_flag_of_a_segment_is_told() -> None:
    names = {field.alias or name for name, field in SegmentOut.model_fields.items()}
    assert (names | set((~SegmentFlag.GROWING).labels)) - words(section(API, "Footage")) == set()


def test_every_error_is_told_and_no_other() -> None:
    assert set(re.findall(r"(?m)^\| \d{3} \| `(\w+)` \|", API)) == set(MEANINGS)


def test_every_cause_has_its_way_out() -> None:
    told = section((DOCS / "guide/troubleshooting.md").read_text("utf-8"), "By cause")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", told)) == set(CAUSES)


def test_every_table_of_the_catalog_is_told() -> None:
    sources = [Path(str(module.__file__)).read_text("utf-8") for module in (schema, schema_registry)]
    tables = set(re.findall(r"CREATE TABLE (\w+)", "".join(sources)))
    told = section((DOCS / "design/catalog.md").read_text("utf-8"), "Tables")
    assert {name for cell in re.findall(r"(?m)^\| (`[^|]+) \|", told) for name in words(cell)} == tables
