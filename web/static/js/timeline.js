// The timeline: canvas, what hovers over it, its legend, and the same in words for those who do not see the canvas.
import { html } from "htm/preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { effect, signal, useSignal, useSignalEffect } from "@preact/signals";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";
import { THEME_EVENT } from "./shell.js";
import { causeClass, causeText, IconButton } from "./signs.js";
import { now, serverNow } from "./site.js";
import { stillUrl } from "./still.js";
import { dateTimeText, DAY, SECOND, spanText } from "./time.js";
import { draw, heightOf, lanesOf, readColours } from "./timeline_draw.js";
import { attachPointer } from "./timeline_pointer.js";
import { LENGTHS } from "./timeline_view.js";

const HOVER_WIDTH = 216;
const HOVER_STILL_MS = 140;
const TABLE_MS = 600;
const TABLE_ROWS = 200;

/**
 * `lanes` [{camera, data: TimelineData, holds: CameraHolds}] from the top; `view` a TimelineView, `playhead`, `selection` and
 * `choosing` signals, `seek(ms)` the jump. Lanes do not change while it is shown.
 */
export function Timeline({ lanes, view, playhead, selection, choosing, seek }) {
  const hover = useMemo(() => signal(null), []);
  const over = useMemo(() => signal(0), []); // which lane the pointer is on
  const width = useSignal(0);
  const failed = lanes.find(({ data }) => data.problem.value);
  return html`<section class="timeline" aria-label=${t("timeline.label")}>
    <${Tools} view=${view} playhead=${playhead} choosing=${choosing} />
    <div class="lane">
      <${Canvas} ...${{ lanes, view, playhead, selection, choosing, seek, hover, over, width }} />
      <${Hover} ...${{ lanes, over, view, hover, width }} />
    </div>
    ${failed &&
    html`<p class="note wrong" role="status">${t("timeline.failed", { message: failed.data.problem.value.message })}</p>`}
    <${Words} lanes=${lanes} view=${view} />
  </section>`;
}

function Canvas({ lanes, view, playhead, selection, choosing, seek, hover, over, width }) {
  const canvas = useRef(null);
  const places = lanesOf(lanes.length);
  const height = heightOf(places);
  useEffect(() => {
    const element = canvas.current;
    const context = element.getContext("2d");
    let colours = readColours(element);
    let frame = 0;
    const paint = () => {
      frame = 0;
      const scale = devicePixelRatio || 1;
      const size = { width: element.clientWidth, scale };
      if (!size.width) return; // not laid out yet, or no more: its size will ask again
      const [w, h] = [Math.round(size.width * scale), Math.round(height * scale)];
      if (element.width !== w || element.height !== h) [element.width, element.height] = [w, h];
      const range = view.range.value;
      const drawn = ({ camera, data, holds }) => ({
        answers: data.answers.value,
        holds: holds.list.value,
        label: lanes.length > 1 ? camera.code : "",
      });
      const scene = {
        lanes: lanes.map(drawn),
        playhead: playhead.value,
        now: serverNow(),
        hover: hover.value,
        selection: selection.value,
        wide: range.to - range.from > DAY / 4,
      };
      draw(context, range, scene, colours, size);
    };
    const soon = () => (frame ||= requestAnimationFrame(paint));
    // Reads every signal that the picture depends on, so that a change of any asks for a new one.
    const stop = effect(() => {
      for (const { data, holds } of lanes) void [data.answers.value, holds.list.value];
      void [view.range.value, playhead.value, hover.value, selection.value, now.value, width.value];
      soon();
    });
    const themed = () => {
      colours = readColours(element);
      soon();
    };
    const resized = new ResizeObserver(() => (width.value = element.clientWidth));
    resized.observe(element);
    addEventListener(THEME_EVENT, themed);
    const release = attachPointer(element, { view, selection, hover, choosing, seek });
    const point = (event) => (over.value = Math.max(0, places.findLastIndex(({ top }) => top <= event.offsetY)));
    element.addEventListener("pointermove", point);
    return () => {
      stop();
      release();
      element.removeEventListener("pointermove", point);
      resized.disconnect();
      removeEventListener(THEME_EVENT, themed);
      cancelAnimationFrame(frame);
    };
  }, [lanes, view]);
  useSignalEffect(() => {
    void now.value; // a view that reaches now is asked for again as time goes on
    if (width.value) for (const { data } of lanes) data.want(view.range.value.from, view.range.value.to, width.value);
  });
  return html`<canvas ref=${canvas} class=${choosing.value ? "choosing" : ""} height=${height} style=${{ height: `${height}px` }}
    tabindex="0" role="img" aria-label=${t("timeline.help")}></canvas>`;
}

