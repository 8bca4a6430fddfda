// How the promises stand: by policy as a chart, by camera as a table, the worst first.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { Icon } from "./icons.js";
import { bytes, number, t } from "./i18n.js";
import { kindText } from "./owner_kinds.js";
import { whyText } from "./policy_words.js";
import { cameraName, Empty } from "./signs.js";
import { byPolicy, report } from "./storage_data.js";
import { dateText, dateTimeText, zoneName } from "./time.js";

const PAGE = 100;
const STATES = ["broken", "none", "filling", "kept"];
const TONES = { kept: "good", filling: "warn", broken: "bad", none: "idle" };
const CHART = { width: 180, height: 34, points: 60 };

const asked = () => {
  const search = new URLSearchParams(location.search);
  return Object.fromEntries(["text", "kind", "station", "policy", "state"].map((name) => [name, search.get(name) ?? ""]));
};
const filter = signal(asked());
const page = signal(0);

/** Shows other cameras; the address says which, so that it can be sent on. */
function ask(change) {
  filter.value = { ...filter.value, ...change };
  page.value = 0;
  const search = new URLSearchParams(Object.entries(filter.value).filter(([, value]) => value)).toString();
  history.replaceState(history.state, "", search ? `/storage?${search}` : "/storage");
}

export function Promises() {
  useEffect(() => {
    // The address may have come by a link of another view.
    const moved = () => (filter.value = asked());
    moved();
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  if (!report.value) {
    return html`<section class="block"><h2>${t("promise.title")}</h2>
      <div class="rows waiting" aria-busy="true">${[0, 1, 2, 3, 4, 5].map((n) => html`<div key=${n} class="skeleton"></div>`)}</div></section>`;
  }
  if (!report.value.cameras.length) {
    return html`<section class="block"><h2>${t("promise.title")}</h2>
      <${Empty} icon="clock" title=${t("promise.empty")}><p>${t("promise.empty_help")}</p><//></section>`;
  }
  return html`<section class="block promises" aria-labelledby="promises-title">
    <div class="head"><h2 id="promises-title">${t("promise.title")}</h2>
      <span class="note">${t("promise.as_of", { time: `${dateTimeText(report.value.at, { seconds: false })} ${zoneName}` })}</span></div>
    <ul class="groups">${byPolicy.value.map((group) => html`<${Group} key=${group.key} group=${group} />`)}</ul>
    <${Filters} />
    <${Cameras} />
  </section>`;
}

/** A policy's cameras from the worst to the best against what was promised. */
function Group({ group }) {
  const { cameras, counts, policy } = group;
  const chosen = filter.value.policy === policy;
  const achieved = cameras.map((camera) => camera.achieved_days).toSorted((a, b) => a - b);
  const middle = achieved[Math.floor(achieved.length / 2)];
  return html`<li><button type="button" class="group" aria-pressed=${String(chosen)} onClick=${() => ask({ policy: chosen ? "" : policy })}>
    <span class="who"><b>${whyText(group.why)}</b><br /><span class="note">${t("promise.cameras", { n: cameras.length })} · ${bytes(group.bytes)}</span></span>
    <${Curve} cameras=${cameras} />
    <span class="numbers">${t("promise.promised", { n: group.min_days })}<br />
      <span class="note">${t("promise.worst", { worst: days(achieved[0]), middle: days(middle) })}</span></span>
    <span class="counts">${STATES.filter((state) => counts[state]).map((state) => html`<span key=${state} class="pill ${TONES[state]}">
      <span class="dot"></span>${number(counts[state])} ${t(`promise.${state}`)}</span>`)}</span>
  </button></li>`;
}

/** Each camera's share of its promise, sorted, against the line that is the promise. */
function Curve({ cameras }) {
  const shares = cameras.map((camera) => camera.share).toSorted((a, b) => a - b);
  const { width, height, points } = CHART;
  const steps = Math.min(points, shares.length);
  const top = 5;
  const at = (n) => shares[Math.floor((n * shares.length) / steps)];
  let path = `M0 ${height}`;
  for (let n = 0; n < steps; n++) {
    const y = (height - at(n) * (height - top)).toFixed(1);
    path += `L${((n * width) / steps).toFixed(1)} ${y}L${(((n + 1) * width) / steps).toFixed(1)} ${y}`;
  }
  return html`<svg class="curve" viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
    <path class="area" d=${`${path}L${width} ${height}Z`} /><path class="promise" d=${`M0 ${top}H${width}`} />
  </svg>`;
}

const days = (value) => number(value, value < 10 && value > 0 ? 1 : 0);

function options(field) {
  return [...new Set(report.value.cameras.map((camera) => camera[field]).filter(Boolean))].toSorted();
}

function Filters() {
  const { counts } = report.value;
  const chip = (state, word, count) => html`<button type="button" key=${state} class="button" aria-pressed=${String(filter.value.state === state)}
    onClick=${() => ask({ state })}>${word}<span class="count">${number(count)}</span></button>`;
  const select = (field, from, label, text) => html`<select class="input" aria-label=${label} value=${filter.value[field]}
      onInput=${(event) => ask({ [field]: event.target.value })}>
    <option value="" selected=${!filter.value[field]}>${label}</option>
    ${options(from).map((value) => html`<option key=${value} value=${value} selected=${filter.value[field] === value}>${text(value)}</option>`)}
  </select>`;
  return html`<div class="bar filters">
    <div class="search"><${Icon} name="search" /><input class="input" type="search" value=${filter.value.text} placeholder=${t("promise.search")}
      aria-label=${t("promise.search")} onInput=${(event) => ask({ text: event.target.value })} /></div>
    ${select("kind", "owner_kind", t("facts.kind"), kindText)} ${select("station", "station", t("facts.station"), (value) => value)}
    <div class="states" role="group" aria-label=${t("cameras.filter")}>
      ${chip("", t("cameras.all"), report.value.cameras.length)} ${STATES.map((state) => chip(state, t(`promise.${state}`), counts[state]))}
    </div>
    ${filter.value.policy && html`<span class="chip">${t("promise.policy", { name: filter.value.policy })}
      <button type="button" class="link" onClick=${() => ask({ policy: "" })}>${t("promise.clear")}</button></span>`}
  </div>`;
}

function fits(camera) {
  const { text, kind, station, policy, state } = filter.value;
  if ((state && camera.state !== state) || (policy && camera.policy !== policy)) return false;
  if ((kind && camera.owner_kind !== kind) || (station && camera.station !== station)) return false;
  const said = `${camera.code} ${camera.name} ${camera.name_hi ?? ""} ${camera.station ?? ""} ${camera.policy}`.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => said.includes(word));
}

function Cameras() {
  const found = report.value.cameras.filter(fits);
  const first = page.value * PAGE;
  const shown = found.slice(first, first + PAGE);
  if (!found.length) {
    const clear = () => ask({ text: "", kind: "", station: "", policy: "", state: "" });
    return html`<${Empty} icon="search" title=${t("cameras.nothing")}>
      <button type="button" class="button" onClick=${clear}>${t("cameras.clear")}</button><//>`;
  }
  return html`<div class="rows"><table class="promise-table">
    <thead><tr>
      <th scope="col">${t("column.camera")}</th>
      <th scope="col">${t("column.state")}</th>
      <th scope="col" class="number">${t("promise.promised_head")}</th>
      <th scope="col">${t("promise.achieved_head")}</th>
      <th scope="col">${t("promise.oldest")}</th>
      <th scope="col">${t("promise.lost")}</th>
      <th scope="col" class="number">${t("promise.stored")}</th>
      <th scope="col">${t("promise.why")}</th>
    </tr></thead>
    <tbody>${shown.map((camera) => html`<${Row} key=${camera.camera_id} camera=${camera} />`)}</tbody>
  </table></div>
  <nav class="pager" aria-label=${t("promise.title")}>
    <span class="note">${t("cameras.range_of", { from: first + 1, to: first + shown.length, total: found.length })}</span>
    <span class="spring"></span>
    <button type="button" class="button" disabled=${page.value === 0} onClick=${() => (page.value -= 1)}>${t("cameras.previous")}</button>
    <button type="button" class="button" disabled=${first + PAGE >= found.length} onClick=${() => (page.value += 1)}>${t("cameras.next")}</button>
  </nav>`;
}

function Row({ camera }) {
  return html`<tr class=${camera.state === "broken" ? "alarmed" : ""}>
    <th scope="row"><a href=${`/cameras/${camera.camera_id}`}><b>${camera.code}</b> ${cameraName(camera)}</a></th>
    <td><span class="pill ${TONES[camera.state]}"><span class="dot"></span>${t(`promise.${camera.state}`)}</span></td>
    <td class="number" data-label=${t("promise.promised_head")}>${t("days.n", { n: camera.min_days })}</td>
    <td data-label=${t("promise.achieved_head")}><span class="achieved"><span class="usage small" aria-hidden="true"><i class="footage" style=${{ width: `${camera.share * 100}%` }}></i></span>
      <span class="number">${days(camera.achieved_days)}</span></span></td>
    <td data-label=${t("promise.oldest")}>${camera.oldest === null ? "–" : dateText(camera.oldest)}</td>
    <td class=${camera.lost === null ? "spare" : ""} data-label=${t("promise.lost")}>${camera.lost === null ? "–" : html`<span class="lost">${t("promise.lost_until", { time: dateTimeText(camera.lost, { seconds: false }) })}</span>`}</td>
    <td class="number" data-label=${t("promise.stored")}>${bytes(camera.bytes)}${camera.held_bytes > 0 && html` <span class="kept" title=${t("promise.held", { size: bytes(camera.held_bytes) })}><${Icon} name="lock" /></span>`}</td>
    <td data-label=${t("promise.why")}>${whyText(camera.why)}</td>
  </tr>`;
}
