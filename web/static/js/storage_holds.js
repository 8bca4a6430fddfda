// Holds: footage that stays for a case. Listed, placed, released with a reason.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { get, send } from "./api.js";
import { keep, recall } from "./choices.js";
import { Dialog } from "./dialog.js";
import { Field, FormProblem, wrongAt } from "./form.js";
import { HoldDialog } from "./hold_dialog.js";
import { digestHold } from "./holds_data.js";
import { Icon } from "./icons.js";
import { bytes, number, t } from "./i18n.js";
import { cameraName, Empty, Failure, toast } from "./signs.js";
import { now } from "./site.js";
import { dateText, dateTimeText, query, zoneWords } from "./time.js";

const POLL_MS = 30_000;
const PAGE = 500;
const TYPING_MS = 250;

const released = signal(new URLSearchParams(location.search).get("released") === "true");
const text = signal("");
const list = signal(null); // {items, next}
const problem = signal(null);
const dialog = signal(null); // {name, holds}
let asking = null;

async function load() {
  asking?.abort();
  const mine = (asking = new AbortController());
  try {
    const answer = await get("holds", { released: released.value ? "true" : "", limit: PAGE }, { signal: mine.signal });
    list.value = { items: answer.items.map(digestHold), next: answer.next };
    problem.value = null;
  } catch (error) {
    if (!mine.signal.aborted) problem.value = error;
  }
}

async function more() {
  try {
    const answer = await get("holds", { released: released.value ? "true" : "", limit: PAGE, cursor: list.value.next });
    list.value = { items: [...list.value.items, ...answer.items.map(digestHold)], next: answer.next };
  } catch (error) {
    problem.value = error;
  }
}

function show(all) {
  released.value = all;
  list.value = null;
  load();
}

let typing = null;
function type(value) {
  clearTimeout(typing);
  typing = setTimeout(() => (text.value = value), TYPING_MS);
}

