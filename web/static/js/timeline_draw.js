// Drawing the timeline: one lane, its axis, the playhead. Colours come from the style sheet.
import { causeClass } from "./signs.js";
import { dateTimeText, timeText } from "./time.js";
import { ticks } from "./timeline_ticks.js";

/** Heights in CSS px from the top: label of the playhead, axis, lane. */
export const LAYOUT = { head: 22, axis: 22, lane: 52, foot: 14 };
export const HEIGHT = LAYOUT.head + LAYOUT.axis + LAYOUT.lane + LAYOUT.foot;
const LANE_TOP = LAYOUT.head + LAYOUT.axis;

const COLOURS = {
  text: "--text-soft",
  faint: "--text-faint",
  strong: "--text-strong",
  line: "--line",
  empty: "--empty",
  recorded: "--recorded",
  activity: "--activity",
  camera: "--gap-camera",
  network: "--gap-network",
  server: "--gap-server",
  planned: "--gap-planned",
  held: "--held",
  accent: "--accent",
  onAccent: "--on-accent",
  focus: "--focus",
  surface: "--surface-1",
};

/** Reads the style sheet's colours; call again when the theme changes. */
export function readColours(element) {
  const style = getComputedStyle(element);
  const colours = Object.fromEntries(Object.entries(COLOURS).map(([name, key]) => [name, style.getPropertyValue(key).trim()]));
  return { ...colours, font: style.fontFamily, hatches: {} };
}

/** Each class of cause has its own pattern, so that it is told without its colour too. */
function hatch(context, colours, kind, scale) {
  if (colours.hatches[kind]) return colours.hatches[kind];
  const size = 8 * scale;
  const tile = new OffscreenCanvas(size, size);
  const draw = tile.getContext("2d");
  draw.globalAlpha = 0.2;
  draw.fillStyle = colours[kind];
  draw.fillRect(0, 0, size, size);
  draw.globalAlpha = 1;
  draw.strokeStyle = colours[kind];
  draw.lineWidth = 1.4 * scale;
  draw.beginPath();
  const line = (x1, y1, x2, y2) => {
    draw.moveTo(x1 * scale, y1 * scale);
    draw.lineTo(x2 * scale, y2 * scale);
  };
  const rising = () => [line(-2, 2, 2, -2), line(-2, 10, 10, -2), line(6, 10, 10, 6)];
  const falling = () => [line(-2, 6, 2, 10), line(-2, -2, 10, 10), line(6, -2, 10, 2)];
  if (kind === "camera" || kind === "server") rising();
  if (kind === "network" || kind === "server") falling();
  if (kind === "planned") line(0, 4, 4, 4);
  draw.stroke();
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / scale));
  return (colours.hatches[kind] = pattern);
}

/**
 * Draws everything. `view` {from, to} ms; `scene` {answers, holds, playhead, now, hover, selection, live}: ms, null where there is none.
 * `size` {width, height} CSS px, `scale` device px per CSS px.
 */
export function draw(context, view, scene, colours, { width, scale }) {
  const toX = (ms) => ((ms - view.from) / (view.to - view.from)) * width;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  context.fillStyle = colours.empty;
  context.fillRect(0, LANE_TOP, Math.min(width, toX(scene.now)), LAYOUT.lane);
  for (const answer of scene.answers) drawAnswer(context, answer, scene, toX, colours, width, scale);
  drawHolds(context, scene.holds, toX, colours, width);
  drawAxis(context, view, toX, colours, width);
  if (scene.selection) drawSelection(context, scene.selection, toX, colours);
  drawNow(context, scene.now, toX, colours, width);
  if (scene.hover !== null) vertical(context, toX(scene.hover), LAYOUT.head, colours.faint, 1);
  if (scene.playhead !== null) drawPlayhead(context, scene, toX, colours, width);
}

/** The gold line under the lane, with a lock where a hold begins (or at the edge, where it begins before). */
function drawHolds(context, holds, toX, colours, width) {
  const top = LANE_TOP + LAYOUT.lane + 4;
  context.fillStyle = context.strokeStyle = colours.held;
  context.lineWidth = 1.5;
  for (const hold of holds) {
    const [from, to] = [Math.max(0, toX(hold.from)), Math.min(width, toX(hold.to))];
    if (to <= 0 || from >= width) continue;
    context.fillRect(from, top + 3, Math.max(2, to - from), 3);
    const x = Math.min(Math.round(from), width - 9);
    context.clearRect(x, top - 3, 10, 13);
    context.fillRect(x, top + 2, 8, 6);
    context.beginPath();
    context.arc(x + 4, top + 1.5, 2.5, Math.PI, 0);
    context.stroke();
  }
}

