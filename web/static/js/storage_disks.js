// The disks: how full, how long, what is held there; and how the promises stand, camera by camera.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { Icon } from "./icons.js";
import { bytes, known, number, t } from "./i18n.js";
import { Promises } from "./storage_promises.js";
import { Failure } from "./signs.js";
import { now, status } from "./site.js";
import { keepLoading, load, report, reportProblem, store, volumes, volumesProblem } from "./storage_data.js";
import { ageText, DAY, dateText, dateTimeText, read, SECOND, spanText, zoneName } from "./time.js";

const TONES = { ok: "good", full: "warn", slow: "warn", missing: "bad", foreign: "bad", readonly: "bad" };
/** A promise that breaks within so many days is told in red. */
const SOON_DAYS = 14;
const LONG_MS = 400 * DAY;

export function Disks({ go }) {
  useEffect(keepLoading, []);
  const retry = () => load({ anew: true });
  return html`
    <${Alerts} />
    <section aria-label=${t("disks.title")}>
      ${volumesProblem.value && !volumes.value
        ? html`<${Failure} problem=${volumesProblem.value} retry=${retry} />`
        : html`<div class="disks">${volumes.value
            ? volumes.value.map((volume) => html`<${Volume} key=${volume.id} volume=${volume} />`)
            : html`<div class="disk skeleton" aria-busy="true"></div>`}
            ${store.value && html`<${Store} store=${store.value} />`}</div>`}
    </section>
    ${reportProblem.value && !report.value && !volumesProblem.value && html`<${Failure} problem=${reportProblem.value} retry=${retry} />`}
    ${(volumesProblem.value || reportProblem.value) && (volumes.value || report.value) &&
    html`<div class="banner warn" role="status"><${Icon} name="alert" /><p>${t("storage.partial")}</p></div>`}
    ${!(reportProblem.value && !report.value) && html`<${Promises} go=${go} />`}
  `;
}

/** What is wrong besides cameras and volumes. */
function Alerts() {
  const alerts = status.value?.alerts ?? [];
  if (!alerts.length) return null;
  return html`<ul class="alerts" aria-label=${t("site.troubles")}>${alerts.map((alert) => html`<li class="banner alarm" key=${alert.id}>
    <${Icon} name="alert" /><p><b>${known(`alert.${alert.kind}`) ? t(`alert.${alert.kind}`) : alert.kind}</b> · ${alert.subject} · ${alert.detail}${" "}
      <span class="note">${t("camera.since", { time: dateTimeText(read(alert.since), { seconds: false }) })}</span></p>
  </li>`)}</ul>`;
}

function Volume({ volume }) {
  const of = report.value?.volumes.find((one) => one.volume_id === volume.id);
  const bad = volume.state !== "ok";
  return html`<article class="disk ${bad ? TONES[volume.state] : ""}" aria-label=${t("site.volume", { path: volume.path })}>
    <div class="head"><${Icon} name="disk" /><h2>${volume.path}</h2><span class="spring"></span>
      <span class="pill ${TONES[volume.state] ?? "idle"}"><span class="dot"></span>${t(`volume.${bad ? volume.state : "ok"}`)}</span></div>
    ${volume.total_bytes ? html`<${Usage} volume=${volume} />` : html`<div class="usage" aria-hidden="true"></div>`}
    ${bad && volume.detail && html`<p class="trouble">${volume.detail}</p>`}
    ${volume.held_full && html`<p class="trouble">${t("disks.held_full")}</p>`}
    ${volume.shedding && html`<p class="trouble">${t("disks.shedding")}</p>`}
    ${of && html`<${Forecast} of=${of} />`}
    <dl class="facts-line">
      ${volume.write_bytes_per_s ? html`<div><dt>${t("disks.writes")}</dt><dd>${t("disks.a_day", { size: bytes(volume.write_bytes_per_s * 86_400) })}</dd></div>` : ""}
      ${volume.time_to_full_s !== null && html`<div><dt>${t("disks.full_in")}</dt><dd>${fullIn(volume.time_to_full_s * SECOND)}</dd></div>`}
      ${of && of.needed_bytes > 0 && html`<div class=${of.needed_bytes > of.capacity_bytes ? "over" : ""}><dt>${t("disks.needed")}</dt>
        <dd>${t("disks.needed_of", { need: bytes(of.needed_bytes), have: bytes(of.capacity_bytes) })}</dd></div>`}
      <div><dt>${t("disks.records")}</dt><dd>${t("disks.cameras", { n: volume.cameras.length })}</dd></div>
      ${volume.garbage_files > 0 && html`<div><dt>${t("disks.garbage")}</dt><dd>${t("disks.files", { n: volume.garbage_files })}</dd></div>`}
    </dl>
  </article>`;
}

const fullIn = (ms) => (ms > LONG_MS ? t("disks.more_than_a_year") : spanText(ms));

