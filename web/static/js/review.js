// Review: one camera, any moment. Puts player, timeline, facts and keyboard together.
import { html } from "htm/preact";
import { useEffect, useMemo } from "preact/hooks";
import { computed, effect, signal, useSignal } from "@preact/signals";
import { get } from "./api.js";
import { keep } from "./choices.js";
import { ClipDialog } from "./clip_dialog.js";
import { Facts, Gaps } from "./facts.js";
import { GotoDialog } from "./goto_dialog.js";
import { HoldDialog } from "./hold_dialog.js";
import { CameraHolds } from "./holds_data.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { KeysDialog, keyTable, listen } from "./keys.js";
import { CameraPicker } from "./picker.js";
import { Playback } from "./playback.js";
import { Player } from "./player.js";
import { reviewActions } from "./review_actions.js";
import { cameraName, Empty, Failure, StatePill } from "./signs.js";
import { now, onCameraEvent, serverNow, status } from "./site.js";
import { dateTimeText, HOUR, MINUTE, query, read, SECOND, spanText } from "./time.js";
import { Timeline } from "./timeline.js";
import { TimelineData } from "./timeline_data.js";
import { TimelineView } from "./timeline_view.js";

const POLL_MS = 10_000;
const HOLDS_MS = 60_000;
const ADDRESS_MS = 1000;

const cameraId = document.body.dataset.camera;
const camera = signal(null);
const problem = signal(null);

async function load() {
  try {
    camera.value = await get(`cameras/${cameraId}`);
    problem.value = null;
    keep("camera", cameraId);
  } catch (error) {
    problem.value = error;
  }
}

const choose = (one) => location.assign(`/cameras/${one.id}`);

export function Page() {
  useEffect(() => {
    if (!cameraId) return undefined;
    load();
    const timer = setInterval(() => document.hidden || load(), POLL_MS);
    const stop = onCameraEvent((event) => String(event.camera_id) === cameraId && load());
    return () => {
      clearInterval(timer);
      stop();
    };
  }, []);
  if (!cameraId) {
    return html`<div class="choose"><${Empty} icon="review" title=${t("review.choose")}>
      <p>${t("review.choose_help")}</p><${CameraPicker} choose=${choose} open label=${t("cameras.search")} /><//></div>`;
  }
  if (problem.value?.status === 404) {
    return html`<${Empty} title=${t("error.no_camera")}><p>${t("error.no_camera_help")}</p>
      <a class="button" href="/">${t("review.all")}</a><//>`;
  }
  if (!camera.value && problem.value) return html`<${Failure} problem=${problem.value} retry=${load} />`;
  if (!camera.value) return html`<${Waiting} />`;
  return html`<${Workspace} />`;
}

function Waiting() {
  return html`<div class="review" aria-busy="true">
    <div class="title"><span class="skeleton"></span></div>
    <section class="player"><div class="stage"></div></section>
    <section class="timeline"><div class="lane"></div></section>
    <aside class="side"></aside>
  </div>`;
}

/** Where to start: ?at= of a link; else live, or the last footage of a camera that sends nothing. */
function begin(playback) {
  const asked = new URLSearchParams(location.search).get("at");
  const linked = asked && read(asked.replace(" ", "+"));
  const newest = read(camera.value.newest_footage);
  if (linked) playback.seek(linked, { play: false });
  else if (newest !== null && serverNow() - newest > MINUTE) playback.seek(newest - 10 * SECOND, { play: false });
  else playback.goLive();
}

