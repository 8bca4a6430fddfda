// The form of a search: where, when, and under "more" what kind of camera. What is wrong is said at the field.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { TimeField } from "./dialog.js";
import { distanceText, RADII, radiusFor } from "./find_geo.js";
import { findPlaces, PlaceField, placeName } from "./find_place.js";
import { FILTERS, readTimes, sound, timesOf, typedOf } from "./find_query.js";
import { busy, problem, start } from "./find_search.js";
import { Field } from "./form.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { kinds, kindText, loadKinds } from "./owner_kinds.js";
import { serverNow } from "./site.js";
import { DAY, HOUR, instant, MINUTE, wall, zoneWords } from "./time.js";

/** A place's neighbours are wanted too: the camera of the shop across the road. */
const AROUND_M = 300;
const COVERS = ["entrance", "exit", "road_side", "public_area"];
/** How the API names a field that the form has under another name. */
const API_FIELDS = { near: "place", radius_m: "place", bbox: "place" };
const NOTHING_WRONG = { place: "", day: "", from: "", to: "" };

/** What stands in the fields; kept as typed. */
const typed = signal(null);
/** The place that was chosen for what stands in the place's field, or null: then the text is looked up. */
const chosen = signal(null);
const wrong = signal(NOTHING_WRONG);
const looking = signal(false);
/** The fields under "more" are shown. */
const unfolded = signal(false);

const none = Object.fromEntries(FILTERS.map((name) => [name, ""]));

/** Fills the form from a search, or for a first visit: everywhere, the last hour. */
export function fill(wanted) {
  const to = Math.floor(serverNow() / MINUTE) * MINUTE;
  typed.value = typedOf(wanted ?? { place: null, radius: 300, from: to - HOUR, to, ...none });
  chosen.value = wanted?.place ?? null;
  wrong.value = NOTHING_WRONG;
  if (FILTERS.some((name) => typed.value[name])) unfolded.value = true;
}

function set(name, value) {
  typed.value = { ...typed.value, [name]: value };
  if (name in wrong.value) wrong.value = { ...wrong.value, [name]: "" };
  problem.value = null;
}

function choose(place) {
  const name = placeName(place);
  typed.value = { ...typed.value, place: name, radius: radiusFor(Math.max(AROUND_M, place.radius_m ?? 0)) };
  chosen.value = { lat: place.lat, lon: place.lon, name };
  wrong.value = { ...wrong.value, place: "" };
}

/** Looks up a place that was typed but not chosen; false where there is none, which is then said. */
async function settlePlace() {
  const text = typed.value.place.trim();
  if (!text) chosen.value = null;
  if (!text || chosen.value) return true;
  looking.value = true;
  try {
    const [best] = (await findPlaces(text, 1)).filter((place) => typeof place.lat === "number");
    if (best) choose(best);
    else wrong.value = { ...wrong.value, place: t("find.place_wrong") };
    return Boolean(best);
  } catch (error) {
    wrong.value = { ...wrong.value, place: error.message };
    return false;
  } finally {
    looking.value = false;
  }
}

async function submit() {
  const times = readTimes(typed.value, serverNow());
  wrong.value = { ...NOTHING_WRONG, ...times.wrong };
  const placed = await settlePlace();
  if (!placed || !sound(times.wrong)) {
    document.querySelector(".find-form [aria-invalid=true]")?.focus();
    return;
  }
  const filters = Object.fromEntries(FILTERS.map((name) => [name, typed.value[name].trim()]));
  typed.value = { ...typed.value, ...timesOf(times.from, times.to) };
  await start({ place: chosen.value, radius: typed.value.radius, from: times.from, to: times.to, ...filters });
}

/** What the server found wrong, at the field it names. */
const refused = (name) => {
  const field = problem.value?.body?.field;
  return field && (API_FIELDS[field] ?? field) === name ? problem.value.message : "";
};

