"""The pages and their static files, over HTTP."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from pathlib import Path

import pytest
import pytest_asyncio

from storage.model import CAUSES
from tests.web.served import Served, serve
from web.pages import IMPORT_MAP

STATIC = Path(str(files("web"))) / "static"
OWN = sorted(path for path in STATIC.rglob("*.*") if "vendor" not in path.parts)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serve(tmp_path_factory.mktemp("pages")) as running:
        yield running


async def raw(served: Served, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with served.session.get(served.url + path, headers=sent, auto_decompress=False) as answer:
        return answer.status, await answer.read(), answer.headers


@pytest.mark.parametrize("path", ["/", "/review", "/cameras/1"])
async def test_page_runs_only_our_scripts(served: Served, path: str) -> None:
    status, body, headers = await raw(served, path)
    assert status == 200
    (inline,) = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "object-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/cameras/1"])
async def test_everything_a_page_names_is_there(served: Served, path: str) -> None:
    _, body, _ = await raw(served, path)
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', body.decode())) | set(
        json.loads(IMPORT_MAP)["imports"].values()
    )
    assert len(named) > 8
    for url in sorted(named):
        assert (await raw(served, url))[0] == 200, url


async def test_modules_import_only_what_is_there(served: Served) -> None:
    known = set(json.loads(IMPORT_MAP)["imports"])
    for path in OWN:
        if path.suffix != ".js":
            continue
        for name in re.findall(r'^(?:import|}) .*from "([^"]+)";$', path.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in known or (path.parent / name).is_file(), f"{path.name} imports {name}"


async def test_name_of_the_place_is_escaped(tmp_path: Path) -> None:
    async with serve(tmp_path, name='K<script>"&') as running:
        _, body, _ = await raw(running, "/")
    assert b'data-name="K&lt;script&gt;&#34;&amp;"' in body


async def test_unchanged_file_is_not_sent_again(served: Served) -> None:
    _, _, first = await raw(served, "/static/theme.css")
    status, body, _ = await raw(served, "/static/theme.css", If_None_Match=first["ETag"])
    assert (status, body) == (304, b"")
    assert first["Cache-Control"] == "no-cache"


async def test_packed_and_plain_are_the_same_file_under_two_tags(served: Served) -> None:
    _, plain, plain_headers = await raw(served, "/static/theme.css", Accept_Encoding="identity")
    _, packed, packed_headers = await raw(served, "/static/theme.css", Accept_Encoding="gzip")
    assert gzip.decompress(packed) == plain == (STATIC / "theme.css").read_bytes()
    assert plain_headers["ETag"] != packed_headers["ETag"]
    assert packed_headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["nothing.js", "../pages.py", "%2e%2e/pages.py", "js/../../pages.py", "vendor"])
async def test_nothing_but_the_listed_files_is_served(served: Served, path: str) -> None:
    assert (await raw(served, f"/static/{path}"))[0] == 404


def test_no_markup_carries_a_style_or_names_a_foreign_host() -> None:
    """Neither would work under the policy."""
    for path in OWN:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'\sstyle="', text), path.name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)[a-z]", text), path.name


def test_both_languages_have_the_same_words() -> None:
    words = {}
    for code in ("en", "hi"):
        text = (STATIC / "i18n" / f"{code}.js").read_text(encoding="utf-8")
        entries = re.findall(r'^  "([a-z_.]+)":\s+"((?:[^"\\]|\\.)*)",$', text, re.MULTILINE)
        assert len(entries) == text.count('":'), f"{code}.js has an entry that is not one line of key and text"
        words[code] = {key: set(re.findall(r"\{(\w+)\}", value)) for key, value in entries}
    assert words["en"] == words["hi"]


def test_every_word_that_a_module_asks_for_is_known() -> None:
    known = set(re.findall(r'^  "([a-z_.]+)":', (STATIC / "i18n" / "en.js").read_text(encoding="utf-8"), re.MULTILINE))
    for path in (STATIC / "js").glob("*.js"):
        for key in re.findall(r'\bt\(\s*"([a-z_.]+)"', path.read_text(encoding="utf-8")):
            assert key in known, f"{path.name}: {key}"


def test_every_cause_has_its_words() -> None:
    text = (STATIC / "i18n" / "hi.js").read_text(encoding="utf-8")
    for cause in CAUSES:
        assert f'"cause.{cause}"' in text, cause


def test_vendored_files_keep_their_licences() -> None:
    vendor = STATIC / "vendor"
    for name in json.loads((vendor / "versions.json").read_text()):
        folder = vendor / name.replace("@", "").replace("/", "-")
        assert (folder / "LICENSE").stat().st_size > 500, name
