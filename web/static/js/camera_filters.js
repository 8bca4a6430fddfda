// Above the list of cameras: what can be done, and what narrows it.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { address, get } from "./api.js";
import { ask, setView, STATES, view, wanted } from "./cameras_data.js";
import { Icon } from "./icons.js";
import { language, number, t } from "./i18n.js";
import { kinds, kindText } from "./owner_kinds.js";
import { IconButton } from "./signs.js";
import { status } from "./site.js";

const TYPING_MS = 250;
const STATIONS_SHOWN = 20;

/** `open(name)`: add | import | sites. */
export function Tools({ open }) {
  return html`<span class="tools" role="group" aria-label=${t("cameras.tools")}>
    <button type="button" class="button" onClick=${() => open("sites")}><${Icon} name="place" /><span class="word">${t("sites.title")}</span></button>
    <${Export} />
    <button type="button" class="button" onClick=${() => open("import")}><${Icon} name="upload" /><span class="word">${t("import.open")}</span></button>
    <button type="button" class="button primary" onClick=${() => open("add")}><${Icon} name="plus" />${t("cameras.add")}</button>
  </span>`;
}

function Export() {
  const details = useRef(null);
  useEffect(() => {
    const away = (event) => {
      const gone = event.type === "keydown" ? event.key === "Escape" : !details.current?.contains(event.target);
      if (gone && details.current) details.current.open = false;
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", away);
    };
  }, []);
  const shut = () => (details.current.open = false);
  return html`<details class="menu" ref=${details}>
    <summary class="button"><${Icon} name="download" /><span class="word">${t("cameras.export")}</span></summary>
    <div class="popover">${["xlsx", "csv"].map((format) => html`<a key=${format} class="row" download onClick=${shut}
      href=${address("/api/v1/cameras/export", { format, language: language.value })}>${t(`cameras.export_${format}`)}</a>`)}
      <p class="row note">${t("cameras.export_note")}</p></div>
  </details>`;
}

export function Filters() {
  return html`<div class="bar filters" role="group" aria-label=${t("cameras.filter")}>
    <${States} />
    <${Kind} />
    <${Station} />
    <button type="button" class="button" aria-pressed=${String(Boolean(wanted.value.troubles))}
      onClick=${() => ask({ troubles: wanted.value.troubles ? "" : "true" })}><${Icon} name="alert" />${t("cameras.troubles")}</button>
    <button type="button" class="button" aria-pressed=${String(Boolean(wanted.value.archived))}
      onClick=${() => ask({ archived: wanted.value.archived ? "" : "true", state: "" })}>${t("cameras.archived")}</button>
    ${wanted.value.site && html`<span class="chip">${t("cameras.at_site", { name: wanted.value.site })}
      <${IconButton} icon="close" label=${t("cameras.every_site")} onClick=${() => ask({ site: "" })} /></span>`}
    <span class="spring"></span>
    <span class="segmented" role="group" aria-label=${t("cameras.view")}>
      <${IconButton} class="" icon="grid" label=${t("cameras.grid")} pressed=${view.value === "grid"} onClick=${() => setView("grid")} />
      <${IconButton} class="" icon="list" label=${t("cameras.list")} pressed=${view.value === "list"} onClick=${() => setView("list")} />
    </span>
  </div>`;
}

function States() {
  const counts = status.value?.cameras;
  const count = { ...counts, "": counts?.total };
  const chip = (name, word) => html`<button type="button" class="button" aria-pressed=${String(wanted.value.state === name)}
    onClick=${() => ask({ state: name, archived: "" })}>
    ${word}${count[name] !== undefined && html`<span class="count">${number(count[name])}</span>`}
  </button>`;
  return html`<div class="states" role="group" aria-label=${t("cameras.by_state")}>
    ${chip("", t("cameras.all"))} ${STATES.map((name) => html`<span key=${name}>${chip(name, t(`cameras.${name}`))}</span>`)}
  </div>`;
}

function Kind() {
  const chosen = wanted.value.kind;
  const known = kinds.value.map((kind) => [kind.key, language.value === "hi" ? kind.name_hi : kind.name]);
  const other = chosen && !known.some(([key]) => key === chosen) ? [[chosen, kindText(chosen)]] : [];
  return html`<select class="input" aria-label=${t("column.kind")} value=${chosen} onChange=${(event) => ask({ kind: event.target.value })}>
    <option value="">${t("cameras.any_kind")}</option>
    ${[...known, ...other].map(([key, word]) => html`<option key=${key} value=${key} selected=${key === chosen}>${word}</option>`)}
  </select>`;
}

/** A police station, by a part of its name. */
function Station() {
  const text = useSignal(wanted.value.station);
  const found = useSignal([]);
  const shown = wanted.value.station;
  useEffect(() => {
    text.value = shown;
  }, [shown]);
  useEffect(() => {
    const words = text.value.trim();
    if (!words || words === shown) return undefined;
    const asking = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await get("places", { text: words, limit: STATIONS_SHOWN }, { signal: asking.signal });
        found.value = answer.items.filter((one) => one.kind === "station");
      } catch {
        if (!asking.signal.aborted) found.value = []; // the name can be typed without suggestions
      }
      if (found.value.some((one) => one.name === words)) ask({ station: words });
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [text.value]);
  const typed = (value) => {
    text.value = value;
    if (!value.trim() && shown) ask({ station: "" });
    else if (found.value.some((one) => one.name === value)) ask({ station: value });
  };
  return html`<span class="station"><input class="input" type="search" list="stations" placeholder=${t("form.station")} aria-label=${t("form.station")}
    value=${text.value} onInput=${(event) => typed(event.target.value)} onChange=${(event) => ask({ station: event.target.value.trim() })} />
    <datalist id="stations">${found.value.map((one) => html`<option key=${one.name} value=${one.name}>${one.name_hi}</option>`)}</datalist></span>`;
}
