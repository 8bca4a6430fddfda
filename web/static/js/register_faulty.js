// The cameras that are linked and faulty: since when, why, and whom to call.
import { html } from "htm/preact";
import { signal } from "@preact/signals";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";
import { lineName, percent } from "./register_data.js";
import { cameraName } from "./signs.js";
import { dateTimeText, read } from "./time.js";

const FIRST = 50;
/** The line whose cameras are shown, null: all. */
const chosen = signal(null);
const everything = signal(false);

/** Of one line of the register. */
export function showFaulty(line) {
  chosen.value = line.owner_kind === "*" ? null : line;
  requestAnimationFrame(() => {
    const title = document.getElementById("faulty-title");
    title?.scrollIntoView({ block: "start" });
    title?.focus();
  });
}

export function Faulty({ found }) {
  const line = chosen.value;
  const cameras = found.faulty.filter((one) => !line || (one.owner_kind === line.owner_kind && (!line.station || one.station === line.station)));
  const shown = everything.value ? cameras : cameras.slice(0, FIRST);
  return html`<section class="block" aria-labelledby="faulty-title">
    <div class="head"><h2 id="faulty-title" tabindex="-1">${t("register.faulty_list")} (${number(cameras.length)})</h2>
      ${line && html`<button type="button" class="button" onClick=${() => (chosen.value = null)}>${lineName(line)} <${Icon} name="close" />
        <span class="hidden-visually">${t("register.all_faulty")}</span></button>`}
      <span class="note">${t("register.faulty_help")}</span></div>
    ${cameras.length === 0
      ? html`<p class="note">${t("register.none_faulty")}</p>`
      : html`<div class="rows faulty-rows"><table>
        <thead><tr>${["code", "name", "station", "cause", "days", "coverage", "contact"].map((key) => html`<th key=${key} scope="col"
          class=${key === "days" || key === "coverage" ? "number" : ""}>${t(`register.${key}`)}</th>`)}</tr></thead>
        <tbody>${shown.map((one) => html`<${Row} key=${one.camera_id} one=${one} />`)}</tbody>
      </table></div>`}
    ${cameras.length > shown.length && html`<button type="button" class="link" onClick=${() => (everything.value = true)}>${t("register.show_all", { n: cameras.length })}</button>`}
  </section>`;
}

function Row({ one }) {
  const label = (key) => ({ "data-label": t(`register.${key}`) });
  return html`<tr>
    <th scope="row"><a href=${`/cameras/${one.camera_id}`}>${one.code}</a></th>
    <td ...${label("name")}>${cameraName(one)}</td>
    <td ...${label("station")}>${one.station}</td>
    <td ...${label("cause")}><span class="cause-sign ${one.cause}"></span>${t(`register.cause.${one.cause}`)}
      ${one.recording && html` <span class="note">${t("register.records_again")}</span>`}</td>
    <td class="number" ...${label("days")}><b>${number(one.days)}</b> <span class="note">${dateTimeText(read(one.since), { seconds: false })}</span></td>
    <td class="number" ...${label("coverage")}>${percent(one.coverage)}</td>
    <td ...${label("contact")}>${[one.owner, one.contact].filter(Boolean).join(" · ") || "–"}</td>
  </tr>`;
}
