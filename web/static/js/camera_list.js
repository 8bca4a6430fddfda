// Cameras as pictures and as rows.
import { html } from "htm/preact";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { kindText } from "./owner_kinds.js";
import { findingText } from "./probe_report.js";
import { cameraName, causeText, IconButton, StatePill } from "./signs.js";
import { now } from "./site.js";
import { NewestStill } from "./still.js";
import { ageText, dateText, dateTimeText, read, timeText, zoneWords } from "./time.js";

/** From this many missed segments on a camera is shown in red. */
export const ALARM_SEGMENTS = 2;

const alarmed = (camera) => camera.enabled && camera.missed_segments >= ALARM_SEGMENTS;

/** "site · station", leaving out what is not known. */
const place = (camera) => [camera.site, camera.station].filter(Boolean).join(" · ");

/** How it fares. Installed and never recorded is no fault: it is not linked yet. */
function State({ camera }) {
  if (camera.archived_at) return html`<span class="pill idle"><span class="dot"></span>${t("cameras.is_archived")}</span>`;
  if (camera.state === "disabled" && !camera.newest_footage) {
    return html`<span class="pill idle"><span class="dot"></span>${t("cameras.not_linked")}</span>`;
  }
  return html`<${StatePill} state=${camera.state} cause=${camera.cause} />`;
}

/** A look at it found troubles: a sign that leads to them. */
function Troubles({ camera }) {
  const n = camera.troubles.length;
  if (!n) return null;
  const words = `${t("cameras.has_troubles", { n })}: ${camera.troubles.map(findingText).join(" ")}`;
  return html`<span class="sign warn" title=${words}><${Icon} name="alert" /><span class="unseen">${words}</span></span>`;
}

/** `actions`: edit, history and restore of a camera. */
function Tools({ camera, actions }) {
  return html`<span class="tools">
    <${IconButton} icon="clock" label=${t("history.title", { code: camera.code })} onClick=${() => actions.history(camera)} />
    ${camera.archived_at
      ? html`<${IconButton} icon="undo" label=${t("form.restore", { code: camera.code })} onClick=${() => actions.restore(camera)} />`
      : html`<${IconButton} icon="edit" label=${t("form.change", { code: camera.code })} onClick=${() => actions.edit(camera)} />`}
  </span>`;
}

/** "22:14:03 · 4 s ago"; the date too where it is not today's. */
export function Newest({ camera }) {
  const newest = read(camera.newest_footage);
  if (newest === null) return html`<span class="newest">${t("camera.never")}</span>`;
  const today = dateText(newest) === dateText(now.value);
  return html`<span class="newest"><time datetime=${camera.newest_footage}>${today ? timeText(newest) : dateTimeText(newest)}</time>
    <span class="age"> · ${ageText(now.value - newest)}</span></span>`;
}

export function CameraCards({ cameras, actions }) {
  return html`<ul class="cards">
    ${cameras.map((camera) => html`<li key=${camera.id}><${Card} camera=${camera} /><${Tools} camera=${camera} actions=${actions} /></li>`)}
  </ul>`;
}

function Card({ camera }) {
  const name = cameraName(camera);
  const newest = read(camera.newest_footage);
  return html`<a class="card ${alarmed(camera) ? "alarmed" : ""}" href=${`/cameras/${camera.id}`} title=${name}>
    <span class="picture">
      <${NewestStill} camera=${camera} newest=${newest} name=${name} />
      <${State} camera=${camera} />
      ${alarmed(camera) && html`<span class="alarm">
        <b>${t("camera.missed", { n: camera.missed_segments })}</b>
        ${newest ? ` · ${t("camera.since", { time: timeText(newest) })}` : ""}
      </span>`}
    </span>
    <span class="words">
      <span class="name"><${Troubles} camera=${camera} /><b>${camera.code}</b> ${name}</span>
      <span class="line"><${Newest} camera=${camera} /><span class="place">${camera.site || camera.station || ""}</span></span>
    </span>
  </a>`;
}

export function CameraRows({ cameras, actions }) {
  return html`<div class="rows"><table>
    <thead><tr>
      <th scope="col">${t("column.camera")}</th>
      <th scope="col">${t("column.state")}</th>
      <th scope="col">${t("column.newest", { zone: zoneWords() })}</th>
      <th scope="col">${t("column.place")}</th>
      <th scope="col">${t("column.kind")}</th>
      <th scope="col"><span class="unseen">${t("sites.actions")}</span></th>
    </tr></thead>
    <tbody>${cameras.map((camera) => html`<${Row} key=${camera.id} camera=${camera} actions=${actions} />`)}</tbody>
  </table></div>`;
}

function Row({ camera, actions }) {
  return html`<tr class=${alarmed(camera) ? "alarmed" : ""}>
    <th scope="row"><a href=${`/cameras/${camera.id}`}><${Troubles} camera=${camera} /><b>${camera.code}</b> ${cameraName(camera)}</a></th>
    <td>
      <${State} camera=${camera} />
      ${alarmed(camera) && html` <span class="missed" title=${causeText(camera.cause)}>
        ${t("camera.missed", { n: camera.missed_segments })}</span>`}
    </td>
    <td><${Newest} camera=${camera} /></td>
    <td>${place(camera)}</td>
    <td>${camera.owner_kind ? kindText(camera.owner_kind) : ""}</td>
    <td><${Tools} camera=${camera} actions=${actions} /></td>
  </tr>`;
}

export function CameraSkeletons({ view }) {
  if (view === "list") {
    return html`<div class="rows waiting" aria-busy="true">
      ${Array.from({ length: 16 }, (_, n) => html`<div key=${n} class="skeleton"></div>`)}
    </div>`;
  }
  return html`<ul class="cards" aria-busy="true">
    ${Array.from({ length: 10 }, (_, n) => html`<li key=${n}><span class="card">
      <span class="picture"><span class="still"></span></span>
      <span class="words"><span class="skeleton"></span><span class="skeleton short"></span></span>
    </span></li>`)}
  </ul>`;
}