/** One answer of the server, over what coarser ones drew. */
function drawAnswer(context, answer, scene, toX, colours, width, scale) {
  const left = Math.max(0, toX(answer.from));
  const right = Math.min(width, toX(Math.min(answer.to, scene.now)));
  if (right <= left) return;
  context.save();
  context.beginPath();
  context.rect(left, LANE_TOP, right - left, LAYOUT.lane);
  context.clip();
  context.fillStyle = colours.empty;
  context.fillRect(left, LANE_TOP, right - left, LAYOUT.lane);
  context.fillStyle = colours.recorded;
  for (const span of answer.spans) bar(context, toX(span.from), toX(span.to), left, right);
  drawActivity(context, answer, toX, colours, left, right);
  for (const gap of answer.gaps) {
    context.fillStyle = hatch(context, colours, causeClass(gap.cause), scale);
    // Never narrower than 2 px: a gap that cannot be seen is a gap that is overlooked.
    const x = toX(gap.from);
    bar(context, x, Math.max(toX(Math.min(gap.to, scene.now)), x + 2), left, right);
  }
  context.restore();
}

function bar(context, from, to, left, right) {
  const start = Math.max(left, from);
  const end = Math.min(right, to);
  if (end > start) context.fillRect(start, LANE_TOP, end - start, LAYOUT.lane);
}

function drawActivity(context, answer, toX, colours, left, right) {
  const { values, from, bucket } = answer;
  if (!values.length) return;
  const step = toX(from + bucket) - toX(from);
  const first = Math.max(0, Math.floor((left - toX(from)) / step));
  const end = Math.min(values.length, Math.ceil((right - toX(from)) / step));
  context.fillStyle = colours.activity;
  const bottom = LANE_TOP + LAYOUT.lane;
  for (let n = first; n < end; n++) {
    if (!values[n]) continue;
    const height = (values[n] / 127) * (LAYOUT.lane - 6);
    context.fillRect(toX(from + n * bucket), bottom - height, Math.max(1, step - (step > 4 ? 1 : 0)), height);
  }
}

function drawAxis(context, view, toX, colours, width) {
  context.font = `11px ${colours.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  const msPerPx = (view.to - view.from) / width;
  for (const tick of ticks(view.from - 120 * msPerPx, view.to, msPerPx)) {
    const x = Math.round(toX(tick.at)) + 0.5;
    context.strokeStyle = tick.day ? colours.faint : colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, LAYOUT.head + (tick.day ? 2 : 8));
    context.lineTo(x, LANE_TOP);
    context.stroke();
    context.fillStyle = tick.day ? colours.strong : colours.text;
    context.fillText(tick.label, x + 4, LAYOUT.head + LAYOUT.axis / 2);
  }
}

function vertical(context, x, top, colour, thickness) {
  context.fillStyle = colour;
  context.fillRect(Math.round(x) - thickness / 2, top, thickness, HEIGHT - top);
}

function drawNow(context, now, toX, colours, width) {
  const x = toX(now);
  if (x < 0 || x > width) return;
  context.strokeStyle = colours.text;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, LANE_TOP);
  context.lineTo(Math.round(x) + 0.5, HEIGHT);
  context.stroke();
  context.setLineDash([]);
}

function drawSelection(context, selection, toX, colours) {
  const [left, right] = [toX(selection.from), toX(selection.to)];
  context.fillStyle = colours.focus;
  context.globalAlpha = 0.22;
  context.fillRect(left, LANE_TOP, right - left, LAYOUT.lane);
  context.globalAlpha = 1;
  for (const x of [left, right]) context.fillRect(x - 1, LANE_TOP - 4, 2, LAYOUT.lane + 8);
}

function drawPlayhead(context, scene, toX, colours, width) {
  const x = toX(scene.playhead);
  if (x < -60 || x > width + 60) return;
  const label = scene.wide ? dateTimeText(scene.playhead) : timeText(scene.playhead);
  context.font = `600 12px ${colours.font}`;
  const half = context.measureText(label).width / 2 + 8;
  const centre = Math.min(Math.max(x, half), width - half);
  vertical(context, x, LAYOUT.head - 2, colours.accent, 2);
  context.fillStyle = colours.accent;
  context.beginPath();
  context.roundRect(centre - half, 1, half * 2, LAYOUT.head - 3, 4);
  context.fill();
  context.fillStyle = colours.onAccent;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(label, centre, LAYOUT.head / 2);
}
