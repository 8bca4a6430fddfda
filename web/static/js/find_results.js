// What a search found: a row for each camera, ranked by the server.
import { html } from "htm/preact";
import { useRef } from "preact/hooks";
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { kindText } from "./owner_kinds.js";
import { directionText, distanceText } from "./find_geo.js";
import { found, hot, isTicked, more, busy, only, search, shown, tick, withFootage } from "./find_search.js";
import { clock, percent, reason, Strip } from "./find_words.js";
import { Icon } from "./icons.js";
import { known, t } from "./i18n.js";
import { cameraName, IconButton } from "./signs.js";
import { stillUrl } from "./still.js";
import { query, stampText } from "./time.js";

const coversText = (one) => (known(`covers.${one}`) ? t(`covers.${one}`) : one);

/** Review at that moment. */
const link = (camera, ms) => `/cameras/${camera.id}?at=${query(ms).replace(".000Z", "Z")}`;

/** Up and down move through the boxes; `play()` and `hold()` act on what is ticked. */
function keys(event, { play, hold }) {
  const row = event.target.closest("li");
  const go = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
  if (go) go.querySelector("input, button")?.focus();
  else if (event.target.matches("input") && /^[p]$/i.test(event.key)) play();
  else if (event.target.matches("input") && /^[h]$/i.test(event.key)) hold();
  else return;
  event.preventDefault();
}

/** `actions` {play(), hold(cameras), clip(camera)}. */
export function Results({ actions }) {
  const { total, next } = found.value;
  const list = useRef(null);
  useSignalEffect(() => {
    // Pointed at on the plan: brought into view, where the pointer is not in the list itself.
    const row = hot.value !== null && list.current?.querySelector(`[data-camera="${hot.value}"]`);
    if (row && !list.current.matches(":hover")) row.scrollIntoView({ block: "nearest" });
  });
  const rows = shown.value;
  return html`<div class="list">
    ${only.value && html`<p class="narrowed"><span>${t("find.narrowed", { n: rows.length })}</span>
      <button type="button" class="button plain" onClick=${() => (only.value = null)}>${t("find.all")}</button></p>`}
    <ol ref=${list} onKeyDown=${(event) => keys(event, { play: actions.play, hold: () => actions.hold() })}>
      ${rows.map((item) => html`<${Row} key=${item.camera.id} item=${item} actions=${actions} />`)}
    </ol>
    ${next && !only.value && !withFootage.value && html`<p class="more">
      <span class="note">${t("find.shown_of", { n: found.value.items.length, total })}</span>
      <button type="button" class="button" disabled=${busy.value} onClick=${more}>${t("find.more")}</button>
    </p>`}
  </div>`;
}

/** Drawn again only when something of its own changes: there may be thousands. */
function Row({ item, actions }) {
  const { camera } = item;
  const window = search.value;
  const pointed = useComputed(() => hot.value === camera.id);
  const chosen = useComputed(() => isTicked(camera.id));
  const name = cameraName(camera);
  const why = reason(item, window);
  const label = `${camera.code} ${name}`;
  const first = item.spans[0]?.from ?? window.from;
  const classes = ["result", pointed.value && "hot", !item.spans.length && "none"].filter(Boolean).join(" ");
  return html`<li class=${classes} data-camera=${camera.id} onMouseEnter=${() => (hot.value = camera.id)}
    onMouseLeave=${() => (hot.value = null)}>
    <label class="tick" title=${t("find.tick")}>
      <input type="checkbox" checked=${chosen.value} aria-label=${t("find.tick_one", { camera: label })}
        onChange=${(event) => (tick(camera), (event.target.checked = isTicked(camera.id)))} />
    </label>
    <a class="thumb" href=${link(camera, first)} tabindex="-1" aria-hidden="true"><${Thumb} item=${item} name=${name} /></a>
    <div class="words">
      <a class="name" href=${link(camera, first)} title=${label}><b>${camera.code}</b> ${name}</a>
      <span class="about">${about(item, window)}</span>
      <${Strip} item=${item} window=${window} />
      ${why && html`<span class="why" title=${why}><${Icon} name="gap" />${why}</span>`}
      ${!item.spans.length && html`<${Around} item=${item} window=${window} />`}
    </div>
    <b class="share">${percent(item.coverage)} %</b>
    <span class="acts">
      <${IconButton} icon="lock" label=${t("find.hold_one", { code: camera.code })} onClick=${() => actions.hold([camera])} />
      ${item.spans.length > 0 && html`
        <${IconButton} icon="download" label=${t("find.clip_one", { code: camera.code })} onClick=${() => actions.clip(camera)} />
        <a class="button icon plain" href=${stillUrl(camera.id, stillAt(item))} download=${`${camera.code}_${stampText(stillAt(item))}.jpg`}
          title=${t("find.still_one", { code: camera.code })} aria-label=${t("find.still_one", { code: camera.code })}><${Icon} name="still" /></a>`}
    </span>
  </li>`;
}

/** "120 m NE · Bank or ATM · entrance, road side · Kotwali". */
function about(item, { place }) {
  const { camera, distance_m: metres, moved } = item;
  const where = metres === null ? "" : distanceText(metres);
  const way = place && camera.lat !== null && metres > 5 ? directionText(place, camera) : "";
  const covers = (camera.covers ?? []).map(coversText).join(", ");
  const words = [camera.owner_kind && kindText(camera.owner_kind), covers, camera.site, camera.station].filter(Boolean);
  return html`${where && html`<b>${where} ${way}</b> · `}${words.join(" · ")}${moved && html` · <span class="moved"
    title=${t("find.moved_help")}>${t("find.moved")}</span>`}`;
}

/** A moment with footage for the still: the one that the server chose, or the middle of the longest span. */
function stillAt(item) {
  const longest = item.spans.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0];
  return Math.floor((longest.from + longest.to) / 2000) * 1000;
}

function Thumb({ item, name }) {
  const failed = useSignal(false);
  const loaded = useSignal(false);
  const source = item.still ?? (item.spans.length ? stillUrl(item.camera.id, stillAt(item), 320) : null);
  if (!source || failed.value) return html`<span class="still"><span class="none"><${Icon} name="camera" />${t("camera.no_still")}</span></span>`;
  return html`<span class="still"><img loading="lazy" decoding="async" width="16" height="9" src=${source}
    alt=${t("camera.still_alt", { name })} class=${loaded.value ? "shown" : ""} onLoad=${() => (loaded.value = true)}
    onError=${() => (failed.value = true)} /></span>`;
}

/** The nearest footage on both sides of a window without any. */
function Around({ item, window }) {
  const { camera, before, after } = item;
  if (before === null && after === null) return html`<span class="around">${t("find.never")}</span>`;
  return html`<span class="around">
    ${before !== null && html`<a href=${link(camera, before - 2000)}>${t("find.before", { time: clock(before, window.from) })}</a>`}
    ${after !== null && html`<a href=${link(camera, after)}>${t("find.after", { time: clock(after, window.from) })}</a>`}
  </span>`;
}
