// The small signs all pages share: state pills, causes in words, empty and error panels, toasts, buttons.
import { html } from "htm/preact";
import { signal } from "@preact/signals";
import { Icon } from "./icons.js";
import { known, language, t } from "./i18n.js";

const TONES = { recording: "good", starting: "warn", failed: "bad", disabled: "idle" };

/** What the person in charge of gap colours says about a cause: camera, network, server or planned. */
const CLASSES = {
  unauthorized: "camera",
  not_found: "camera",
  no_video: "camera",
  unsupported_codec: "camera",
  audio_silent: "camera",
  no_keyframes: "camera",
  camera_time_jump: "camera",
  parameters_changed: "camera",
  refused: "network",
  unreachable: "network",
  timeout: "network",
  disk_full: "server",
  volume_lost: "server",
  killed: "server",
  server_down: "server",
  missing: "server",
  disabled: "planned",
  not_registered: "planned",
  deleted: "planned",
};

export const causeClass = (cause) => CLASSES[cause] ?? "planned";

/** The cause in the viewer's words; a cause this page does not know yet is shown as the server wrote it. */
export function causeText(cause) {
  if (!cause) return t("cause.none");
  return known(`cause.${cause}`) ? t(`cause.${cause}`) : cause.replaceAll("_", " ");
}

/** What to do about it, or "" where nothing needs doing. */
export const causeAdvice = (cause) => (cause && known(`advice.${cause}`) ? t(`advice.${cause}`) : "");

export const stateText = (state) => (known(`state.${state}`) ? t(`state.${state}`) : state);

export function StatePill({ state, cause }) {
  const said = state === "failed" && cause ? causeText(cause) : stateText(state);
  return html`<span class="pill ${TONES[state] ?? "idle"}"><span class="dot"></span>${said}</span>`;
}

/** A camera's name in the viewer's language. */
export const cameraName = (camera) => (language.value === "hi" && camera.name_hi ? camera.name_hi : camera.name);

/** A button of an icon alone; `label` is its tooltip and its name. `keys` is the shortcut to show behind the label. */
export function IconButton({ icon, label, keys, pressed, class: extra = "plain", ...rest }) {
  const title = keys ? `${label} (${keys})` : label;
  return html`<button type="button" class="button icon ${extra}" title=${title} aria-label=${label}
    aria-pressed=${pressed === undefined ? undefined : String(pressed)} ...${rest}><${Icon} name=${icon} /></button>`;
}

export function Empty({ icon = "camera", title, children }) {
  return html`<div class="state"><${Icon} name=${icon} /><h2>${title}</h2>${children}</div>`;
}

/** What happened in one sentence, what to do, a code to quote. */
export function Failure({ problem, retry }) {
  const offline = problem.status === 0;
  return html`<div class="state error" role="alert">
    <${Icon} name="alert" />
    <h2>${offline ? t("error.offline") : t("error.failed")}</h2>
    <p>${offline ? t("error.offline_help") : problem.message}</p>
    <p class="note">${t("error.code", { code: problem.code ?? String(problem) })}</p>
    ${retry && html`<button type="button" class="button" onClick=${retry}>${t("error.retry")}</button>`}
  </div>`;
}

const toasts = signal([]);
let toastId = 0;

/** A short message that goes by itself. */
export function toast(text) {
  const id = ++toastId;
  toasts.value = [...toasts.value, { id, text }];
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), 4000);
}

export function Toasts() {
  return html`<div class="toasts" role="status">
    ${toasts.value.map((one) => html`<div class="toast" key=${one.id}>${one.text}</div>`)}
  </div>`;
}
