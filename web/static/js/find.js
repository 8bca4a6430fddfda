// Find: footage by place and time. The form, what it found beside a plan, and the chosen cameras on one clock.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { keep } from "./choices.js";
import { ClipDialog } from "./clip_dialog.js";
import { fill, Form, saidInForm } from "./find_form.js";
import { directionText, distanceText, radiusFor } from "./find_geo.js";
import { Plan } from "./find_plan.js";
import { writeAddress } from "./find_query.js";
import { Results } from "./find_results.js";
import { again, asked, busy, found, nearest, problem, search, showRecorded, start, tick, ticked, TOGETHER, withFootage } from "./find_search.js";
import { HoldDialog } from "./hold_dialog.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { cameraName, Empty, Failure, IconButton } from "./signs.js";
import { serverNow, status } from "./site.js";
import { dateTimeText, spanText, zoneName } from "./time.js";
import { Together } from "./together.js";

/** {name: "hold", cameras, range} | {name: "clip", camera} | null */
const dialog = signal(null);
/** {ids, at}: the cameras that play together and where they begin; null while the list is shown. */
const watching = signal(null);

/** What the address says, as when the page was opened. */
function open() {
  const { search: wanted, watch } = asked(serverNow());
  fill(wanted);
  watching.value = watch;
  if (wanted && !watch) start(wanted, { push: false });
  else if (wanted) search.value = wanted;
}

fill(null);

export function Page() {
  useEffect(() => {
    open();
    addEventListener("popstate", open);
    return () => removeEventListener("popstate", open);
  }, []);
  document.title = `${t("find.title")} · ${status.value?.name || document.body.dataset.name}`;
  return html`
    ${watching.value && search.value
      ? html`<${Together} key=${watching.value.ids.join()} watching=${watching.value} window=${search.value} hold=${hold} leave=${leave}
          address=${(at) => writeAddress(search.value, { play: watching.value.ids.join(), at })} />`
      : html`<${Search} />`}
    <${Dialogs} />`;
}

function Dialogs() {
  const close = () => (dialog.value = null);
  const shown = dialog.value;
  if (shown?.name === "hold") return html`<${HoldDialog} cameras=${shown.cameras} fixed range=${shown.range} close=${close} />`;
  if (shown?.name === "clip") return html`<${ClipDialog} camera=${shown.camera} range=${shown.range} close=${close} />`;
  return null;
}

function hold(cameras, range = search.value) {
  if (cameras.length) dialog.value = { name: "hold", cameras, range: { from: range.from, to: range.to } };
}

function play() {
  if (!ticked.value.length) return;
  const ids = ticked.value.map((camera) => String(camera.id));
  history.pushState(null, "", location.pathname + writeAddress(search.value, { play: ids.join() }));
  keep("camera", ids[0]);
  watching.value = { ids, at: null };
}

/** Back to the list: as it was, or found anew where the page was opened by a link. */
function leave() {
  watching.value = null;
  history.pushState(null, "", location.pathname + writeAddress(search.value));
  if (!found.value) start(search.value, { push: false });
}

const actions = {
  play,
  hold: (cameras = ticked.value) => hold(cameras),
  clip: (camera) => (dialog.value = { name: "clip", camera, range: { from: search.value.from, to: Math.min(search.value.to, serverNow()) } }),
};

function Search() {
  return html`<div class="find">
    <h1 class="hidden-visually">${t("find.title")}</h1>
    <${Form} />
    <${Found} />
    <${Chosen} />
  </div>`;
}

function Found() {
  if (problem.value && !saidInForm(problem.value) && !found.value) {
    return html`<${Failure} problem=${problem.value} retry=${again} />`;
  }
  if (!search.value || (problem.value && !found.value)) {
    return html`<${Empty} icon="search" title=${t("find.begin")}><p>${t("find.begin_help")}</p><//>`;
  }
  if (!found.value) return html`<${Skeleton} />`;
  if (!found.value.items.length) return html`<${Nothing} />`;
  return html`<div class="found-footage">
    <${Counts} />
    ${problem.value && html`<div class="banner warn" role="status"><${Icon} name="alert" /><p>${t("find.partial")} ${problem.value.message}</p></div>`}
    <div class="beside"><${Results} actions=${actions} /><${Plan} /></div>
  </div>`;
}

/** "11 cameras within 300 m, 4 with footage". */
function Counts() {
  const { place, radius, from, to } = search.value;
  const { total, withFootage: counted } = found.value;
  const where = place ? t("find.within", { radius: distanceText(radius), place: place.name }) : t("find.in_all");
  return html`<p class="counts" role="status"><b>${t("find.cameras", { n: total })}</b> ${where}, <b>${t("find.with_footage", { n: counted })}</b>
    <span class="note">${dateTimeText(from)} – ${dateTimeText(to)} ${zoneName} (${spanText(to - from)})</span>
    ${counted > 0 && counted < total && html`<button type="button" class="button plain" aria-pressed=${String(withFootage.value)}
      onClick=${() => showRecorded(!withFootage.value)}>${t("find.only_recorded")}</button>`}</p>`;
}

function Nothing() {
  const { place, radius } = search.value;
  if (!place) return html`<${Empty} icon="search" title=${t("find.nothing")}><p>${t("find.nothing_help")}</p><//>`;
  const near = nearest.value;
  const wider = near ? radiusFor(near.distance_m) : null;
  return html`<${Empty} icon="place" title=${t("find.none_within", { radius: distanceText(radius) })}>
    ${near && html`<p>${t("find.nearest", {
      camera: `${near.camera.code} ${cameraName(near.camera)}`,
      distance: `${distanceText(near.distance_m)} ${directionText(place, near.camera)}`,
    })}</p>`}
    ${near && near.distance_m <= wider && html`<button type="button" class="button primary"
      onClick=${() => (fill({ ...search.value, radius: wider }), start({ ...search.value, radius: wider }))}>
      ${t("find.widen", { radius: distanceText(wider) })}</button>`}
    ${!near && !busy.value && html`<p>${t("find.nothing_near")}</p>`}
  <//>`;
}

function Skeleton() {
  return html`<div class="found-footage" aria-busy="true"><p class="counts"><span class="skeleton"></span></p>
    <div class="beside"><div class="list"><ol>${Array.from({ length: 6 }, (_, n) => html`<li key=${n} class="result">
      <span class="tick"></span><span class="thumb"><span class="still"></span></span>
      <div class="words"><span class="skeleton"></span><span class="skeleton short"></span><span class="strip"></span></div></li>`)}</ol></div>
    <figure class="plan"><svg viewBox="0 0 400 400"></svg></figure></div></div>`;
}

/** What is chosen, and what can be done with it. */
function Chosen() {
  const cameras = ticked.value;
  if (!cameras.length) return null;
  return html`<div class="chosen" role="group" aria-label=${t("find.chosen")}>
    <span class="count">${t("find.chosen_n", { n: cameras.length, of: TOGETHER })}</span>
    <span class="chips">${cameras.map((camera) => html`<span class="chip" key=${camera.id}><b>${camera.code}</b>
      <${IconButton} icon="close" label=${t("hold.drop", { code: camera.code })} onClick=${() => tick(camera)} /></span>`)}</span>
    <span class="spring"></span>
    <button type="button" class="button" title=${`${t("find.play")} (P)`} onClick=${play}><${Icon} name="play" />${t("find.play")}</button>
    <button type="button" class="button primary" title=${`${t("find.hold")} (H)`} onClick=${() => hold(cameras)}>
      <${Icon} name="lock" />${t("find.hold")}</button>
  </div>`;
}
