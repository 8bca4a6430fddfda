// The place of a search: typed, and chosen from what the registry knows (sites, stations, wards, cameras) or as coordinates.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api.js";
import { distanceText } from "./find_geo.js";
import { Icon } from "./icons.js";
import { known, language, t } from "./i18n.js";

const TYPING_MS = 180;
const SHOWN = 8;

/** Its name in the viewer's language. */
export const placeName = (place) => (language.value === "hi" && place.name_hi ? place.name_hi : place.name);

/** The places that a text may mean, the likeliest first. Throws a Problem. */
export async function findPlaces(text, limit = SHOWN, options) {
  return (await get("places", { text: text.trim(), limit }, options)).items;
}

/** `value` what is typed, `type(text)`, `choose(place)`; `wrong` said at the field. */
export function PlaceField({ value, wrong, type, choose }) {
  const found = useSignal(null);
  const open = useSignal(false);
  const active = useSignal(0);
  const root = useRef(null);

  useEffect(() => {
    if (!open.value || !value.trim()) {
      found.value = null;
      return undefined;
    }
    const asking = new AbortController();
    const timer = setTimeout(async () => {
      try {
        found.value = await findPlaces(value, SHOWN, { signal: asking.signal });
        active.value = 0;
      } catch {
        if (!asking.signal.aborted) found.value = null; // told when the search is asked for
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [value, open.value]);

  const take = (place) => {
    choose(place);
    open.value = false;
  };
  const list = open.value ? found.value : null;
  const pressed = (event) => {
    const count = list?.length ?? 0;
    if (event.key === "ArrowDown" && count) active.value = (active.value + 1) % count;
    else if (event.key === "ArrowUp" && count) active.value = (active.value + count - 1) % count;
    else if (event.key === "Enter" && count) take(list[active.value]);
    else if (event.key === "Escape" && list) open.value = false;
    else return;
    event.preventDefault();
  };
  const left = (event) => root.current?.contains(event.relatedTarget) || (open.value = false);

  return html`<div class="field place">
    <label for="find-place">${t("find.place")}</label>
    <div class="picker search" ref=${root} onFocusOut=${left}>
      <${Icon} name="place" />
      <input id="find-place" class="input" type="search" role="combobox" autocomplete="off" spellcheck=${false} maxlength="200"
        placeholder=${t("find.everywhere")} value=${value} aria-invalid=${String(Boolean(wrong))} aria-describedby="find-place-note"
        aria-expanded=${String(Boolean(list))} aria-controls="find-places" aria-activedescendant=${list ? `find-place-${active.value}` : undefined}
        onKeyDown=${pressed} onInput=${(event) => (type(event.target.value), (open.value = true))} />
      ${list && html`<ul id="find-places" role="listbox" class="found">
        ${list.map((place, n) => html`<li id=${`find-place-${n}`} role="option" key=${`${place.kind} ${place.name} ${n}`}
          aria-selected=${String(n === active.value)} onMouseDown=${(event) => (event.preventDefault(), take(place))}>
          <span class="name">${placeName(place)}</span><${About} place=${place} />
        </li>`)}
        ${!list.length && html`<li class="note">${t("find.no_place")}</li>`}
      </ul>`}
    </div>
    <span id="find-place-note" class=${wrong ? "wrong" : "note"} role=${wrong ? "alert" : undefined}>${wrong || t("find.place_note")}</span>
  </div>`;
}

/** "police station · 14 cameras · 300 m": what kind of place it is. */
function About({ place }) {
  const kind = known(`find.place_${place.kind}`) ? t(`find.place_${place.kind}`) : place.kind;
  const count = place.cameras ? t("find.cameras", { n: place.cameras }) : "";
  const reach = place.radius_m ? distanceText(place.radius_m) : "";
  return html`<span class="note">${[kind, count, reach].filter(Boolean).join(" · ")}</span>`;
}
