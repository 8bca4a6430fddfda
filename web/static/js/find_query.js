// A search as it is typed, as the address has it, and as the API wants it. No markup.
import { t } from "./i18n.js";
import { RADII } from "./find_geo.js";
import { dateText, DAY, HOUR, MINUTE, parseTyped, query, read, timeText } from "./time.js";

/** What narrows a search beside place and time; the API's own names. */
export const FILTERS = ["kind", "covers", "station", "text"];
const RADIUS_M = 300;
/** A camera's own place is often what a link names: its neighbours are meant. */
const LINK_HOUR = HOUR;

/**
 * A search: {place: {lat, lon, name}|null, radius (m), from, to (ms), kind, covers, station, text}. Null where the address has
 * no window.
 */
export function readAddress(search) {
  const asked = new URLSearchParams(search);
  const [from, to] = [read(asked.get("from")), read(asked.get("to"))];
  if (!(to > from)) return null;
  const filters = Object.fromEntries(FILTERS.map((name) => [name, asked.get(name) ?? ""]));
  return { place: placeOf(asked), radius: radiusOf(asked), from, to, ...filters };
}

/** Where a link without a time begins: the place it names and the last hour. Null where it names none. */
export function readPlace(search, now) {
  const asked = new URLSearchParams(search);
  const place = placeOf(asked);
  if (!place) return null;
  const to = Math.floor(now / MINUTE) * MINUTE;
  const filters = Object.fromEntries(FILTERS.map((name) => [name, ""]));
  return { place, radius: radiusOf(asked), from: to - LINK_HOUR, to, ...filters };
}

function placeOf(asked) {
  const [lat, lon] = (asked.get("near") ?? "").split(",").map(Number);
  if (!asked.get("near") || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180)) return null;
  return { lat, lon, name: asked.get("place") || coordinates({ lat, lon }) };
}

function radiusOf(asked) {
  const metres = Number(asked.get("radius"));
  return RADII.includes(metres) ? metres : RADIUS_M;
}

export const coordinates = ({ lat, lon }) => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

const plain = (ms) => query(ms).replace(".000Z", "Z");
const near = ({ lat, lon }) => `${lat},${lon}`;

/** The address of a search: "?near=26.45,80.33&...", sent on as it is. `more` {play, at} for what is being watched. */
export function writeAddress(search, more = {}) {
  const made = new URLSearchParams();
  const set = (name, value) => value !== "" && value !== null && value !== undefined && made.set(name, value);
  if (search.place) {
    set("near", near(search.place));
    set("place", search.place.name);
    set("radius", search.radius);
  }
  set("from", plain(search.from));
  set("to", plain(search.to));
  for (const name of FILTERS) set(name, search[name]);
  for (const [name, value] of Object.entries(more)) set(name, value);
  // Commas and colons stay as they are: people read these links.
  return `?${made.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}

/** What GET /api/v1/footage/search is asked. */
export function apiQuery(search) {
  const where = search.place ? { near: near(search.place), radius_m: search.radius } : {};
  return { from: query(search.from), to: query(search.to), ...where, ...Object.fromEntries(FILTERS.map((name) => [name, search[name]])) };
}

/** A search as the form shows it. */
export function typedOf(search) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, search[name]]));
  return { place: search.place?.name ?? "", radius: search.radius, ...timesOf(search.from, search.to), ...filters };
}

/** A window as it would be typed: a day, and two times of it; an end on another day has its date. */
export function timesOf(from, to) {
  const day = dateText(from);
  const clock = (ms) => timeText(ms, { seconds: ms % MINUTE !== 0 });
  // Up to the same time of the next day an end without a date is understood.
  const end = dateText(to) === day || to - from <= DAY - MINUTE ? clock(to) : `${dateText(to)} ${clock(to)}`;
  return { day, from: clock(from), to: end };
}

/** "9" is nine o'clock. */
const hour = (text) => (/^\d{1,2}$/.test(text.trim()) ? `${text.trim()}:00` : text);

/**
 * The window that was typed: {from, to} in ms, and what is wrong {day, from, to}, "" where nothing is. An end at or before the
 * start is of the next day.
 */
export function readTimes({ day, from, to }, now) {
  const wrong = { day: "", from: "", to: "" };
  const date = day.trim() === "" ? now : parseTyped(day, now);
  if (date === null || /:/.test(day)) wrong.day = t("find.day_wrong");
  const base = date ?? now;
  const start = parseTyped(hour(from), base);
  if (start === null) wrong.from = t("find.time_wrong");
  else if (start >= now) wrong[wrong.day ? "from" : dateText(start) > dateText(now) ? "day" : "from"] = t("goto.future");
  let end = parseTyped(hour(to), start ?? base);
  if (end === null) wrong.to = t("find.time_wrong");
  else if (start !== null && end <= start) {
    if (/[/-]/.test(to)) wrong.to = t("clip.order");
    else end = parseTyped(`${dateText(start + DAY)} ${hour(to)}`, start) ?? end;
  }
  return { from: start, to: end, wrong };
}

export const sound = (wrong) => !Object.values(wrong).some(Boolean);
