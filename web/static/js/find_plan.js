// A plan of what was found: north up, rings of distance, a dot for each camera with the direction it looks in. It needs no map.
import { html } from "htm/preact";
import { useMemo } from "preact/hooks";
import { useComputed } from "@preact/signals";
import { distanceText, middle, offset, rings } from "./find_geo.js";
import { found, hot, isTicked, only, search } from "./find_search.js";
import { percent } from "./find_words.js";
import { t } from "./i18n.js";
import { cameraName } from "./signs.js";

const SIZE = 400;
const EDGE = 20;
const LOOK = 26; // length of a wedge
const FOV = 60; // where the registry has none
/** With more cameras than this only the one that is pointed at shows where it looks. */
const WEDGES = 200;
/** Cameras nearer to each other than this on the plan are chosen together. */
const CLUSTER = 12;

/** "full", "part", "none": how much of the window was recorded. */
const amount = (item) => (!item.spans.length ? "none" : item.gaps.length ? "part" : "full");

/** {centre, metres, points: [{item, x, y}]} with x and y in the plan's own units; null where no camera has a place. */
function layout(items, place, radius) {
  const placed = items.filter(({ camera }) => typeof camera.lat === "number" && typeof camera.lon === "number");
  const centre = place ?? middle(placed.map(({ camera }) => camera));
  if (!centre) return null;
  const offsets = placed.map(({ camera }) => offset(centre, camera));
  const farthest = Math.max(50, ...offsets.map(({ east, north }) => Math.hypot(east, north)));
  const metres = place ? Math.min(radius, farthest * 1.1) : farthest * 1.05;
  const scale = (SIZE / 2 - EDGE) / metres;
  const points = placed.map((item, n) => ({ item, x: SIZE / 2 + offsets[n].east * scale, y: SIZE / 2 - offsets[n].north * scale }));
  return { metres, scale, points, unplaced: items.length - placed.length };
}

export function Plan() {
  const { place, radius } = search.value;
  const { items } = found.value;
  const plan = useMemo(() => layout(items, place, radius), [items, place, radius]);
  if (!plan) return null;
  const choose = (event) => {
    const id = Number(event.target.closest("[data-camera]")?.dataset.camera);
    const one = plan.points.find(({ item }) => item.camera.id === id);
    const near = ({ x, y }) => one && Math.hypot(x - one.x, y - one.y) <= CLUSTER;
    const ids = new Set(plan.points.filter(near).map(({ item }) => item.camera.id));
    const same = only.value && ids.size === only.value.size && [...ids].every((chosen) => only.value.has(chosen));
    only.value = ids.size && !same ? ids : null;
  };
  return html`<figure class="plan">
    <svg viewBox=${`0 0 ${SIZE} ${SIZE}`} role="img" aria-label=${t("find.plan")} onClick=${choose}>
      ${rings(plan.metres).map((metres) => html`<g key=${metres}>
        <circle class="ring" cx=${SIZE / 2} cy=${SIZE / 2} r=${metres * plan.scale} />
        <text class="distance" x=${SIZE / 2 + 4} y=${SIZE / 2 + metres * plan.scale - 4}>${distanceText(metres)}</text>
      </g>`)}
      <path class="north" d="M${SIZE - 22} 34V10m-6 8l6-8l6 8" /><text class="north" x=${SIZE - 22} y="48">${t("find.direction_n")}</text>
      ${place && html`<path class="centre" d=${`M${SIZE / 2 - 8} ${SIZE / 2}h16m-8-8v16`} />`}
      ${plan.points.map((point) => html`<${Dot} key=${point.item.camera.id} point=${point} wedges=${plan.points.length <= WEDGES} />`)}
      <${Pointed} points=${plan.points} />
    </svg>
    <figcaption class="legend">
      ${["full", "part", "none"].map((kind) => html`<span class="sign" key=${kind}><svg viewBox="-7 -7 14 14"><${Mark} kind=${kind} /></svg>
        ${t(`find.plan_${kind}`)}</span>`)}
      ${plan.unplaced > 0 && html`<span>${t("find.unplaced", { n: plan.unplaced })}</span>`}
    </figcaption>
  </figure>`;
}

function Dot({ point, wedges }) {
  const { item, x, y } = point;
  const { camera } = item;
  const out = useComputed(() => Boolean(only.value) && !only.value.has(camera.id));
  const chosen = useComputed(() => isTicked(camera.id));
  const classes = ["dot", amount(item), chosen.value && "ticked", out.value && "out"].filter(Boolean).join(" ");
  return html`<g class=${classes} data-camera=${camera.id} transform=${`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
    onMouseEnter=${() => (hot.value = camera.id)} onMouseLeave=${() => (hot.value = null)}>
    ${wedges && typeof camera.bearing === "number" && html`<path class="wedge" d=${wedge(camera.bearing, camera.fov || FOV)} />`}
    <circle class="reach" r="12" /><${Mark} kind=${amount(item)} />
  </g>`;
}

/** The camera that is pointed at, over its neighbours, with its name. */
function Pointed({ points }) {
  const point = hot.value === null ? null : points.find(({ item }) => item.camera.id === hot.value);
  if (!point) return null;
  const { camera, coverage } = point.item;
  const left = point.x > SIZE * 0.6;
  const [x, side] = left ? [-14, "end"] : [14, "start"];
  return html`<g class="pointed ${amount(point.item)}" transform=${`translate(${point.x.toFixed(1)} ${point.y.toFixed(1)})`}>
    ${typeof camera.bearing === "number" && html`<path class="wedge" d=${wedge(camera.bearing, camera.fov || FOV)} />`}
    <circle class="reach" r="12" /><${Mark} kind=${amount(point.item)} />
    <g class="label">
      <text text-anchor=${side} x=${x} y="-4">${`${camera.code} · ${percent(coverage)} %`}</text>
      <text class="soft" text-anchor=${side} x=${x} y="11">${short(cameraName(camera))}</text>
    </g>
  </g>`;
}

/** Full, half and crossed: told without colour too. */
function Mark({ kind }) {
  return html`<g class="mark ${kind}"><circle r="5" />
    ${kind === "part" && html`<path class="half" d="M0-5A5 5 0 0 1 0 5z" />`}
    ${kind === "none" && html`<path class="cross" d="M-2.5-2.5l5 5m0-5l-5 5" />`}</g>`;
}

const short = (text) => (text.length > 28 ? `${text.slice(0, 27)}…` : text);

/** The piece of a circle that a camera looks at; bearings count from north, clockwise. */
function wedge(bearing, fov) {
  const half = Math.min(fov, 350) / 2;
  const edge = (degrees) => {
    const angle = ((degrees - 90) * Math.PI) / 180;
    return `${(LOOK * Math.cos(angle)).toFixed(1)} ${(LOOK * Math.sin(angle)).toFixed(1)}`;
  };
  return `M0 0L${edge(bearing - half)}A${LOOK} ${LOOK} 0 ${half > 90 ? 1 : 0} 1 ${edge(bearing + half)}z`;
}