function Tools({ view, playhead, choosing }) {
  const middle = () => playhead.value ?? serverNow();
  return html`<div class="tools">
    <span class="segmented" role="group" aria-label=${t("timeline.show")}>
      ${LENGTHS.map(([length, unit, n]) => {
        const near = Math.abs(Math.log(view.length / length)) < 0.2;
        return html`<button type="button" class="button" key=${length} aria-pressed=${String(near)}
          onClick=${() => view.show(length, middle())}>${t(unit, { n })}</button>`;
      })}
    </span>
    <${IconButton} icon="minus" label=${t("timeline.zoom_out")} keys="-" onClick=${() => view.zoom(2, middle())} />
    <${IconButton} icon="plus" label=${t("timeline.zoom_in")} keys="+" onClick=${() => view.zoom(0.5, middle())} />
    <${IconButton} icon="range" label=${t("timeline.select")} keys="I, O" pressed=${choosing.value}
      onClick=${() => (choosing.value = !choosing.value)} />
    <span class="spring"></span>
    <${Legend} />
  </div>`;
}

function Legend() {
  const sign = (kind, key) => html`<span class="sign"><i class=${kind}></i>${t(key)}</span>`;
  return html`<span class="legend">
    ${sign("recorded", "timeline.recorded")} ${sign("activity", "timeline.activity")} <span>${t("timeline.gaps")}</span>
    ${["camera", "network", "server", "planned"].map((kind) => sign(`gap ${kind}`, `timeline.gap_${kind}`))}
    ${sign("held", "timeline.held")}
  </span>`;
}

/** The exact time under the pointer, a still of it, or why there is none. */
function Hover({ lanes, over, view, hover, width }) {
  const still = useSignal(null);
  const { camera, data, holds } = lanes[over.value];
  const at = hover.value;
  const length = view.length;
  useEffect(() => {
    still.value = null;
    if (at === null || !data.recordedAt(at)) return undefined;
    // Rounded, so that a slow pointer asks for one picture and the browser's cache has it on the way back.
    const step = Math.max(SECOND, Math.round((length / width.value) * 4));
    const timer = setTimeout(() => (still.value = stillUrl(camera.id, Math.floor(at / step) * step, 320)), HOVER_STILL_MS);
    return () => clearTimeout(timer);
  }, [camera.id, at === null ? null : Math.round(at / (length / 400))]);
  if (at === null) return null;
  const x = ((at - view.range.value.from) / length) * width.value;
  const left = Math.min(Math.max(x - HOVER_WIDTH / 2, 0), width.value - HOVER_WIDTH);
  const [gap, held] = [data.gapAt(at), holds.at(at)];
  return html`<div class="hover" style=${{ left: `${left}px`, width: `${HOVER_WIDTH}px` }}>
    ${still.value && html`<span class="frame"><img src=${still.value} alt="" onError=${() => (still.value = null)} /></span>`}
    <b>${dateTimeText(at)}</b>
    ${lanes.length > 1 && html`<span>${camera.code}</span>`}
    ${gap && html`<span class="cause ${causeClass(gap.cause)}">
      <${Icon} name="gap" />${t("timeline.gap")} · ${causeText(gap.cause)} · ${spanText(Math.min(gap.to, serverNow()) - gap.from)}
    </span>`}
    ${held && html`<span class="cause held"><${Icon} name="lock" />${t("timeline.held_case", { case: held.case })}</span>`}
    ${at > serverNow() && html`<span class="note">${t("timeline.future")}</span>`}
  </div>`;
}

/** What the lanes say, as a table for screen readers; renewed when the view has come to rest. */
function Words({ lanes, view }) {
  const rows = useSignal([]);
  useSignalEffect(() => {
    const { from, to } = view.range.value;
    const inside = (one) => one.to > from && one.from < to;
    const read = ({ camera, data, holds }) => {
      const answer = data.answers.value.length ? data.best(from, to) : null;
      const whose = lanes.length > 1 ? `${camera.code}: ` : "";
      const [spans, gaps] = [answer?.spans ?? [], answer?.gaps ?? []];
      const held = holds.list.value;
      return () => [
        ...spans.filter(inside).map((span) => [whose + t("timeline.recorded"), span]),
        ...gaps.filter(inside).map((gap) => [`${whose}${t("timeline.gap")}: ${causeText(gap.cause)}`, gap]),
        ...held.filter(inside).map((hold) => [whose + t("timeline.held_case", { case: hold.case }), hold]),
      ];
    };
    const told = lanes.map(read);
    const timer = setTimeout(() => {
      const all = told.flatMap((tell) => tell());
      rows.value = all.toSorted((a, b) => a[1].from - b[1].from).slice(0, TABLE_ROWS);
    }, TABLE_MS);
    return () => clearTimeout(timer);
  });
  return html`<div class="hidden-visually"><table>
    <caption>${t("timeline.table")}</caption>
    <thead><tr><th>${t("timeline.what")}</th><th>${t("timeline.from")}</th><th>${t("timeline.to")}</th></tr></thead>
    <tbody>${rows.value.map(
      ([what, one]) => html`<tr key=${what + one.from}><td>${what}</td><td>${dateTimeText(one.from)}</td><td>${dateTimeText(one.to)}</td></tr>`,
    )}</tbody>
  </table></div>`;
}