/** True for a problem that the form itself says. */
export const saidInForm = (error) => [...Object.keys(NOTHING_WRONG), ...FILTERS].includes(API_FIELDS[error.body?.field] ?? error.body?.field);

export function Form() {
  const values = typed.value;
  useEffect(() => {
    loadKinds();
  }, []);
  const said = (name) => wrong.value[name] || refused(name);
  const times = (from, to) => () => (typed.value = { ...typed.value, ...timesOf(from, to) });
  const now = serverNow();
  const minute = Math.floor(now / MINUTE) * MINUTE;
  const today = wall(now);
  const midnight = instant(today.getUTCFullYear(), today.getUTCMonth() + 1, today.getUTCDate());
  const sent = (event) => {
    event.preventDefault();
    if (!busy.value && !looking.value) submit();
  };
  return html`<form class="find-form" role="search" aria-label=${t("find.title")} onSubmit=${sent} novalidate>
    <div class="fields">
      <${PlaceField} value=${values.place} wrong=${said("place")} choose=${choose}
        type=${(text) => ((chosen.value = null), set("place", text))} />
      <${Field} id="find-radius" class="radius" as="select" label=${t("find.radius")} value=${String(values.radius)}
        disabled=${!values.place.trim()} onInput=${(value) => set("radius", Number(value))}>
        ${RADII.map((metres) => html`<option key=${metres} value=${String(metres)}>${distanceText(metres)}</option>`)}
      <//>
      <${TimeField} id="find-day" label=${t("find.day", { zone: zoneWords() })} value=${values.day} wrong=${said("day")}
        onInput=${(value) => set("day", value)} />
      <${TimeField} id="find-from" label=${t("timeline.from")} value=${values.from} wrong=${said("from")} onInput=${(value) => set("from", value)} />
      <${TimeField} id="find-to" label=${t("timeline.to")} value=${values.to} wrong=${said("to")} onInput=${(value) => set("to", value)} />
      <button type="submit" class="button primary go" aria-busy=${String(busy.value || looking.value)}>
        <${Icon} name="search" />${t("find.go")}</button>
    </div>
    <div class="under">
      <span class="presets" role="group" aria-label=${t("find.presets")}>
        <button type="button" class="button plain" onClick=${times(minute - HOUR / 4, minute)}>${t("find.quarter")}</button>
        <button type="button" class="button plain" onClick=${times(minute - HOUR, minute)}>${t("find.hour")}</button>
        <button type="button" class="button plain" onClick=${times(midnight, Math.max(minute, midnight + MINUTE))}>${t("find.today")}</button>
        <button type="button" class="button plain" onClick=${times(midnight - DAY, midnight)}>${t("find.yesterday")}</button>
      </span>
      <button type="button" class="button plain fold" aria-expanded=${String(unfolded.value)} aria-controls="find-more"
        onClick=${() => (unfolded.value = !unfolded.value)}><${Icon} name=${unfolded.value ? "minus" : "plus"} />${t("find.filters")}</button>
    </div>
    ${unfolded.value && html`<${More} values=${values} said=${refused} />`}
  </form>`;
}

function More({ values, said }) {
  const choice = (name, word, options) => html`<${Field} id=${`find-${name}`} as="select" label=${word} value=${values[name]} wrong=${said(name)}
    onInput=${(value) => set(name, value)}><option value="">${t("find.any")}</option>
    ${options.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}<//>`;
  return html`<div class="fields more" id="find-more">
    ${choice("kind", t("facts.kind"), kinds.value.map((kind) => [kind.key, kindText(kind.key)]))}
    ${choice("covers", t("facts.covers"), COVERS.map((key) => [key, t(`covers.${key}`)]))}
    <${Field} id="find-station" label=${t("facts.station")} value=${values.station} wrong=${said("station")} maxlength="200"
      onInput=${(value) => set("station", value)} />
    <${Field} id="find-text" label=${t("find.text")} value=${values.text} wrong=${said("text")} maxlength="200"
      onInput=${(value) => set("text", value)} />
  </div>`;
}
