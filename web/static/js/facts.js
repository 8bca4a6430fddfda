// What is known of a camera, and the gaps of the time in view with their causes.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { Newest } from "./camera_list.js";
import { Icon } from "./icons.js";
import { known, number, t } from "./i18n.js";
import { kindText, loadKinds } from "./owner_kinds.js";
import { KeptFindings } from "./probe_report.js";
import { causeAdvice, causeClass, causeText, StatePill } from "./signs.js";
import { now } from "./site.js";
import { dateTimeText, read, SECOND, spanText } from "./time.js";

/** From here on a camera's clock counts as wrong: what a court would ask about. */
const CLOCK_RIGHT_MS = 2000;
const GAPS_SHOWN = 60;

export function Facts({ camera }) {
  useEffect(() => void loadKinds(), []);
  const since = read(camera.since);
  const advice = camera.state === "failed" ? causeAdvice(camera.cause) : "";
  const rows = [
    ["video", [camera.video_codec?.toUpperCase(), camera.width && `${camera.width} × ${camera.height}`].filter(Boolean).join(", ")],
    ["audio", known(`audio.${camera.audio}`) ? t(`audio.${camera.audio}`) : camera.audio],
    ["place", camera.site],
    ["station", camera.station],
    ["zone", camera.zone],
    ["kind", camera.owner_kind && kindText(camera.owner_kind)],
    ["owner", camera.owner],
    ["covers", (camera.covers ?? []).map((one) => (known(`covers.${one}`) ? t(`covers.${one}`) : one)).join(", ")],
    ["tags", (camera.tags ?? []).join(", ")],
    ["address", camera.url],
    ["device", [camera.make, camera.model, camera.firmware].filter(Boolean).join(" ")],
    ["contact", camera.contact],
    ["legal", camera.legal_basis],
    ["node", camera.node],
  ];
  return html`<section class="facts" aria-label=${t("facts.title")}>
    <h2>${t("facts.title")}</h2>
    <dl class="pairs">
      <dt>${t("facts.state")}</dt>
      <dd><${StatePill} state=${camera.state} cause=${camera.cause} />
        ${since && html`<span class="note"> ${t("facts.since", { time: dateTimeText(since) })}</span>`}
        ${camera.state === "failed" && camera.detail && html`<p class="detail">${camera.detail}</p>`}
        ${advice && html`<p class="advice">${advice}</p>`}</dd>
      <dt>${t("facts.newest")}</dt><dd><${Newest} camera=${camera} /></dd>
      <dt>${t("facts.clock")}</dt><dd><${Clock} offset=${camera.clock_offset_ms} /></dd>
      ${rows.filter(([, value]) => value).map(([name, value]) => html`<dt key=${name}>${t(`facts.${name}`)}</dt><dd>${value}</dd>`)}
    </dl>
    <p class="links"><a href=${`/?edit=${camera.id}`}>${t("facts.edit")}</a> <a href=${`/?history=${camera.id}`}>${t("facts.history")}</a></p>
    <${KeptFindings} camera=${camera} />
  </section>`;
}

/** The camera's clock against the server's: what the text inside its picture is worth. */
function Clock({ offset }) {
  if (offset === null || offset === undefined) return t("facts.clock_unknown");
  if (Math.abs(offset) < CLOCK_RIGHT_MS) return t("facts.clock_right", { ms: number(offset) });
  const key = offset > 0 ? "facts.clock_fast" : "facts.clock_slow";
  return html`<span class="clock-wrong" title=${t("facts.clock_help")}>
    <${Icon} name="alert" />${t(key, { span: spanText(Math.abs(offset)) })}</span>
    <p class="note">${t("facts.clock_help")}</p>`;
}

export function Gaps({ data, view, seek }) {
  const { from, to } = view.range.value;
  const answer = data.answers.value.length ? data.best(from, to) : null;
  const inView = (answer?.gaps ?? []).filter((gap) => gap.to > from && gap.from < Math.min(to, now.value));
  return html`<section class="gaps" aria-label=${t("facts.gaps")}>
    <h2>${t("facts.gaps")}</h2>
    ${answer && !inView.length && html`<p class="note">${t("facts.no_gaps")}</p>`}
    <ul>${inView.slice(-GAPS_SHOWN).toReversed().map((gap) => html`<li key=${gap.from}>
      <button type="button" onClick=${() => seek(gap.from - 3 * SECOND)}>
        <i class="gap ${causeClass(gap.cause)}"></i>
        <span><b>${causeText(gap.cause)}</b><br />
          ${dateTimeText(gap.from)} · ${gap.to >= now.value - 15 * SECOND ? t("facts.until_now") : spanText(gap.to - gap.from)}</span>
      </button>
    </li>`)}</ul>
  </section>`;
}
