// The frame of every page: rooms on the left, place, clock, language and the state of the whole site above.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { keep, recall } from "./choices.js";
import { Icon } from "./icons.js";
import { bytes, known, language, setLanguage, t } from "./i18n.js";
import { cameraName, causeText, IconButton, Toasts } from "./signs.js";
import { now, status, statusProblem } from "./site.js";
import { dateText, dateTimeText, read, timeText, zoneName } from "./time.js";

export function Shell({ room, children }) {
  const last = recall("camera", "");
  return html`<div class="shell">
    <nav class="rail" aria-label=${t("shell.rooms")}>
      <span class="mark"><img src="/static/icon.svg" alt="" /></span>
      <${Room} name="find" here=${room} href="/find" icon="search" />
      <${Room} name="review" here=${room} href=${last ? `/cameras/${last}` : "/review"} icon="review" />
      <${Room} name="cameras" here=${room} href="/" icon="camera" />
      <${Room} name="storage" here=${room} href="/storage" icon="disk" />
      <${Room} name="register" here=${room} href="/register" icon="register" />
    </nav>
    <header class="header">
      <span class="place">${status.value?.name || document.body.dataset.name}</span>
      <span class="spring"></span>
      <span class="clock" title=${t("shell.clock")}>
        <span class="date">${dateText(now.value)} </span><b>${timeText(now.value)}</b> ${zoneName}
      </span>
      <${Languages} />
      <${Theme} />
      <${SiteState} />
    </header>
    <main class="content" id="content" tabindex="-1">${children}</main>
    <${Toasts} />
  </div>`;
}

function Room({ name, here, href, icon }) {
  return html`<a class="room" href=${href} aria-current=${here === name ? "page" : undefined}>
    <${Icon} name=${icon} />${t(`room.${name}`)}
  </a>`;
}

function Languages() {
  const choice = (code, word) =>
    html`<button type="button" class="button" lang=${code} aria-pressed=${String(language.value === code)}
      onClick=${() => setLanguage(code)}>${word}</button>`;
  return html`<span class="segmented languages" role="group" aria-label=${t("shell.language")}>
    ${choice("en", html`<span class="long">English</span><span class="short">EN</span>`)}
    ${choice("hi", html`<span class="long">हिन्दी</span><span class="short">हि</span>`)}
  </span>`;
}

/** Repaints canvases: they read their colours from the style sheet. */
export const THEME_EVENT = "nvr-theme";

function Theme() {
  const theme = useSignal(document.documentElement.dataset.theme);
  const other = theme.value === "dark" ? "light" : "dark";
  const change = () => {
    document.documentElement.dataset.theme = theme.value = other;
    keep("theme", other);
    dispatchEvent(new Event(THEME_EVENT));
  };
  return html`<${IconButton} icon=${other === "light" ? "sun" : "moon"} label=${t(`shell.${other}`)} onClick=${change} />`;
}

function troublesOf(site) {
  const volumes = (site?.volumes ?? []).filter((volume) => volume.state && volume.state !== "ok");
  return { cameras: site?.troubles ?? [], volumes, alerts: site?.alerts ?? [] };
}

function SiteState() {
  const open = useSignal(false);
  const anchor = useRef(null);
  useEffect(() => {
    const away = (event) => {
      const left = event.type === "keydown" ? event.key === "Escape" : !anchor.current?.contains(event.target);
      if (left) open.value = false;
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", away);
    };
  }, []);

  const site = status.value;
  const { cameras, volumes, alerts } = troublesOf(site);
  const silent = Math.max(site?.cameras.silent ?? 0, cameras.length);
  let [tone, word] = ["good", t("site.well")];
  if (statusProblem.value) [tone, word] = ["bad", t("site.unknown")];
  else if (!site) [tone, word] = ["idle", "…"];
  else if (volumes.length || alerts.length) [tone, word] = ["bad", t("site.storage")];
  else if (silent) [tone, word] = ["bad", t("site.silent", { n: silent })];

  return html`<div class="popover-anchor" ref=${anchor}>
    <button type="button" class="pill ${tone}" aria-expanded=${String(open.value)} aria-haspopup="dialog"
      onClick=${() => (open.value = !open.value)}>
      <span class="dot"></span><span class="word">${word}</span>
    </button>
    ${open.value && html`<${Troubles} ...${{ site, cameras, volumes, alerts, silent }} />`}
  </div>`;
}

function Troubles({ site, cameras, volumes, alerts, silent }) {
  return html`<div class="popover" role="dialog" aria-label=${t("site.troubles")}>
    ${statusProblem.value && html`<h2>${t("error.offline")}</h2><p class="row note">${t("error.offline_help")}</p>`}
    ${site && html`<h2>${t("site.counts", { recording: site.cameras.recording, total: site.cameras.total })}</h2>`}
    <ul>
      ${alerts.map((alert) => html`<li key=${alert.id}><a class="row" href="/storage">
        <b>${known(`alert.${alert.kind}`) ? t(`alert.${alert.kind}`) : alert.kind}</b>
        <span class="cause">${alert.subject}</span><span class="note">${alert.detail}</span></a></li>`)}
      ${volumes.map((volume) => html`<li key=${volume.path}><a class="row" href="/storage">
        <b>${t("site.volume", { path: volume.path })}</b><span class="cause">${known(`volume.${volume.state}`) ? t(`volume.${volume.state}`) : volume.state}</span>
        ${volume.detail && html`<span class="note">${volume.detail}</span>`}
      </a></li>`)}
      ${cameras.map((one) => html`<li key=${one.camera_id}><${Trouble} one=${one} /></li>`)}
    </ul>
    ${silent > cameras.length &&
    html`<p class="row"><a href="/?state=failed">${t("site.more", { n: silent - cameras.length })}</a></p>`}
    ${site && !silent && !volumes.length && !alerts.length && html`<p class="row note">${t("site.well_help")}</p>`}
    ${(site?.volumes ?? []).filter((volume) => volume.total_bytes).map(
      (volume) => html`<p class="row note" key=${volume.path}>
        ${t("site.free", { path: volume.path, free: bytes(volume.free_bytes), total: bytes(volume.total_bytes) })}
      </p>`,
    )}
  </div>`;
}

function Trouble({ one }) {
  const newest = read(one.newest_footage);
  return html`<a class="row" href=${`/cameras/${one.camera_id}`}>
    <span><b>${one.code}</b> ${cameraName(one)}</span>
    <span class="cause">${causeText(one.cause)}${one.detail ? ` · ${one.detail}` : ""}</span>
    <span class="note">${newest ? t("camera.nothing_since", { time: dateTimeText(newest) }) : t("camera.never")}</span>
  </a>`;
}
