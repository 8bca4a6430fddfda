// Where a time axis has its ticks, from months down to seconds, in the site's zone. Pure.
import { DAY, dateText, HOUR, instant, MINUTE, offsetAt, SECOND, timeText, wall } from "./time.js";

/** From fine to coarse: [step in ms, label]. Days and months are steps of the calendar, not of a length. */
const LEVELS = [
  [SECOND, "second"],
  [5 * SECOND, "second"],
  [10 * SECOND, "second"],
  [30 * SECOND, "second"],
  [MINUTE, "minute"],
  [5 * MINUTE, "minute"],
  [10 * MINUTE, "minute"],
  [30 * MINUTE, "minute"],
  [HOUR, "minute"],
  [2 * HOUR, "minute"],
  [6 * HOUR, "minute"],
  [DAY, "day"],
  [7 * DAY, "day"],
  [30 * DAY, "month"],
];

const ROOM_PX = { second: 74, minute: 58, day: 64, month: 70 };

/** The finest level whose labels have room at that scale. */
export function level(msPerPx) {
  return LEVELS.find(([step, kind]) => step / msPerPx >= ROOM_PX[kind]) ?? LEVELS.at(-1);
}

/** Ticks in [from, to): {at, label, day}; `day` marks the start of a day or month, which is drawn stronger. */
export function ticks(from, to, msPerPx) {
  const [step, kind] = level(msPerPx);
  if (kind === "month") return calendar(from, to, (y, m) => instant(y, m + 1, 1), month);
  if (kind === "day") return calendar(from, to, (y, m, d) => instant(y, m, d + step / DAY), day);
  const found = [];
  // Aligned to the zone's wall clock: 06:00 there, whatever it is in UTC.
  let at = Math.ceil((from + offsetAt(from)) / step) * step - offsetAt(from);
  for (; at < to; at += step) {
    const midnight = (at + offsetAt(at)) % DAY === 0;
    const label = midnight ? day(at) : timeText(at, { seconds: kind === "second" });
    found.push({ at, label, day: midnight });
  }
  return found;
}

function calendar(from, to, next, label) {
  const found = [];
  const start = wall(from);
  let at = instant(start.getUTCFullYear(), start.getUTCMonth() + 1, label === month ? 1 : start.getUTCDate());
  while (at < to) {
    if (at >= from) found.push({ at, label: label(at), day: true });
    const w = wall(at);
    at = next(w.getUTCFullYear(), w.getUTCMonth() + 1, w.getUTCDate());
  }
  return found;
}

const day = (at) => dateText(at).slice(0, 5);
const month = (at) => dateText(at).slice(3);
