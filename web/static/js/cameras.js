// Cameras: every camera with its state, its newest picture and the age of its newest footage. Paged by the server's cursor.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { get } from "./api.js";
import { CameraCards, CameraRows, CameraSkeletons } from "./camera_list.js";
import { keep, recall } from "./choices.js";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";
import { causeText, Empty, Failure, IconButton } from "./signs.js";
import { onCameraEvent, status, statusProblem } from "./site.js";

const PAGE = { grid: 60, list: 100 };
const POLL_MS = 10_000;
const TYPING_MS = 250;
const STATES = ["recording", "failed", "starting", "disabled"];

const asked = new URLSearchParams(location.search);
const text = signal(asked.get("text") ?? "");
const state = signal(STATES.includes(asked.get("state")) ? asked.get("state") : "");
const view = signal(recall("cameras.view", "grid") === "list" ? "list" : "grid");
// The cursors that led to this page, the first page's being null. Kept with the history entry, so "back" returns here.
const trail = signal(history.state?.trail ?? [null]);

const answer = signal(null); // the last good page, and what was asked for it
const problem = signal(null);
let asking = null;

async function load() {
  asking?.abort();
  const mine = (asking = new AbortController());
  const limit = PAGE[view.value];
  const key = JSON.stringify([text.value, state.value, limit, trail.value.at(-1)]);
  try {
    const query = { text: text.value.trim(), state: state.value, limit, cursor: trail.value.at(-1) };
    const page = await get("cameras", query, { signal: mine.signal });
    answer.value = { ...page, key, limit };
    problem.value = null;
  } catch (error) {
    if (mine.signal.aborted) return;
    // A page that was read once stays: old states beside a word of warning are better than nothing.
    if (answer.value?.key !== key) answer.value = null;
    problem.value = error;
  }
}

/** Something else is wanted: back to the first page, and the address says it. */
function ask(change) {
  change();
  trail.value = [null];
  const query = new URLSearchParams();
  if (text.value.trim()) query.set("text", text.value.trim());
  if (state.value) query.set("state", state.value);
  const search = query.toString();
  history.replaceState({ trail: trail.value }, "", search ? `/?${search}` : "/");
  load();
}

function turn(to) {
  trail.value = to;
  history.replaceState({ trail: to }, "");
  load();
  document.getElementById("content").scrollTop = 0;
}

let typing = null;
function type(value) {
  clearTimeout(typing);
  typing = setTimeout(() => ask(() => (text.value = value)), TYPING_MS);
}

function setView(name) {
  keep("cameras.view", name);
  ask(() => (view.value = name));
}

