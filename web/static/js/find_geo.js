// Places near each other: metres, directions, and the words for them. Pure; good to some kilometres, which is a city.
import { number, t } from "./i18n.js";

const METRES_A_DEGREE = 111_195;
const WINDS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];

/** Radii on offer, in metres. */
export const RADII = [100, 200, 300, 500, 1000, 2000, 5000];

/** {east, north} in metres from one {lat, lon} to another. */
export function offset(from, to) {
  const north = (to.lat - from.lat) * METRES_A_DEGREE;
  const east = (to.lon - from.lon) * METRES_A_DEGREE * Math.cos((((from.lat + to.lat) / 2) * Math.PI) / 180);
  return { east, north };
}

/** "ne": which of the eight directions `to` lies in, seen from `from`. */
export function direction(from, to) {
  const { east, north } = offset(from, to);
  const turn = Math.atan2(east, north) / (Math.PI / 4);
  return WINDS[(Math.round(turn) + 8) % 8];
}

export const directionText = (from, to) => t(`find.direction_${direction(from, to)}`);

/** "120 m", "1.4 km". */
export function distanceText(metres) {
  if (metres < 1000) return t("find.m", { n: number(metres) });
  const whole = metres >= 10_000 || Math.round(metres / 100) % 10 === 0;
  return t("find.km", { n: number(metres / 1000, whole ? 0 : 1) });
}

/** The smallest radius on offer that reaches so far; the largest where none does. */
export const radiusFor = (metres) => RADII.find((radius) => radius >= metres) ?? RADII.at(-1);

const ROUND = [1, 2, 5];

/** About `count` rings up to `metres`, at round distances. */
export function rings(metres, count = 3) {
  const rough = metres / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ROUND.map((n) => n * power).find((n) => n >= rough * 0.99) ?? 10 * power;
  return Array.from({ length: Math.floor(metres / step + 0.01) }, (_, n) => (n + 1) * step);
}

/** The middle of places, or null of none. */
export function middle(places) {
  if (!places.length) return null;
  const mean = (name) => places.reduce((sum, place) => sum + place[name], 0) / places.length;
  return { lat: mean("lat"), lon: mean("lon") };
}
