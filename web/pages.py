"""The pages and their static files. `setup` adds them to an application; everything they show comes from the API.

Runs on the event loop and never touches a file after `setup`.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import jinja2
from aiohttp import web

from web import assets

IMPORT_MAP: Final = json.dumps(
    {
        "imports": {
            "preact": "/static/vendor/preact/preact.mjs",
            "preact/hooks": "/static/vendor/preact/hooks.mjs",
            "htm": "/static/vendor/htm/htm.mjs",
            "htm/preact": "/static/vendor/htm/htm-preact.mjs",
            "@preact/signals-core": "/static/vendor/preact-signals-core/signals-core.mjs",
            "@preact/signals": "/static/vendor/preact-signals/signals.mjs",
            "hls.js": "/static/vendor/hls.js/hls.light.min.mjs",
        }
    },
    indent=1,
)
_IMPORT_MAP_SHA256: Final = base64.b64encode(hashlib.sha256(IMPORT_MAP.encode()).digest()).decode()

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' 'sha256-{_IMPORT_MAP_SHA256}'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""The import map is the only inline script, and no markup carries a style attribute."""

_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages say about the place before the API has answered."""

    name: str
    timezone: str
    """IANA name; every time on a page is shown in it."""
    language: str
    """`en` or `hi`; the viewer's own choice, kept in the browser, goes before it."""


def setup(app: web.Application, site: Site) -> None:
    """Add `/`, `/find`, `/review`, `/cameras/{id}`, `/storage`, `/register` and `/static/...` to `app`."""
    loaded = assets.load(files("web") / "static")
    template = _template()

    def page(name: str, camera_id: str = "") -> web.Response:
        text = template.render(page=name, camera_id=camera_id, site=site, import_map=IMPORT_MAP)
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def cameras(_: web.Request) -> web.Response:
        return page("cameras")

    async def review(request: web.Request) -> web.Response:
        """An id that no camera has is told by the page itself, in the viewer's language."""
        return page("review", request.match_info.get("id", ""))

    async def storage(_: web.Request) -> web.Response:
        return page("storage")

    async def find(_: web.Request) -> web.Response:
        return page("find")

    async def register(_: web.Request) -> web.Response:
        return page("register")

    async def static(request: web.Request) -> web.Response:
        return assets.respond(request, loaded)

    app.router.add_get("/", cameras)
    app.router.add_get("/review", review)
    app.router.add_get(r"/cameras/{id:\d{1,18}}", review)
    app.router.add_get("/storage", storage)
    app.router.add_get("/find", find)
    app.router.add_get("/register", register)
    app.router.add_get("/static/{path:.+}", static)


def _template() -> jinja2.Template:
    source = (files("web") / "templates" / "page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(source)