export function Page() {
  useEffect(() => {
    load();
    const timer = setInterval(() => document.hidden || load(), POLL_MS);
    let soon = null;
    const stop = onCameraEvent(() => {
      clearTimeout(soon);
      soon = setTimeout(load, 500);
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  }, []);
  document.title = `${t("cameras.title")} · ${status.value?.name || document.body.dataset.name}`;
  return html`<div class="cameras">
    <div class="bar">
      <h1>${t("cameras.title")}</h1>
      <div class="search">
        <${Icon} name="search" />
        <input class="input" type="search" defaultValue=${text.value} placeholder=${t("cameras.search")}
          aria-label=${t("cameras.search")} onInput=${(event) => type(event.target.value)} />
      </div>
      <${States} />
      <span class="spring"></span>
      <span class="segmented" role="group" aria-label=${t("cameras.view")}>
        <${IconButton} class="" icon="grid" label=${t("cameras.grid")} pressed=${view.value === "grid"}
          onClick=${() => setView("grid")} />
        <${IconButton} class="" icon="list" label=${t("cameras.list")} pressed=${view.value === "list"}
          onClick=${() => setView("list")} />
      </span>
    </div>
    <${Alarm} />
    ${problem.value && answer.value &&
    html`<div class="banner warn" role="status"><${Icon} name="alert" /><p>${t("error.offline")} ${t("error.offline_help")}</p></div>`}
    ${!problem.value && statusProblem.value && answer.value &&
    html`<div class="banner warn" role="status"><${Icon} name="alert" /><p>${t("cameras.partial")}</p></div>`}
    <${Cameras} />
  </div>`;
}

function States() {
  const counts = status.value?.cameras;
  const count = { "": counts?.total, recording: counts?.recording, disabled: counts?.disabled };
  const chip = (name, word) => html`<button type="button" class="button" aria-pressed=${String(state.value === name)}
    onClick=${() => ask(() => (state.value = name))}>
    ${word}${count[name] !== undefined && html`<span class="count">${number(count[name])}</span>`}
  </button>`;
  return html`<div class="states" role="group" aria-label=${t("cameras.filter")}>
    ${chip("", t("cameras.all"))} ${STATES.map((name) => chip(name, t(`cameras.${name}`)))}
  </div>`;
}

/** Red: these cameras missed at least two segments. */
function Alarm() {
  const silent = status.value?.troubles ?? [];
  if (!silent.length) return null;
  const n = Math.max(silent.length, status.value.cameras.silent);
  return html`<div class="banner alarm" role="alert">
    <${Icon} name="alert" />
    <p>
      <b>${t("cameras.alarm", { n })}</b>
      <span class="which">${silent.slice(0, 4).map(
        (one) => html` <a key=${one.camera_id} href=${`/cameras/${one.camera_id}`}>${one.code}</a> ${causeText(one.cause)}`,
      )}${n > 4 ? " …" : ""}</span>
    </p>
    <span class="spring"></span>
    ${state.value !== "failed" &&
    html`<button type="button" class="button" onClick=${() => ask(() => (state.value = "failed"))}>
      ${t("cameras.alarm_show")}</button>`}
  </div>`;
}

function Cameras() {
  if (problem.value && !answer.value) return html`<${Failure} problem=${problem.value} retry=${load} />`;
  if (!answer.value) return html`<${CameraSkeletons} view=${view.value} />`;
  const cameras = answer.value.items;
  if (!cameras.length && trail.value.length === 1) return html`<${Nothing} />`;
  return html`
    ${view.value === "grid" ? html`<${CameraCards} cameras=${cameras} />` : html`<${CameraRows} cameras=${cameras} />`}
    <${Pager} count=${cameras.length} />
  `;
}

function Nothing() {
  const clear = () => {
    document.querySelector(".search .input").value = "";
    ask(() => (text.value = state.value = ""));
  };
  if (!text.value.trim() && !state.value) {
    return html`<${Empty} title=${t("cameras.empty")}>
      <p>${t("cameras.empty_help")}</p><code>nvr camera add CODE --url rtsp://HOST/PATH</code>
    <//>`;
  }
  return html`<${Empty} icon="search" title=${t("cameras.nothing")}>
    <p>${t("cameras.nothing_help")}</p>
    <button type="button" class="button" onClick=${clear}>${t("cameras.clear")}</button>
  <//>`;
}

function Pager({ count }) {
  const { next, limit } = answer.value;
  const before = (trail.value.length - 1) * limit;
  const shown = { from: before + 1, to: before + count };
  const whole = !text.value.trim() && !state.value ? status.value?.cameras.total : undefined;
  return html`<nav class="pager" aria-label=${t("cameras.title")}>
    <span class="note">${whole === undefined ? t("cameras.range", shown) : t("cameras.range_of", { ...shown, total: whole })}</span>
    <span class="spring"></span>
    <button type="button" class="button" disabled=${trail.value.length === 1} onClick=${() => turn(trail.value.slice(0, -1))}>
      <${Icon} name="left" />${t("cameras.previous")}
    </button>
    <button type="button" class="button" disabled=${!next} onClick=${() => turn([...trail.value, next])}>
      ${t("cameras.next")}<${Icon} name="right" />
    </button>
  </nav>`;
}
