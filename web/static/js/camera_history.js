// How a camera came to be as it is: who changed what when, and where it stood since when.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api.js";
import { Dialog } from "./dialog.js";
import { known, t } from "./i18n.js";
import { kindText } from "./owner_kinds.js";
import { cameraName, Empty, Failure } from "./signs.js";
import { dateTimeText, read, zoneWords } from "./time.js";

const PAGE = 50;

/** A field's value in the viewer's words. */
function said(name, value) {
  if (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length)) return "–";
  if (name === "owner_kind") return kindText(value);
  if (name === "covers") return value.map((one) => (known(`covers.${one}`) ? t(`covers.${one}`) : one)).join(", ");
  if (name === "audio" && known(`audio.${value}`)) return t(`audio.${value}`);
  if (name === "archived_us") return dateTimeText(value / 1000);
  if (name === "place_since") return value === "always" ? t("history.always") : dateTimeText(read(value));
  if (name.endsWith("_at")) return dateTimeText(read(value));
  if (value === true || value === false) return t(value ? "history.yes" : "history.no");
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** "web" is the page of somebody who gave no name. */
const byText = (by) => (!by || by === "web" ? t("history.unknown") : by);

/** A field's own name; "login" in the form is what to do with it, so the history's words go first. */
function nameOf(name) {
  if (known(`history.field_${name}`)) return t(`history.field_${name}`);
  return known(`form.${name}`) ? t(`form.${name}`) : name.replaceAll("_", " ");
}

/** [field, before, after]: latitude and longitude that changed together as one place. */
function changesOf(item) {
  const { lat, lon, ...others } = item.changes;
  const place = (which) => [lat[which], lon[which]].filter((one) => typeof one === "number").join(", ") || "–";
  const rows = lat && lon ? [["place", place("before"), place("after")]] : [];
  for (const [name, { before, after }] of Object.entries(lat && lon ? others : item.changes)) {
    rows.push([name, said(name, before), said(name, after)]);
  }
  return rows;
}

/** Of the oldest change all that was known before is null: the camera was registered then. */
const isFirst = (item) => Object.values(item.changes).every((one) => one.before === null) && "code" in item.changes;

export function HistoryDialog({ camera, close }) {
  const list = useSignal(null); // {items, next}
  const places = useSignal([]);
  const problem = useSignal(null);
  const load = async (cursor) => {
    try {
      const answer = await get(`cameras/${camera.id}/history`, { limit: PAGE, cursor });
      list.value = { items: [...(cursor ? list.value.items : []), ...answer.items], next: answer.next };
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  useEffect(() => {
    load();
    get(`cameras/${camera.id}/places`).then((answer) => (places.value = answer.items)).catch(() => {});
  }, []);
  return html`<${Dialog} title=${t("history.title", { code: camera.code })} close=${close} wide>
    <p class="note">${cameraName(camera)} · ${t("history.note", { zone: zoneWords() })}</p>
    ${problem.value && !list.value && html`<${Failure} problem=${problem.value} retry=${() => load()} />`}
    ${!list.value && !problem.value && html`<div class="rows waiting" aria-busy="true"><div class="skeleton"></div><div class="skeleton"></div></div>`}
    ${list.value && !list.value.items.length && html`<${Empty} icon="clock" title=${t("history.empty")} />`}
    ${places.value.length > 1 && html`<${Places} places=${places.value} />`}
    ${list.value?.items.length > 0 && html`<ol class="history">${list.value.items.map((item, n) => html`<${Change} key=${n} item=${item} />`)}</ol>`}
    ${list.value?.next && html`<div class="actions"><button type="button" class="button" onClick=${() => load(list.value.next)}>${t("history.more")}</button></div>`}
  <//>`;
}

function Change({ item }) {
  const first = isFirst(item);
  return html`<li>
    <p><time datetime=${item.at}>${dateTimeText(read(item.at))}</time> <b>${byText(item.by)}</b>
      ${first && html` <span class="note">${t("history.registered")}</span>`}</p>
    <dl class="pairs">${changesOf(item).map(([name, before, after]) => html`<dt key=${name}>${nameOf(name)}</dt>
      <dd>${first ? after : html`<del>${before}</del> <span aria-hidden="true">→</span> <ins>${after}</ins>`}</dd>`)}</dl>
  </li>`;
}

/** Where it stood since when, the newest first: footage is found at the place of its time. */
function Places({ places }) {
  return html`<section class="places" aria-label=${t("history.places")}><h3>${t("history.places")}</h3>
    <div class="rows"><table>
      <thead><tr><th scope="col">${t("history.since")}</th><th scope="col">${t("history.place")}</th><th scope="col">${t("form.bearing")}</th></tr></thead>
      <tbody>${places.map((one, n) => html`<tr key=${n}>
        <td>${one.since ? dateTimeText(read(one.since)) : t("history.always")}</td>
        <td>${typeof one.lat === "number" ? `${one.lat.toFixed(5)}, ${one.lon.toFixed(5)}` : t("history.nowhere")}</td>
        <td>${typeof one.bearing === "number" ? `${one.bearing}°` : "–"}</td></tr>`)}</tbody>
    </table></div></section>`;
}
