// Choosing a camera by typing a part of its name, code or place.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { cameraName, StatePill } from "./signs.js";

const TYPING_MS = 200;
const SHOWN = 12;

/** `choose(camera)`; `open` shows the list at once; `focus`: where a dialog begins. */
export function CameraPicker({ choose, open = false, focus = false, label }) {
  const text = useSignal("");
  const found = useSignal(null);
  const shown = useSignal(open);
  const active = useSignal(0);
  const root = useRef(null);

  useEffect(() => {
    if (!shown.value) return undefined;
    const asking = new AbortController();
    const timer = setTimeout(async () => {
      try {
        found.value = (await get("cameras", { text: text.value.trim(), limit: SHOWN }, { signal: asking.signal })).items;
        active.value = 0;
      } catch {
        if (!asking.signal.aborted) found.value = [];
      }
    }, found.value ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [text.value, shown.value]);

  const take = (camera) => {
    choose(camera);
    text.value = "";
    if (!open) shown.value = false;
  };
  const pressed = (event) => {
    const count = found.value?.length ?? 0;
    if (event.key === "ArrowDown" && count) active.value = (active.value + 1) % count;
    else if (event.key === "ArrowUp" && count) active.value = (active.value + count - 1) % count;
    else if (event.key === "Enter" && count) take(found.value[active.value]);
    else if (event.key === "Escape" && !open) shown.value = false;
    else return;
    event.preventDefault();
  };
  const left = (event) => open || root.current?.contains(event.relatedTarget) || (shown.value = false);

  return html`<div class="picker search" ref=${root} onFocusOut=${left}>
    <${Icon} name="search" />
    <input class="input" type="search" role="combobox" autofocus=${focus} aria-label=${label} placeholder=${label} autocomplete="off"
      aria-expanded=${String(shown.value)} aria-controls="picker-list" aria-activedescendant=${`picker-${active.value}`}
      value=${text.value} onFocus=${() => (shown.value = true)} onKeyDown=${pressed}
      onInput=${(event) => ((text.value = event.target.value), (shown.value = true))} />
    ${shown.value && found.value && html`<ul id="picker-list" role="listbox" class="found">
      ${found.value.map((camera, n) => html`<li id=${`picker-${n}`} role="option" key=${camera.id} aria-selected=${String(n === active.value)}
        onMouseDown=${(event) => (event.preventDefault(), take(camera))}>
        <span class="name"><b>${camera.code}</b> ${cameraName(camera)}</span>
        <${StatePill} state=${camera.state} cause=${camera.cause} />
      </li>`)}
      ${!found.value.length && html`<li class="note">${t("cameras.nothing")}</li>`}
    </ul>`}
  </div>`;
}
