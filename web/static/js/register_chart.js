// Progress over time: linked and recording against the target, and coverage, day by day; the same as a table.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { number, t } from "./i18n.js";
import { dayText, lineName, loadProgress, percent, progress, progressProblem, register } from "./register_data.js";
import { Failure } from "./signs.js";

const SPANS = [30, 90, 365];
const HEIGHT = 240;
const LOW = 92;
const LEFT = 52;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 22;

export function Progress() {
  const kind = useSignal("*");
  const days = useSignal(30);
  const found = register.value;
  const ask = () => loadProgress(kind.value, days.value);
  useEffect(() => void ask(), [kind.value, days.value, found?.signed, found?.day]);
  if (progressProblem.value && !progress.value) return html`<${Failure} problem=${progressProblem.value} retry=${ask} />`;
  const items = progress.value?.items ?? null;
  return html`<section class="block progress" aria-labelledby="progress-title">
    <div class="head"><h2 id="progress-title">${t("register.progress")}</h2>
      <select class="input" aria-label=${t("register.kind")} value=${kind.value} onInput=${(event) => (kind.value = event.target.value)}>
        <option value="*">${t("register.whole_city")}</option>
        ${(found?.items ?? []).filter((line) => line.owner_kind).map((line) => html`<option key=${line.owner_kind} value=${line.owner_kind}>${lineName(line)}</option>`)}
      </select>
      <span class="segmented" role="group" aria-label=${t("register.span")}>${SPANS.map((n) => html`<button key=${n} type="button" class="button"
        aria-pressed=${String(days.value === n)} onClick=${() => (days.value = n)}>${t("unit.d", { n })}</button>`)}</span>
    </div>
    ${items === null && html`<div class="skeleton chart-waiting" aria-busy="true"></div>`}
    ${items?.length === 0 && html`<p class="note">${t("register.no_progress")}</p>`}
    ${items?.length === 1 && html`<p class="note">${t("register.first_day")}</p>`}
    ${items?.length > 0 && html`<${Charts} items=${items} /><${AsTable} items=${items} />`}
  </section>`;
}

function Charts({ items }) {
  const box = useRef(null);
  const width = useSignal(720);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => (width.value = Math.max(280, Math.round(entry.contentRect.width))));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const most = Math.max(1, ...items.flatMap((one) => [one.target ?? 0, one.linked, one.installed]));
  const counts = [
    { key: "target", of: (one) => one.target },
    { key: "linked", of: (one) => one.linked },
    { key: "recording", of: (one) => one.recording },
  ].filter(({ of }) => items.some((one) => of(one) !== null));
  return html`<div class="charts" ref=${box}>
    <ul class="legend">${counts.map(({ key }) => html`<li key=${key}><${Swatch} name=${key} />${t(`register.${key}`)}</li>`)}
      <li><${Swatch} name="coverage" />${t("register.coverage")}</li></ul>
    <${Chart} items=${items} width=${width.value} height=${HEIGHT} top=${roundUp(most)} lines=${counts} tick=${number} />
    <${Chart} items=${items} width=${width.value} height=${LOW} top=${1} lines=${[{ key: "coverage", of: (one) => one.coverage }]}
      tick=${(part) => `${Math.round(part * 100)} %`} />
  </div>`;
}

const Swatch = ({ name }) =>
  html`<svg class="swatch" viewBox="0 0 24 10" aria-hidden="true"><path class="line ${name}" d="M1 5H23" />${mark(name, 12, 5)}</svg>`;

/** Each line has its own mark, so that colour is not all that tells them apart. */
function mark(name, x, y) {
  if (name === "linked") return html`<circle class="mark linked" cx=${x} cy=${y} r="3" />`;
  if (name === "recording") return html`<rect class="mark recording" x=${x - 2.6} y=${y - 2.6} width="5.2" height="5.2" />`;
  if (name === "coverage") return html`<path class="mark coverage" d=${`M${x} ${y - 3.6}L${x + 3.4} ${y + 2.6}H${x - 3.4}Z`} />`;
  return null;
}

/** 1, 2 or 5 times a power of ten, in steps that a scale can be read by. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) || value;
}

function Chart({ items, width, height, top, lines, tick }) {
  const first = Date.parse(items[0].day);
  const span = Math.max(1, Date.parse(items.at(-1).day) - first);
  const x = (one) => LEFT + ((Date.parse(one.day) - first) / span) * (width - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
  const marked = items.length <= 60;
  const every = Math.max(1, Math.ceil(items.length / Math.max(2, Math.floor((width - LEFT) / 96))));
  const path = (of) => items.filter((one) => of(one) !== null).map((one, n) => `${n ? "L" : "M"}${x(one).toFixed(1)} ${y(of(one)).toFixed(1)}`).join("");
  return html`<svg class="chart" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
    ${[0, 0.5, 1].map((part) => html`<g key=${part}><path class="grid" d=${`M${LEFT} ${y(part * top)}H${width - RIGHT}`} />
      <text x=${LEFT - 6} y=${y(part * top) + 4} text-anchor="end">${tick(part * top)}</text></g>`)}
    ${items.map((one, n) => n % every === 0 && html`<text key=${one.day} x=${x(one)} y=${height - 6}
      text-anchor=${n === 0 ? "start" : n === items.length - 1 ? "end" : "middle"}>${dayText(one.day).slice(0, 5)}</text>`)}
    ${lines.map(({ key, of }) => html`<g key=${key}><path class="line ${key}" d=${path(of)} />
      ${(marked || items.length === 1) && items.filter((one) => of(one) !== null).map((one) => html`<g key=${one.day}>${mark(key, x(one), y(of(one)))}
        <title>${`${dayText(one.day)}: ${t(`register.${key}`)} ${tick(of(one))}`}</title></g>`)}</g>`)}
  </svg>`;
}

function AsTable({ items }) {
  return html`<details><summary>${t("register.as_table")}</summary>
    <div class="rows progress-rows"><table>
      <thead><tr><th scope="col">${t("register.day")}</th>${["target", "installed", "linked", "recording", "coverage", "faulty"].map((key) => html`<th key=${key}
        scope="col" class="number">${t(`register.${key}`)}</th>`)}<th scope="col">${t("register.signed")}</th></tr></thead>
      <tbody>${items.toReversed().map((one) => html`<tr key=${one.day}><th scope="row"><a href=${`/register?day=${one.day}`}>${dayText(one.day)}</a></th>
        <td class="number">${one.target === null ? "–" : number(one.target)}</td><td class="number">${number(one.installed)}</td>
        <td class="number">${number(one.linked)}</td><td class="number">${number(one.recording)}</td>
        <td class="number">${percent(one.coverage)}</td><td class="number">${number(one.faulty)}</td>
        <td>${one.signed ? t("register.yes") : t("register.no")}</td></tr>`)}</tbody>
    </table></div></details>`;
}
