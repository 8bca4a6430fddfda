// What is missing and why, in the viewer's words; the bar that shows it.
import { html } from "htm/preact";
import { t } from "./i18n.js";
import { causeClass, causeText } from "./signs.js";
import { dateText, dateTimeText, SECOND, spanText, timeText } from "./time.js";

const TOLD = 2;
/** Shorter than this at an edge is rounding: the gap lasts to there. */
const EDGE_MS = 2 * SECOND;
const DRAWN = 400;

/** The shortest text that is clear within a window that begins at `from`. */
export const clock = (ms, from) => (dateText(ms) === dateText(from) ? timeText(ms) : dateTimeText(ms));

const lasts = (gap) => gap.to - gap.from;
const whole = (gap, { from, to }) => gap.from - from < EDGE_MS && to - gap.to < EDGE_MS;

/** "Not reachable, 21:05:00 to 21:40:00". */
function told(gap, window) {
  const why = gap.detail && causeText(gap.cause) === t("cause.unknown") ? gap.detail : causeText(gap.cause);
  if (whole(gap, window)) return t("find.whole", { why });
  return t("find.part", { why, from: clock(gap.from, window.from), to: clock(gap.to, window.from) });
}

/** Why footage of that window is missing, "" where none is. `window` {from, to} in ms. */
export function reason(item, window) {
  const gaps = item.gaps.toSorted((a, b) => lasts(b) - lasts(a));
  if (!gaps.length) return item.spans.length ? "" : t("find.none_why", { why: item.why ?? t("cause.none") });
  const parts = gaps.slice(0, TOLD).map((gap) => told(gap, window)).join("; ");
  const left = Math.max(0, gaps.length - TOLD) + (item.gaps_left_out ?? 0);
  const rest = left ? ` ${t("find.more_gaps", { n: left })}` : "";
  if (!item.spans.length) return t("find.none_why", { why: parts }) + rest;
  const missing = gaps.reduce((sum, gap) => sum + lasts(gap), 0);
  return t("find.missing_why", { span: spanText(missing), why: parts }) + rest;
}

/** Whole per cent, but never 100 where something is missing, nor 0 where something is there. */
export function percent(coverage) {
  const rounded = Math.round(coverage * 100);
  if (rounded === 100 && coverage < 1) return 99;
  return rounded === 0 && coverage > 0 ? 1 : rounded;
}

/** The window as a bar with the timeline's signs: recorded solid, gaps hatched by the class of their cause. */
export function Strip({ item, window }) {
  const length = window.to - window.from;
  const place = ({ from, to }) => ({
    left: `${(100 * Math.max(0, from - window.from)) / length}%`,
    width: `${(100 * Math.max(0, Math.min(to, window.to) - Math.max(from, window.from))) / length}%`,
  });
  const label = t("find.bar", { percent: percent(item.coverage) });
  return html`<span class="strip" role="img" aria-label=${label} title=${label}>
    ${item.spans.slice(0, DRAWN).map((span) => html`<i key=${span.from} class="recorded" style=${place(span)}></i>`)}
    ${item.gaps.slice(0, DRAWN).map((gap) => html`<i key=${`gap ${gap.from}`} class="gap ${causeClass(gap.cause)}" style=${place(gap)}
      title=${`${causeText(gap.cause)} · ${clock(gap.from, window.from)} – ${clock(gap.to, window.from)}`}></i>`)}
  </span>`;
}