function Workspace() {
  const room = useMemo(() => {
    const playback = new Playback(cameraId);
    const view = new TimelineView(serverNow() - HOUR / 3, HOUR);
    const [data, holds] = [new TimelineData(cameraId), new CameraHolds(cameraId)];
    const lanes = [{ camera: { id: cameraId }, data, holds }];
    return { playback, view, data, holds, lanes, selection: signal(null), choosing: signal(false), dialog: signal(null) };
  }, []);
  const { playback, view, data, holds, lanes, selection, choosing, dialog } = room;
  const actions = useMemo(() => reviewActions({ camera, ...room }), []);
  const table = useMemo(() => keyTable(actions), []);

  useEffect(() => {
    begin(playback);
    holds.load();
    const again = setInterval(() => document.hidden || holds.load(), HOLDS_MS);
    if (playback.at.value !== null) view.reveal(playback.at.value);
    const stops = [
      listen(table),
      effect(() => {
        const at = playback.at.value;
        if (at !== null && playback.playing.value) view.follow(at, playback.live.value);
      }),
      keepAddress(playback),
      () => data.stop(),
      () => clearInterval(again),
    ];
    return () => stops.forEach((stop) => stop());
  }, []);

  const one = camera.value;
  document.title = `${one.code} ${cameraName(one)} · ${status.value?.name || document.body.dataset.name}`;
  const close = () => (dialog.value = null);
  return html`<div class="review">
    <${Title} one=${one} />
    <${Player} camera=${one} playback=${playback} selection=${selection} actions=${actions} />
    <${Timeline} lanes=${lanes} view=${view} playhead=${playback.at} selection=${selection} choosing=${choosing}
      seek=${(ms) => playback.seek(ms)} />
    <${Range} selection=${selection} actions=${actions} />
    <aside class="side"><${Facts} camera=${one} /><${Gaps} data=${data} view=${view} seek=${actions.visit} /></aside>
    ${dialog.value?.name === "goto" &&
    html`<${GotoDialog} at=${playback.at.value ?? serverNow()} go=${actions.visit} close=${close} />`}
    ${dialog.value?.name === "clip" && html`<${ClipDialog} camera=${one} range=${dialog.value.range} close=${close} />`}
    ${dialog.value?.name === "hold" &&
    html`<${HoldDialog} cameras=${[one]} fixed range=${dialog.value.range} placed=${() => holds.load()} close=${close} />`}
    ${dialog.value?.name === "keys" && html`<${KeysDialog} table=${table} close=${close} />`}
  </div>`;
}

function Title({ one }) {
  return html`<div class="title">
    <h1><b>${one.code}</b> ${cameraName(one)}</h1>
    <${StatePill} state=${one.state} cause=${one.cause} />
    <span class="spring"></span>
    ${typeof one.lat === "number" &&
    html`<a class="button plain" href=${`/find?near=${one.lat},${one.lon}&place=${encodeURIComponent(one.code)}`}>
      <${Icon} name="place" />${t("find.nearby")}</a>`}
    <${CameraPicker} choose=${choose} label=${t("review.switch")} />
  </div>`;
}

/** The chosen range and what can be done with it. */
function Range({ selection, actions }) {
  const range = selection.value;
  if (!range) return null;
  return html`<div class="range" role="group" aria-label=${t("range.label")}>
    <span>${dateTimeText(range.from)} – ${dateTimeText(range.to)} <b>${spanText(range.to - range.from)}</b></span>
    <span class="spring"></span>
    <button type="button" class="button" onClick=${() => actions.visit(range.from, { play: true })}>
      <${Icon} name="play" />${t("range.play")}</button>
    <button type="button" class="button" onClick=${() => actions.clip(range)}>
      <${Icon} name="download" />${t("range.clip")}</button>
    <button type="button" class="button primary" title=${`${t("range.hold")} (H)`} onClick=${() => actions.hold()}>
      <${Icon} name="lock" />${t("range.hold")}</button>
    <button type="button" class="button plain" onClick=${actions.clear}>${t("range.clear")}</button>
  </div>`;
}

/** The address always names the moment in view, so that it can be sent on; live has none. */
function keepAddress(playback) {
  const moment = computed(() => (playback.live.value || playback.at.value === null ? null : Math.floor(playback.at.value / ADDRESS_MS)));
  let timer = null;
  const stop = effect(() => {
    const at = moment.value;
    // Browsers limit how often the address may change: once a second at most.
    timer ??= setTimeout(() => {
      timer = null;
      const latest = moment.peek();
      const search = latest === null ? "" : `?at=${query(latest * ADDRESS_MS).replace(".000Z", "Z")}`;
      history.replaceState(history.state, "", location.pathname + search);
    }, ADDRESS_MS);
    void at;
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
