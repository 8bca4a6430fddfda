// Wall time for people: milliseconds since 1970 (UTC) in and out, shown in the site's zone, DD/MM/YYYY and 24 hours.
import { language, t } from "./i18n.js";

export const zone = document.body.dataset.timezone || "Asia/Kolkata";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const fields = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone,
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

const offsets = new Map();

/** The zone's distance from UTC at that instant, in ms (positive east). Zones change on quarter hours at most. */
export function offsetAt(ms) {
  const quarter = Math.floor(ms / (15 * MINUTE));
  let offset = offsets.get(quarter);
  if (offset === undefined) {
    const at = quarter * 15 * MINUTE;
    const part = Object.fromEntries(fields.formatToParts(at).map((p) => [p.type, Number(p.value)]));
    offset = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - at;
    if (offsets.size > 5000) offsets.clear();
    offsets.set(quarter, offset);
  }
  return offset;
}

/** The instant as a Date whose UTC fields read the zone's wall clock. */
export function wall(ms) {
  return new Date(ms + offsetAt(ms));
}

/** The instant at which the zone's wall clock reads these fields (month 1 to 12; days and hours may overflow). */
export function instant(year, month, day, hour = 0, minute = 0, second = 0, ms = 0) {
  const naive = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  const guess = naive - offsetAt(naive);
  return naive - offsetAt(guess);
}

const two = (n) => String(n).padStart(2, "0");

export function dateText(ms) {
  const w = wall(ms);
  return `${two(w.getUTCDate())}/${two(w.getUTCMonth() + 1)}/${w.getUTCFullYear()}`;
}

export function timeText(ms, { seconds = true, millis = false } = {}) {
  const w = wall(ms);
  let text = `${two(w.getUTCHours())}:${two(w.getUTCMinutes())}`;
  if (seconds || millis) text += `:${two(w.getUTCSeconds())}`;
  if (millis) text += `.${String(w.getUTCMilliseconds()).padStart(3, "0")}`;
  return text;
}

export const dateTimeText = (ms, options) => `${dateText(ms)} ${timeText(ms, options)}`;

/** For file names: 20261122-213000 in the site's zone. */
export function stampText(ms) {
  const w = wall(ms);
  return (
    `${w.getUTCFullYear()}${two(w.getUTCMonth() + 1)}${two(w.getUTCDate())}` +
    `-${two(w.getUTCHours())}${two(w.getUTCMinutes())}${two(w.getUTCSeconds())}`
  );
}

/** "IST", or the zone's short name elsewhere. */
export const zoneName =
  zone === "Asia/Kolkata"
    ? "IST"
    : new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" })
        .formatToParts(Date.now())
        .find((part) => part.type === "timeZoneName").value;

/** The zone in words where a form or a column names it. */
export const zoneWords = () => (language.value === "hi" && zoneName === "IST" ? "भारतीय मानक समय" : zoneName);

/** RFC 3339 in UTC, for queries: no plus sign to escape. */
export const query = (ms) => new Date(ms).toISOString();

/** Milliseconds of an RFC 3339 text of the API, or null. */
export const read = (text) => (text ? Date.parse(text) : null);

/** "4 min 12 s": the two largest units. */
export function spanText(ms) {
  const s = Math.max(0, Math.round(ms / SECOND));
  const parts = [
    [Math.floor(s / 86400), "unit.d"],
    [Math.floor((s % 86400) / 3600), "unit.h"],
    [Math.floor((s % 3600) / 60), "unit.min"],
    [s % 60, "unit.s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return t("unit.s", { n: 0 });
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, key]) => t(key, { n }))
    .join(" ");
}

/** "12 min ago": one unit; goes only beside the exact time. */
export function ageText(ms) {
  if (ms < 5 * SECOND) return t("age.now");
  const unit = [
    [DAY, "unit.d"],
    [HOUR, "unit.h"],
    [MINUTE, "unit.min"],
    [SECOND, "unit.s"],
  ].find(([size]) => ms >= size);
  return t("age.ago", { span: t(unit[1], { n: Math.floor(ms / unit[0]) }) });
}

const DATE = /^(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?$/;
const TIME = /^(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,3}))?)?$/;

/**
 * What a person typed, as an instant: "22/11/2026 21:00:05", "22/11 21:00", "21:00", "22/11/2026". What is missing is taken
 * from `near` (day) or is zero (time). Null where it is not a time, or not one that exists (31/02).
 */
export function parseTyped(text, near) {
  const base = wall(near);
  let [year, month, day] = [base.getUTCFullYear(), base.getUTCMonth() + 1, base.getUTCDate()];
  let clock = [0, 0, 0, 0];
  const words = text.trim().replace(/,/g, " ").split(/\s+/);
  if (words.length > 2 || words[0] === "") return null;
  for (const [place, word] of words.entries()) {
    const date = DATE.exec(word);
    const time = TIME.exec(word);
    if (time && (place === words.length - 1)) {
      clock = [Number(time[1]), Number(time[2]), Number(time[3] ?? 0), Number((time[4] ?? "0").padEnd(3, "0"))];
    } else if (date && place === 0) {
      [day, month] = [Number(date[1]), Number(date[2])];
      if (date[3]) year = Number(date[3]) + (date[3].length === 2 ? 2000 : 0);
    } else return null;
  }
  const real = new Date(Date.UTC(year, month - 1, day));
  if (real.getUTCMonth() !== month - 1 || real.getUTCDate() !== day) return null;
  if (clock[0] > 23 || clock[1] > 59 || clock[2] > 59) return null;
  return instant(year, month, day, ...clock);
}