export function Holds() {
  useEffect(() => {
    load();
    const timer = setInterval(() => document.hidden || list.value?.items.length > PAGE || load(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const close = () => (dialog.value = null);
  const place = () => (dialog.value = { name: "place" });
  return html`
    <div class="bar">
      <div class="search"><${Icon} name="search" /><input class="input" type="search" placeholder=${t("holds.search")} aria-label=${t("holds.search")}
        onInput=${(event) => type(event.target.value)} /></div>
      <div class="states" role="group" aria-label=${t("holds.which")}>
        ${[false, true].map((all) => html`<button type="button" key=${String(all)} class="button" aria-pressed=${String(released.value === all)}
          onClick=${() => show(all)}>${t(all ? "holds.all" : "holds.active")}</button>`)}
      </div>
      <span class="spring"></span>
      <button type="button" class="button primary" onClick=${place}><${Icon} name="lock" />${t("holds.place")}</button>
    </div>
    ${problem.value && list.value && html`<div class="banner warn" role="status"><${Icon} name="alert" />
      <p>${t("error.offline")} ${t("error.offline_help")}</p></div>`}
    <${Overdue} />
    <${List} place=${place} />
    ${dialog.value?.name === "place" && html`<${HoldDialog} cameras=${[]} range=${null} placed=${load} close=${close} />`}
    ${dialog.value?.name === "release" && html`<${ReleaseDialog} holds=${dialog.value.holds} done=${load} close=${close} />`}
  `;
}

const overdue = (hold) => hold.released === null && hold.review !== null && hold.review < now.value;

/** Reviews that are due: nobody holds footage for ever by forgetting it. */
function Overdue() {
  const late = (list.value?.items ?? []).filter(overdue);
  if (!late.length) return null;
  return html`<div class="banner warn" role="status"><${Icon} name="clock" /><p>${t("holds.overdue", { n: late.length })}</p></div>`;
}

function fits(hold) {
  const said = `${hold.case} ${hold.code ?? ""} ${hold.name ?? ""} ${hold.name_hi ?? ""} ${hold.reason} ${hold.created_by}`.toLowerCase();
  return text.value.toLowerCase().split(/\s+/).every((word) => said.includes(word));
}

function List({ place }) {
  if (problem.value && !list.value) return html`<${Failure} problem=${problem.value} retry=${load} />`;
  if (!list.value) {
    return html`<div class="rows waiting" aria-busy="true">${[0, 1, 2, 3, 4].map((n) => html`<div key=${n} class="skeleton"></div>`)}</div>`;
  }
  if (!list.value.items.length) {
    return html`<${Empty} icon="lock" title=${t("holds.empty")}><p>${t("holds.empty_help")}</p>
      <button type="button" class="button" onClick=${place}>${t("holds.place")}</button><//>`;
  }
  const found = list.value.items.filter(fits);
  if (!found.length) return html`<${Empty} icon="search" title=${t("holds.nothing")} />`;
  return html`<div class="rows"><table class="holds-table">
    <thead><tr>
      <th scope="col">${t("hold.case")}</th>
      <th scope="col">${t("column.camera")}</th>
      <th scope="col">${t("holds.interval", { zone: zoneWords() })}</th>
      <th scope="col" class="number">${t("holds.bytes")}</th>
      <th scope="col">${t("hold.review")}</th>
      <th scope="col">${t("hold.reason")}</th>
      <th scope="col"><span class="hidden-visually">${t("holds.release")}</span></th>
    </tr></thead>
    <tbody>${found.map((hold) => html`<${Row} key=${hold.id} hold=${hold} />`)}</tbody>
  </table></div>
  <nav class="pager" aria-label=${t("storage.holds")}>
    <span class="note">${t("holds.count", { n: found.length, size: bytes(sum(found)) })}</span><span class="spring"></span>
    ${list.value.next && html`<button type="button" class="button" onClick=${more}>${t("holds.more")}</button>`}
  </nav>`;
}

const sum = (holds) => holds.filter((hold) => hold.released === null).reduce((size, hold) => size + (hold.bytes ?? 0), 0);

function Row({ hold }) {
  const same = list.value.items.filter((one) => one.case === hold.case && one.released === null);
  return html`<tr class=${hold.released === null ? "" : "over"}>
    <th scope="row"><b>${hold.case}</b></th>
    <td><a href=${`/cameras/${hold.camera_id}?at=${encodeURIComponent(query(Math.min(hold.from, now.value)))}`}><b>${hold.code}</b> ${cameraName(hold)}</a></td>
    <td data-label=${t("holds.interval", { zone: zoneWords() })}><span class="interval">${dateTimeText(hold.from)} –</span> <span class="interval">${dateTimeText(hold.to)}</span></td>
    <td class="number" data-label=${t("holds.bytes")}><span class="kept"><${Icon} name=${hold.released === null ? "lock" : "unlock"} /></span> ${hold.bytes === null ? "–" : bytes(hold.bytes)}</td>
    <td data-label=${t("hold.review")}>${hold.released !== null
      ? html`<span class="note">${t("holds.released", { date: dateText(hold.released), by: hold.released_by })}</span>`
      : hold.review === null ? "–" : overdue(hold)
        ? html`<span class="pill warn"><span class="dot"></span>${t("holds.late", { date: dateText(hold.review) })}</span>`
        : dateText(hold.review)}</td>
    <td class="reason" data-label=${t("hold.reason")} title=${hold.release_reason || hold.reason}>${hold.reason}<span class="note">${t("holds.by", { by: hold.created_by, date: dateText(hold.created) })}
      ${hold.release_reason ? html`<br />${t("holds.released_for", { reason: hold.release_reason })}` : ""}</span></td>
    <td class="act">${hold.released === null && html`<button type="button" class="button" onClick=${() => (dialog.value = { name: "release", holds: [hold, same] })}>
      ${t("holds.release")}</button>`}</td>
  </tr>`;
}

/** Release needs a reason. `holds` [the one, all of its case that are active]. */
function ReleaseDialog({ holds: [hold, same], done, close }) {
  const reason = useSignal("");
  const by = useSignal(recall("hold.by", ""));
  const all = useSignal(false);
  const tried = useSignal(false);
  const failed = useSignal(null);
  const busy = useSignal(false);
  const chosen = all.value ? same : [hold];
  const wrong = { reason: reason.value.trim() ? "" : t("hold.reason_missing"), by: by.value.trim() ? "" : t("hold.by_missing") };
  const said = (name) => wrongAt(failed.value, name) || (tried.value ? wrong[name] : "");
  const submit = async (event) => {
    event.preventDefault();
    tried.value = true;
    if (wrong.reason || wrong.by || busy.value) return;
    busy.value = true;
    try {
      for (const one of chosen) await send("POST", `holds/${one.id}/release`, { reason: reason.value.trim(), by: by.value.trim() });
      keep("hold.by", by.value.trim());
      toast(t("holds.release_done", { n: chosen.length }));
      close();
    } catch (error) {
      failed.value = error;
      busy.value = false;
    }
    done();
  };
  return html`<${Dialog} title=${t("holds.release_title")} close=${close}>
    <form class="body plain" onSubmit=${submit} novalidate>
      <p><b>${hold.case}</b> · ${hold.code} · ${dateTimeText(hold.from)} – ${dateTimeText(hold.to)}</p>
      <p>${t("holds.release_help", { size: bytes(sum(chosen)) })}</p>
      ${same.length > 1 && html`<label class="check"><input type="checkbox" checked=${all.value} onInput=${(event) => (all.value = event.target.checked)} />
        ${t("holds.release_all", { n: number(same.length), case: hold.case })}</label>`}
      <${Field} id="release-reason" label=${t("holds.release_reason")} value=${reason.value} wrong=${said("reason")} maxlength="1000" autofocus
        onInput=${(value) => ((reason.value = value), (failed.value = null))} />
      <${Field} id="release-by" label=${t("hold.by")} value=${by.value} wrong=${said("by")} maxlength="200"
        onInput=${(value) => ((by.value = value), (failed.value = null))} />
      <${FormProblem} problem=${failed.value} fields=${["reason", "by"]} code=${(code) => t("error.code", { code })} />
      <div class="actions">
        <button type="button" class="button plain" onClick=${close}>${t("dialog.cancel")}</button>
        <button type="submit" class="button danger" disabled=${busy.value}><${Icon} name="unlock" />${t("holds.release_now", { n: chosen.length })}</button>
      </div>
    </form>
  <//>`;
}
