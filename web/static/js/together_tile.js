// One camera among several on one clock: its picture, or why there is none while the others go on.
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSignal, useSignalEffect } from "@preact/signals";
import { clock as shortTime } from "./find_words.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { cameraName, causeAdvice, causeText, IconButton } from "./signs.js";
import { stillUrl } from "./still.js";
import { query, SECOND, spanText, timeText } from "./time.js";

/** Where the browser cannot decode, a still is shown for every such stretch. */
const STILL_MS = 5 * SECOND;

/** `n` its place among the cameras, `visit(ms)` takes all of them there. */
export function Tile({ camera, room, n, big, visit }) {
  const follower = room.followers[n];
  const name = cameraName(camera);
  const heard = room.heard.value === n;
  const review = () => `/cameras/${camera.id}?at=${query(room.clock.now()).replace(/\.\d+Z/, "Z")}`;
  const go = (event) => (event.currentTarget.href = review());
  return html`<section class=${big ? "tile big" : "tile"} aria-label=${`${camera.code} ${name}`}>
    <div class="stage">
      <${Video} follower=${follower} name=${name} muted=${!heard} enlarge=${() => room.enlarge(n)} />
      <${Poster} camera=${camera} follower=${follower} clock=${room.clock} />
      ${follower.waiting.value && !follower.obstacle.value && html`<div class="waiting" role="status"><span class="spinner"></span>${t("player.loading")}</div>`}
      <${Obstacle} camera=${camera} follower=${follower} clock=${room.clock} visit=${visit} />
    </div>
    <div class="under">
      <kbd>${n + 1}</kbd>
      <a class="name" href=${`/cameras/${camera.id}`} onPointerDown=${go} onFocus=${go} title=${t("together.review", { code: camera.code })}>
        <b>${camera.code}</b> ${name}</a>
      <${Shown} follower=${follower} />
      <${IconButton} icon=${heard ? "sound" : "silent"} label=${t(heard ? "player.mute" : "player.unmute")} pressed=${heard}
        onClick=${() => room.hear(n)} />
      <${IconButton} icon=${big ? "grid" : "full"} label=${t(big ? "together.grid" : "together.enlarge")} keys=${big ? "0" : String(n + 1)}
        onClick=${() => room.enlarge(n)} />
    </div>
  </section>`;
}

function Video({ follower, name, muted, enlarge }) {
  const video = useRef(null);
  useLayoutEffect(() => follower.attach(video.current), [follower]);
  useLayoutEffect(() => {
    video.current.muted = muted;
  }, [muted]);
  return html`<video ref=${video} muted playsinline aria-label=${name} onDblClick=${enlarge}></video>`;
}

/** The exact time of the frame on the screen. */
function Shown({ follower }) {
  const at = follower.shown.value;
  const ahead = follower.ahead.value;
  return html`<span class="shown-at" title=${ahead === null ? undefined : t("together.ahead", { ms: Math.round(ahead) })}>
    ${at === null ? "" : timeText(at, { millis: true })}</span>`;
}

function Poster({ camera, follower, clock }) {
  const source = useSignal(null);
  useSignalEffect(() => {
    const coded = follower.obstacle.value?.kind === "codec";
    source.value = coded ? stillUrl(camera.id, Math.floor(clock.at.value / STILL_MS) * STILL_MS, 960) : null;
  });
  return source.value && html`<img class="poster" src=${source.value} alt=${t("camera.still_alt", { name: cameraName(camera) })} />`;
}

function Obstacle({ camera, follower, clock, visit }) {
  const obstacle = follower.obstacle.value;
  if (!obstacle) return null;
  if (obstacle.kind === "gap") return html`<${Gap} gap=${obstacle} clock=${clock} visit=${visit} />`;
  if (obstacle.kind === "codec") {
    const codec = camera.video_codec === "hevc" || !camera.video_codec ? "H.265 (HEVC)" : camera.video_codec.toUpperCase();
    return html`<p class="strip-note" role="status">${t("together.stills", { codec, n: STILL_MS / SECOND })}</p>`;
  }
  if (obstacle.kind === "never") return html`<div class="panel"><div class="state" role="status"><h2>${t("player.none_yet")}</h2></div></div>`;
  return html`<div class="panel"><div class="state" role="alert"><${Icon} name="alert" /><h2>${t("error.failed")}</h2>
    <p class="note">${t("error.code", { code: obstacle.problem.code })}</p>
    <button type="button" class="button" onClick=${() => follower.retry()}>${t("error.retry")}</button></div></div>`;
}

/** From when to when there is nothing, why, and when it goes on. */
function Gap({ gap, clock, visit }) {
  const { from, to } = gap;
  const at = clock.at.value;
  const time = (ms) => shortTime(ms, at);
  const advice = causeAdvice(gap.cause);
  return html`<div class="panel"><div class="state" role="status">
    <${Icon} name="gap" />
    <h2>${from !== null && to !== null ? t("player.gap") : t("player.no_footage")}</h2>
    ${from !== null && to !== null && html`<p>${t("player.gap_range", { from: time(from), to: time(to), span: spanText(to - from) })}</p>`}
    ${gap.cause && html`<p title=${[gap.detail, advice].filter(Boolean).join(" · ")}><b>${causeText(gap.cause)}</b></p>`}
    ${to !== null && html`<p class="note">${t("together.goes_on", { time: time(to), span: spanText(to - at) })}</p>`}
    <p class="choices">
      ${from !== null && to === null && html`<button type="button" class="button" onClick=${() => visit(from - 2 * SECOND)}>${t("player.before", { time: time(from) })}</button>`}
      ${to !== null && html`<button type="button" class="button" onClick=${() => visit(to)}>${t("together.all_to", { time: time(to) })}</button>`}
    </p>
  </div></div>`;
}
