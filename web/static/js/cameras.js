// Cameras: every camera with its state, its newest picture and the age of its newest footage; registering, importing, sites.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { get, send } from "./api.js";
import { Filters, Tools } from "./camera_filters.js";
import { CameraForm } from "./camera_form.js";
import { HistoryDialog } from "./camera_history.js";
import { CameraCards, CameraRows, CameraSkeletons } from "./camera_list.js";
import { answer, ask, askAll, load, narrowed, problem, trail, turn, view, wanted } from "./cameras_data.js";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";
import { probes, running, watchImport, watchProbes } from "./import_data.js";
import { ImportDialog, Progress } from "./import_dialog.js";
import { loadKinds } from "./owner_kinds.js";
import { causeText, Empty, Failure, toast } from "./signs.js";
import { onCameraEvent, status, statusProblem } from "./site.js";
import { SitesDialog } from "./sites.js";

const POLL_MS = 10_000;
const TYPING_MS = 250;

/** {name: add | edit | history | import | sites, camera}: what is open above the list. */
const dialog = signal(null);

let typing = null;
function type(value) {
  clearTimeout(typing);
  typing = setTimeout(() => ask({ text: value }), TYPING_MS);
}

const actions = {
  edit: (camera) => (dialog.value = { name: "edit", camera }),
  history: (camera) => (dialog.value = { name: "history", camera }),
  restore: async (camera) => {
    try {
      await send("PATCH", `cameras/${camera.id}`, { archived: false });
      toast(t("form.restored", { code: camera.code }));
      load();
    } catch (error) {
      toast(error.message);
    }
  },
};

/** A link such as /?edit=12 (from Review) opens the form; the address then forgets it. */
async function openLinked() {
  const query = new URLSearchParams(location.search);
  for (const name of ["edit", "history"]) {
    const id = query.get(name);
    if (!/^\d+$/.test(id ?? "")) continue;
    ask({});
    try {
      dialog.value = { name, camera: await get(`cameras/${id}`) };
    } catch (error) {
      toast(error.status === 404 ? t("error.no_camera") : error.message);
    }
  }
}

export function Page() {
  useEffect(() => {
    load();
    loadKinds();
    openLinked();
    const timer = setInterval(() => document.hidden || load(), POLL_MS);
    let soon = null;
    const stops = [
      onCameraEvent(() => {
        clearTimeout(soon);
        soon = setTimeout(load, 500);
      }),
      // An import that somebody began goes on while its page is reloaded or closed.
      watchImport({ untilDone: true, done: () => (toast(t("import.over")), load()) }),
      watchProbes(),
    ];
    return () => {
      clearInterval(timer);
      stops.forEach((stop) => stop());
    };
  }, []);
  document.title = `${t("cameras.title")} · ${status.value?.name || document.body.dataset.name}`;
  return html`<div class="cameras">
    <div class="bar">
      <h1>${t("cameras.title")}</h1>
      <div class="search">
        <${Icon} name="search" />
        <input class="input" type="search" defaultValue=${wanted.value.text} placeholder=${t("cameras.search")}
          aria-label=${t("cameras.search")} onInput=${(event) => type(event.target.value)} />
      </div>
      <span class="spring"></span>
      <${Tools} open=${(name) => (dialog.value = { name })} />
    </div>
    <${Filters} />
    <${Alarm} />
    ${running.value && dialog.value?.name !== "import" && html`<div class="banner quiet"><${Progress} /></div>`}
    <${Looks} />
    ${problem.value && answer.value &&
    html`<div class="banner warn" role="status"><${Icon} name="alert" /><p>${t("error.offline")} ${t("error.offline_help")}</p></div>`}
    ${!problem.value && statusProblem.value && answer.value &&
    html`<div class="banner warn" role="status"><${Icon} name="alert" /><p>${t("cameras.partial")}</p></div>`}
    <${Cameras} />
    <${Open} />
  </div>`;
}

function Open() {
  const close = () => (dialog.value = null);
  const saved = () => (close(), load());
  const imported = (report) => {
    load();
    if (report.probing) watchProbes();
  };
  switch (dialog.value?.name) {
    case "add":
      return html`<${CameraForm} camera=${null} saved=${saved} close=${close} />`;
    case "edit":
      return html`<${CameraForm} camera=${dialog.value.camera} saved=${saved} close=${close} />`;
    case "history":
      return html`<${HistoryDialog} camera=${dialog.value.camera} close=${close} />`;
    case "import":
      return html`<${ImportDialog} imported=${imported} close=${close} />`;
    case "sites":
      return html`<${SitesDialog} close=${close} changed=${load} show=${(site) => (close(), ask({ site: site.name }))} />`;
    default:
      return null;
  }
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
    ${wanted.value.state !== "failed" &&
    html`<button type="button" class="button" onClick=${() => ask({ state: "failed" })}>
      ${t("cameras.alarm_show")}</button>`}
  </div>`;
}

/** Looks at cameras that were asked for and are not over; among troubles also the way to ask for them. */
function Looks() {
  const { waiting = 0, running: now = 0, done = 0, failed = 0 } = probes.value ?? {};
  if (waiting || now) {
    return html`<div class="banner quiet" role="status"><${Icon} name="clock" />
      <p><b>${t("probe.going", { n: waiting + now })}</b> <span class="note">${t("probe.so_far", { done: number(done), failed: number(failed) })}</span></p></div>`;
  }
  if (!wanted.value.troubles) return null;
  return html`<div class="banner quiet"><p>${t("probe.troubles_help")}</p><span class="spring"></span>
    <button type="button" class="button" onClick=${lookAtAll}>${t("probe.unprobed")}</button></div>`;
}

async function lookAtAll() {
  try {
    const { queued } = await send("POST", "cameras/probes", { unprobed: true });
    toast(queued ? t("probe.queued", { n: queued }) : t("probe.none_left"));
    watchProbes();
  } catch (error) {
    toast(error.message);
  }
}

function Cameras() {
  if (problem.value && !answer.value) return html`<${Failure} problem=${problem.value} retry=${load} />`;
  if (!answer.value) return html`<${CameraSkeletons} view=${view.value} />`;
  const cameras = answer.value.items;
  if (!cameras.length && trail.value.length === 1) return html`<${Nothing} />`;
  return html`
    ${view.value === "grid" ? html`<${CameraCards} cameras=${cameras} actions=${actions} />` : html`<${CameraRows} cameras=${cameras} actions=${actions} />`}
    <${Pager} count=${cameras.length} />
  `;
}

function Nothing() {
  const clear = () => {
    document.querySelector(".search .input").value = "";
    askAll();
  };
  if (!narrowed()) {
    return html`<${Empty} title=${t("cameras.empty")}>
      <p>${t("cameras.empty_help")}</p>
      <p class="row-of"><button type="button" class="button primary" onClick=${() => (dialog.value = { name: "add" })}><${Icon} name="plus" />${t("cameras.add")}</button>
        <button type="button" class="button" onClick=${() => (dialog.value = { name: "import" })}><${Icon} name="upload" />${t("import.open")}</button></p>
      <code>nvr camera add CODE --url rtsp://HOST/PATH</code>
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
  const whole = narrowed() ? undefined : status.value?.cameras.total;
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
