// Drawing the timeline: a lane for each camera, their axis, the playhead. Colours come from the style sheet.
import { causeClass } from "./signs.js";
import { dateTimeText, timeText } from "./time.js";
import { ticks } from "./timeline_ticks.js";

/** Heights in CSS px from the top: label of the playhead, axis, lane and the holds under it; a lane among others is lower. */
export const LAYOUT = { head: 22, axis: 22, lane: 52, among: 22, foot: 14 };
const LANES_TOP = LAYOUT.head + LAYOUT.axis;

/** {top, height} of each of `count` lanes. */
export function lanesOf(count) {
  const height = count > 1 ? LAYOUT.among : LAYOUT.lane;
  return Array.from({ length: count }, (_, n) => ({ top: LANES_TOP + n * (height + LAYOUT.foot), height }));
}

/** Height of the whole picture. */
export const heightOf = (lanes) => lanes.at(-1).top + lanes.at(-1).height + LAYOUT.foot;

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
 * Draws everything. `view` {from, to} ms; `scene` {lanes: [{answers, holds, label}], playhead, now, hover, selection, wide}: ms, null
 * where there is none. `size` {width, height} CSS px, `scale` device px per CSS px.
 */
export function draw(context, view, scene, colours, { width, scale }) {
  const places = lanesOf(scene.lanes.length);
  const height = heightOf(places);
  const paper = { context, colours, width, height, scale, now: scene.now };
  paper.toX = (ms) => ((ms - view.from) / (view.to - view.from)) * width;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  for (const [n, lane] of scene.lanes.entries()) drawLane(paper, lane, places[n]);
  drawAxis(paper, view);
  if (scene.selection) drawSelection(paper, scene.selection);
  drawNow(paper);
  if (scene.hover !== null) vertical(paper, paper.toX(scene.hover), LAYOUT.head, colours.faint, 1);
  if (scene.playhead !== null) drawPlayhead(paper, scene);
}

function drawLane(paper, { answers, holds, label }, place) {
  const { context, colours, toX, width, now } = paper;
  context.fillStyle = colours.empty;
  context.fillRect(0, place.top, Math.min(width, toX(now)), place.height);
  for (const answer of answers) drawAnswer(paper, answer, place);
  drawHolds(paper, holds, place);
  if (label) drawLabel(paper, label, place);
}

/** Whose lane it is, on a ground of its own: readable over bars and hatches. */
function drawLabel({ context, colours }, label, { top, height }) {
  context.font = `600 11px ${colours.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const width = context.measureText(label).width + 12;
  context.globalAlpha = 0.86;
  context.fillStyle = colours.surface;
  context.fillRect(0, top + 2, width, height - 4);
  context.globalAlpha = 1;
  context.fillStyle = colours.strong;
  context.fillText(label, 6, top + height / 2 + 0.5);
}

/** The gold line under the lane, with a lock where a hold begins (or at the edge, where it begins before). */
function drawHolds({ context, colours, toX, width }, holds, place) {
  const top = place.top + place.height + 4;
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
function drawAnswer(paper, answer, place) {
  const { context, colours, toX, width, scale, now } = paper;
  const left = Math.max(0, toX(answer.from));
  const right = Math.min(width, toX(Math.min(answer.to, now)));
  if (right <= left) return;
  const bar = (from, to) => {
    const [start, end] = [Math.max(left, from), Math.min(right, to)];
    if (end > start) context.fillRect(start, place.top, end - start, place.height);
  };
  context.save();
  context.beginPath();
  context.rect(left, place.top, right - left, place.height);
  context.clip();
  context.fillStyle = colours.empty;
  context.fillRect(left, place.top, right - left, place.height);
  context.fillStyle = colours.recorded;
  for (const span of answer.spans) bar(toX(span.from), toX(span.to));
  drawActivity(paper, answer, place, left, right);
  for (const gap of answer.gaps) {
    context.fillStyle = hatch(context, colours, causeClass(gap.cause), scale);
    // Never narrower than 2 px: a gap that cannot be seen is a gap that is overlooked.
    const x = toX(gap.from);
    bar(x, Math.max(toX(Math.min(gap.to, now)), x + 2));
  }
  context.restore();
}

function drawActivity({ context, colours, toX }, answer, place, left, right) {
  const { values, from, bucket } = answer;
  if (!values.length) return;
  const step = toX(from + bucket) - toX(from);
  const first = Math.max(0, Math.floor((left - toX(from)) / step));
  const end = Math.min(values.length, Math.ceil((right - toX(from)) / step));
  context.fillStyle = colours.activity;
  const bottom = place.top + place.height;
  for (let n = first; n < end; n++) {
    if (!values[n]) continue;
    const height = (values[n] / 127) * (place.height - 6);
    context.fillRect(toX(from + n * bucket), bottom - height, Math.max(1, step - (step > 4 ? 1 : 0)), height);
  }
}

function drawAxis({ context, colours, toX, width }, view) {
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
    context.lineTo(x, LANES_TOP);
    context.stroke();
    context.fillStyle = tick.day ? colours.strong : colours.text;
    context.fillText(tick.label, x + 4, LAYOUT.head + LAYOUT.axis / 2);
  }
}

function vertical({ context, height }, x, top, colour, thickness) {
  context.fillStyle = colour;
  context.fillRect(Math.round(x) - thickness / 2, top, thickness, height - top);
}

function drawNow({ context, colours, toX, width, height, now }) {
  const x = toX(now);
  if (x < 0 || x > width) return;
  context.strokeStyle = colours.text;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, LANES_TOP);
  context.lineTo(Math.round(x) + 0.5, height);
  context.stroke();
  context.setLineDash([]);
}

function drawSelection({ context, colours, toX, height }, selection) {
  const lanes = height - LANES_TOP - LAYOUT.foot;
  const [left, right] = [toX(selection.from), toX(selection.to)];
  context.fillStyle = colours.focus;
  context.globalAlpha = 0.22;
  context.fillRect(left, LANES_TOP, right - left, lanes);
  context.globalAlpha = 1;
  for (const x of [left, right]) context.fillRect(x - 1, LANES_TOP - 4, 2, lanes + 8);
}

function drawPlayhead(paper, scene) {
  const { context, colours, toX, width } = paper;
  const x = toX(scene.playhead);
  if (x < -60 || x > width + 60) return;
  const label = scene.wide ? dateTimeText(scene.playhead) : timeText(scene.playhead);
  context.font = `600 12px ${colours.font}`;
  const half = context.measureText(label).width / 2 + 8;
  const centre = Math.min(Math.max(x, half), width - half);
  vertical(paper, x, LAYOUT.head - 2, colours.accent, 2);
  context.fillStyle = colours.accent;
  context.beginPath();
  context.roundRect(centre - half, 1, half * 2, LAYOUT.head - 3, 4);
  context.fill();
  context.fillStyle = colours.onAccent;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(label, centre, LAYOUT.head / 2);
}
