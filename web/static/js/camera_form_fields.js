// What the camera's form begins with, and what it says as the API takes it. Pure: no page, no network.
import { language, t } from "./i18n.js";
import { saidText } from "./import_words.js";
import { zone } from "./time.js";

/** Free texts of a camera, all of at most this many characters. */
const MAX_TEXT = 200;
export const TEXTS = [
  ...["code", "name", "name_hi", "owner_kind", "owner", "contact", "site", "station", "ward", "zone", "address"],
  ...["make", "model", "serial", "mac", "firmware", "legal_basis", "url", "audio"],
];
const NUMBERS = { lat: [-90, 90], lon: [-180, 180], bearing: [0, 360], fov: [0, 360] };
export const COVERS = ["entrance", "exit", "road_side", "public_area"];
export const AUDIO = ["auto", "copy", "aac", "off"];
/** Fields at which the form can say what the server found wrong. */
export const FIELDS = [...TEXTS, ...Object.keys(NUMBERS), "covers", "tags", "enabled", "credentials", "place_since", "by"];

const CODE = /^[A-Za-z0-9._-]{1,64}$/;
const MAC = /^([0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5})?$/;
const RTSP = /^rtsps?:\/\/[^/?#\s]+/i;

/** Everything as text, as it is typed. `camera` null: a new one. */
export function start(camera) {
  const text = (value) => (value === null || value === undefined ? "" : String(value));
  return {
    ...Object.fromEntries([...TEXTS, ...Object.keys(NUMBERS)].map((name) => [name, text(camera?.[name])])),
    audio: camera?.audio ?? "auto",
    covers: camera?.covers ?? [],
    tags: (camera?.tags ?? []).join(", "),
    enabled: camera?.enabled ?? true,
    login: camera ? (camera.has_credentials ? "keep" : "none") : "replace",
    username: "",
    password: "",
    moved: "now", // now | always | at
    moved_at: "",
  };
}

/** The host and port that a stream's address names, in lower case; "" where there is none. */
export function hostOf(url) {
  const authority = /^rtsps?:\/\/([^/?#]*)/i.exec(url.trim())?.[1] ?? "";
  return authority.slice(authority.lastIndexOf("@") + 1).toLowerCase();
}

const hasLogin = (url) => /^rtsps?:\/\/[^/?#]*@/i.test(url.trim());

/** [lat, lon] of a pasted "26.4499, 80.3319" (or with a blank, or °N °E); null where the text is no pair. */
export function pairOf(text) {
  const found = /^\s*([+-]?\d{1,3}(?:\.\d+)?)\s*°?\s*N?\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*°?\s*E?\s*$/i.exec(text);
  return found ? [found[1], found[2]] : null;
}

/** Around where the city's cameras stand: the middle one of those that have a place; null without any. */
export function middleOf(places) {
  const known = places.filter((one) => typeof one.lat === "number" && typeof one.lon === "number");
  if (!known.length) return null;
  const middle = (name) => known.map((one) => one[name]).sort((a, b) => a - b)[Math.floor(known.length / 2)];
  return { lat: middle("lat"), lon: middle("lon") };
}

/** Latitude and longitude were probably exchanged: the other way round they fit the city (without one, India on its clock). */
export function looksSwapped(lat, lon, around) {
  if (lat === null || lon === null) return false;
  const near = (a, b) => (around ? Math.abs(a - around.lat) < 2 && Math.abs(b - around.lon) < 2 : a > 6 && a < 38 && b > 67 && b < 98);
  if (!around && zone !== "Asia/Kolkata") return false;
  return !near(lat, lon) && near(lon, lat);
}

/** What changed of where it stands; a camera without a place before has it "always". */
export const placeChanged = (camera, fields) =>
  camera !== null && camera.lat !== null && ["lat", "lon", "bearing"].some((name) => fields[name] !== camera[name]);

/** {fields, wrong}: the camera as the API takes it, and {field: text} of what cannot be. `readTime(text)`: ms or null. */
export function parse(form, camera, readTime) {
  const wrong = {};
  const fields = Object.fromEntries(TEXTS.map((name) => [name, form[name].trim()]));
  for (const name of TEXTS) if (name !== "url" && fields[name].length > MAX_TEXT) wrong[name] = t("form.too_long", { n: MAX_TEXT });
  if (!fields.code) wrong.code = t("form.code_missing");
  else if (!CODE.test(fields.code)) wrong.code = t("form.code_wrong");
  if (!MAC.test(fields.mac)) wrong.mac = t("form.mac_wrong");
  for (const [name, [least, most]] of Object.entries(NUMBERS)) fields[name] = numberOf(form[name], name, least, most, wrong);
  checkPair(fields, wrong);
  fields.covers = COVERS.filter((one) => form.covers.includes(one));
  fields.tags = [...new Set(form.tags.split(/[,،;]/).map((tag) => tag.trim()).filter(Boolean))];
  fields.enabled = form.enabled;
  readLogin(form, camera, fields, wrong);
  if (placeChanged(camera, fields) && form.moved !== "now") {
    const at = form.moved === "always" ? 0 : readTime(form.moved_at);
    if (at === null) wrong.place_since = t("goto.wrong");
    else fields.place_since = new Date(at).toISOString();
  }
  return { fields, wrong };
}

function numberOf(text, name, least, most, wrong) {
  const typed = text.trim().replace(",", ".").replace(/\s*°\s*[NE]?$/i, "");
  if (!typed) return null;
  const value = Number(typed);
  const open = name === "bearing" ? value >= most : name === "fov" && value <= least;
  if (!/^[+-]?\d+(\.\d*)?$/.test(typed) || value < least || value > most || open) wrong[name] = t("form.degrees", { from: least, to: most });
  return value;
}

function checkPair({ lat, lon }, wrong) {
  if ((lat === null) !== (lon === null) && !wrong.lat && !wrong.lon) wrong[lat === null ? "lat" : "lon"] = t("form.pair_missing");
}

function readLogin(form, camera, fields, wrong) {
  const url = fields.url;
  if (!url) wrong.url = t("form.url_missing");
  else if (!RTSP.test(url)) wrong.url = t("form.url_wrong");
  if (form.login === "replace" && (form.username || form.password)) {
    if (!form.username) wrong.credentials = t("form.user_missing");
    else if (hasLogin(url)) wrong.credentials = t("form.login_twice");
    else fields.credentials = { username: form.username, password: form.password };
  } else if (form.login === "replace" && camera && !hasLogin(url)) wrong.credentials = t("form.user_missing");
  if (form.login === "forget") fields.credentials = null;
  const elsewhere = camera !== null && form.login === "keep" && !hasLogin(url) && hostOf(url) !== hostOf(camera.url);
  if (elsewhere && !wrong.url) wrong.credentials = t("form.login_again");
}

/** Of `fields`, those that differ from the camera's: what a PATCH carries. */
export function changesOf(fields, camera) {
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => name === "credentials" || name === "place_since" || !same(value, camera[name])),
  );
}

/** What the server refused, in the viewer's language as far as it is known; else its own words stay readable. */
export function refusal(problem) {
  if (language.value === "en") return problem.message;
  if (problem.status === 409 && problem.body?.field === "code") return `${t("form.code_taken")} (${problem.message})`;
  const said = saidText(problem.message);
  return said === problem.message ? `${t("form.refused")} (${said})` : said;
}

/** What a site gives to a camera that has nothing there yet. */
const FROM_SITE = ["station", "ward", "zone", "address", "owner", "contact", "owner_kind"];
export function withSite(form, site) {
  const filled = { ...form, site: site.name };
  for (const name of FROM_SITE) if (!form[name].trim() && site[name]) filled[name] = site[name];
  if (!form.lat.trim() && !form.lon.trim() && typeof site.lat === "number") {
    filled.lat = String(site.lat);
    filled.lon = String(site.lon);
  }
  return filled;
}