/** One bar: what is held, other footage, what is not ours, what is free, and the mark below which footage goes. */
function Usage({ volume }) {
  const total = volume.total_bytes;
  const used = total - volume.free_bytes;
  const held = Math.min(volume.held_bytes, used);
  const footage = Math.max(0, Math.min(volume.footage_bytes, used) - held);
  const other = used - held - footage;
  const part = (size) => ({ width: `${(size / total) * 100}%` });
  const words = [
    ["footage", volume.footage_bytes, t("disks.footage")],
    ...(held ? [["held", held, t("disks.held")]] : []),
    ...(other > total / 200 ? [["other", other, t("disks.other")]] : []),
    ["free", volume.free_bytes, t("disks.free")],
  ];
  return html`<div class="usage" aria-hidden="true">
      <i class="held" style=${part(held)}>${held / total > 0.03 && html`<${Icon} name="lock" />`}</i>
      <i class="footage" style=${part(footage)}></i><i class="other" style=${part(other)}></i>
      ${volume.low_bytes !== null && html`<i class="mark" style=${{ left: `${(1 - volume.low_bytes / total) * 100}%` }} title=${t("disks.mark")}></i>`}
    </div>
    <ul class="usage-words">${words.map(([kind, size, word]) => html`<li key=${kind}><i class=${kind}>${kind === "held" && html`<${Icon} name="lock" />`}</i>
      ${word} <b>${bytes(size)}</b> <span class="note">${number((size / total) * 100, size / total < 0.1 ? 1 : 0)} %</span></li>`)}
      <li class="note">${t("disks.of", { total: bytes(total) })}</li></ul>`;
}

/** In one sentence: when a promise breaks here, if all goes on as it does now. */
function Forecast({ of }) {
  const { breaks_in_days: breaks, full_in_days: full } = of;
  if (breaks === null) {
    const text = full === null ? t("forecast.holds") : t("forecast.full_holds", { span: spanText(full * DAY), date: dateText(now.value + full * DAY) });
    return html`<p class="forecast good"><${Icon} name="check" />${text}</p>`;
  }
  const values = { n: of.breaks_first.length, span: spanText(breaks * DAY), date: dateText(now.value + breaks * DAY) };
  return html`<p class="forecast ${breaks <= SOON_DAYS ? "bad" : "warn"}"><${Icon} name="alert" />
    ${breaks === 0 ? t("forecast.broken", values) : t("forecast.breaks", values)}</p>`;
}

/** The object store: what waits, how fast it goes, what failed. */
function Store({ store: of }) {
  const waiting = of.queued.bytes + of.uploading.bytes;
  const segments = of.queued.segments + of.uploading.segments;
  const failing = of.failing > 0 || of.waiting_for === "store";
  return html`<article class="disk cloud ${failing ? "warn" : ""}" aria-label=${t("cloud.title")}>
    <div class="head"><${Icon} name="cloud" /><h2>${of.bucket}</h2><span class="spring"></span>
      <span class="pill ${failing ? "warn" : "good"}"><span class="dot"></span>${failing ? t("cloud.failing") : t("volume.ok")}</span></div>
    <ul class="usage-words">
      <li><i class="footage"></i>${t("cloud.local")} <b>${bytes(of.local.bytes)}</b></li>
      <li><i class="both"></i>${t("cloud.both")} <b>${bytes(of.both.bytes)}</b></li>
      <li><i class="remote"></i>${t("cloud.remote")} <b>${bytes(of.remote.bytes)}</b></li>
    </ul>
    <p class="forecast ${failing ? "warn" : "good"}"><${Icon} name=${failing ? "alert" : "check"} />${segments
      ? t("cloud.backlog", { n: segments, size: bytes(waiting), span: spanText(of.backlog_age_s * SECOND) })
      : t("cloud.no_backlog")}</p>
    ${of.waiting_for === "hours" && html`<p class="note">${t("cloud.hours")}</p>`}
    ${of.last_error && html`<p class="trouble">${of.last_error} <span class="note">${of.last_error_at
      ? `${dateTimeText(read(of.last_error_at), { seconds: false })} ${zoneName}, ${ageText(now.value - read(of.last_error_at))}`
      : ""}</span></p>`}
    <dl class="facts-line">
      <div><dt>${t("cloud.rate")}</dt><dd>${t("cloud.a_second", { size: bytes(of.rate_bytes_per_s) })}</dd></div>
      ${of.object_lock !== null && html`<div><dt>${t("cloud.lock")}</dt><dd>${of.object_lock ? t("cloud.lock_on") : t("cloud.lock_off")}</dd></div>`}
      ${of.garbage > 0 && html`<div><dt>${t("disks.garbage")}</dt><dd>${t("disks.files", { n: of.garbage })}</dd></div>`}
    </dl>
  </article>`;
}

