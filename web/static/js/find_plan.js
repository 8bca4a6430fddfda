// A plan of what was found: north up, rings of distance, a dot for each camera with the direction it looks in. It needs no map.
import { html } from "htm/preact";
import { distanceText, middle, offset, rings } from "./find_geo.js";
import { found, hot, isTicked, only, search } from "./find_search.js";
import { percent } from "./find_words.js";
import { t } from "./i18n.js";
import { cameraName } from "./signs.js";

const SIZE = 400;
const EDGE = 20;
const LOOK = 26; // length of a wedge
const FOV = 60; // where the registry has none
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
  const plan = layout(found.value.items, place, radius);
  if (!plan) return null;
  const near = (one) => plan.points.filter(({ x, y }) => Math.hypot(x - one.x, y - one.y) <= CLUSTER).map(({ item }) => item.camera.id);
  const choose = (point) => (event) => {
    event.stopPropagation();
    const ids = new Set(near(point));
    const same = only.value && ids.size === only.value.size && [...ids].every((id) => only.value.has(id));
    only.value = same ? null : ids;
  };
  const last = plan.points.find(({ item }) => item.camera.id === hot.value);
  // The one pointed at is drawn last: over its neighbours.
  const points = last ? [...plan.points.filter((point) => point !== last), last] : plan.points;
  return html`<figure class="plan">
    <svg viewBox=${`0 0 ${SIZE} ${SIZE}`} role="img" aria-label=${t("find.plan")} onClick=${() => (only.value = null)}>
      ${rings(plan.metres).map((metres) => html`<g key=${metres}>
        <circle class="ring" cx=${SIZE / 2} cy=${SIZE / 2} r=${metres * plan.scale} />
        <text class="distance" x=${SIZE / 2 + 4} y=${SIZE / 2 + metres * plan.scale - 4}>${distanceText(metres)}</text>
      </g>`)}
      <path class="north" d="M${SIZE - 22} 34V10m-6 8l6-8l6 8" /><text class="north" x=${SIZE - 22} y="48">${t("find.direction_n")}</text>
      ${place && html`<path class="centre" d=${`M${SIZE / 2 - 8} ${SIZE / 2}h16m-8-8v16`} />`}
      ${points.map((point) => html`<${Dot} key=${point.item.camera.id} point=${point} choose=${choose(point)} />`)}
      ${last && html`<${Label} point=${last} />`}
    </svg>
    <figcaption class="legend">
      ${["full", "part", "none"].map((kind) => html`<span class="sign" key=${kind}><svg viewBox="-7 -7 14 14"><${Mark} kind=${kind} /></svg>
        ${t(`find.plan_${kind}`)}</span>`)}
      ${plan.unplaced > 0 && html`<span>${t("find.unplaced", { n: plan.unplaced })}</span>`}
    </figcaption>
  </figure>`;
}

function Dot({ point, choose }) {
  const { item, x, y } = point;
  const { camera } = item;
  const classes = ["dot", amount(item), hot.value === camera.id && "hot", isTicked(camera.id) && "ticked", only.value && !only.value.has(camera.id) && "out"];
  return html`<g class=${classes.filter(Boolean).join(" ")} transform=${`translate(${x.toFixed(1)} ${y.toFixed(1)})`} onClick=${choose}
    onMouseEnter=${() => (hot.value = camera.id)} onMouseLeave=${() => (hot.value = null)}>
    ${typeof camera.bearing === "number" && html`<path class="wedge" d=${wedge(camera.bearing, camera.fov || FOV)} />`}
    <circle class="reach" r="12" /><${Mark} kind=${amount(item)} />
  </g>`;
}

/** Full, half and crossed: told without colour too. */
function Mark({ kind }) {
  return html`<g class="mark ${kind}"><circle r="5" />
    ${kind === "part" && html`<path class="half" d="M0-5A5 5 0 0 1 0 5z" />`}
    ${kind === "none" && html`<path class="cross" d="M-2.5-2.5l5 5m0-5l-5 5" />`}</g>`;
}

function Label({ point }) {
  const { camera, coverage } = point.item;
  const text = `${camera.code} · ${percent(coverage)} %`;
  const left = point.x > SIZE * 0.6;
  return html`<g class="label" transform=${`translate(${point.x + (left ? -12 : 12)} ${point.y})`}>
    <text text-anchor=${left ? "end" : "start"} y="-6">${text}</text>
    <text class="soft" text-anchor=${left ? "end" : "start"} y="9">${short(cameraName(camera))}</text>
  </g>`;
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
