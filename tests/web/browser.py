"""A real Chromium for the tests of the pages, and what they look at in it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

WAIT_MS = 30_000
"""How long an expectation may take on a busy machine."""

FLAGS = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, *sandbox])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Tab:
    """A page and what went wrong in it: scripts' errors, refusals of the content security policy, foreign requests."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        # That an answer was 404 is what the page asked to know: a moment without footage.
        if message.type == "error" and "status of 404" not in message.text:
            self.wrong.append(message.text)

    def asked(self, url: str, home: str) -> None:
        if not url.startswith((home, "blob:", "data:")):
            self.wrong.append(f"asked {url}")

    async def shown_at(self) -> str:
        """The time of day under the picture: hh:mm:ss.mmm, "" while there is none."""
        text = await self.page.locator(".shown .when").inner_text()
        found = re.search(r"[0-9:]{8}\.[0-9]{3}", text)
        return found[0] if found else ""


@asynccontextmanager
async def tab(
    browser: Browser, home: str, *, language: str = "en-GB", width: int = 1366, height: int = 768, dark: bool = True
) -> AsyncIterator[Tab]:
    """A tab of a new visitor. At its end nothing may have gone wrong in it."""
    context = await browser.new_context(
        base_url=home,
        locale=language,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
    )
    context.set_default_timeout(WAIT_MS)
    try:
        made = Tab(await context.new_page())
        made.page.on("console", made.heard)
        made.page.on("pageerror", lambda error: made.wrong.append(str(error)))
        made.page.on("request", lambda request: made.asked(request.url, home))
        yield made
        assert made.wrong == []
    finally:
        await context.close()
