// The player: the picture, what stands in its way, and the controls under it.
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSignal, useSignalEffect } from "@preact/signals";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";
import { RATES } from "./playback.js";
import { causeAdvice, causeText, cameraName, Empty, Failure, IconButton } from "./signs.js";
import { now } from "./site.js";
import { stillUrl } from "./still.js";
import { dateText, dateTimeText, MINUTE, SECOND, spanText, timeText, zoneName } from "./time.js";

/** The camera's own clock is worth showing from this error on. */
const CLOCK_ERROR_MS = 2000;
const POSTER_MS = 250;

/** `actions` {goto, still, clip(range), link, keys, activity}: what the controls call beside the playback. */
export function Player({ camera, playback, selection, actions }) {
  const stage = useRef(null);
  const full = () => (document.fullscreenElement ? document.exitFullscreen() : stage.current.requestFullscreen?.());
  actions.full = full;
  return html`<section class="player" aria-label=${t("player.label")}>
    <div class="stage" ref=${stage}>
      <${Video} playback=${playback} name=${cameraName(camera)} />
      <${Poster} camera=${camera} playback=${playback} />
      <${Waiting} playback=${playback} />
      <${Obstacle} camera=${camera} playback=${playback} actions=${actions} />
    </div>
    <${Shown} camera=${camera} playback=${playback} />
    <${Controls} playback=${playback} selection=${selection} actions=${actions} />
  </section>`;
}

function Video({ playback, name }) {
  const video = useRef(null);
  // At once: an effect after paint may come later than the page's own, which starts the playback.
  useLayoutEffect(() => playback.attach(video.current), [playback]);
  return html`<video ref=${video} muted playsinline aria-label=${name} onClick=${() => playback.toggle()}></video>`;
}

/** Where the browser cannot decode, the server's stills take the picture's place. */
function Poster({ camera, playback }) {
  const source = useSignal(null);
  useSignalEffect(() => {
    const at = playback.obstacle.value?.kind === "codec" ? playback.at.value : null;
    if (at === null) {
      source.value = null;
      return undefined;
    }
    const timer = setTimeout(() => (source.value = stillUrl(camera.id, at, 1280)), POSTER_MS);
    return () => clearTimeout(timer);
  });
  return source.value && html`<img class="poster" src=${source.value} alt=${t("camera.still_alt", { name: cameraName(camera) })} />`;
}

function Waiting({ playback }) {
  const waiting = playback.waiting.value && !playback.obstacle.value && playback.playing.value;
  return waiting && html`<div class="waiting" role="status"><span class="spinner"></span>${t("player.loading")}</div>`;
}

function Obstacle({ camera, playback, actions }) {
  const obstacle = playback.obstacle.value;
  if (!obstacle) return null;
  if (obstacle.kind === "gap") return html`<${Gap} gap=${obstacle} playback=${playback} />`;
  if (obstacle.kind === "codec") return html`<${CannotDecode} ...${{ camera, playback, actions }} />`;
  if (obstacle.kind === "never") {
    return html`<div class="panel"><${Empty} title=${t("player.none_yet")}><p>${t("player.none_yet_help")}</p><//></div>`;
  }
  return html`<div class="panel"><${Failure} problem=${obstacle.problem} retry=${() => playback.retry()} /></div>`;
}

/** From when to when there is nothing, why, and how it goes on. */
function Gap({ gap, playback }) {
  const { from, to } = gap;
  const advice = causeAdvice(gap.cause);
  const text = (ms) => (dateText(ms) === dateText(playback.at.value) ? timeText(ms) : dateTimeText(ms));
  return html`<div class="panel"><div class="state" role="status">
    <${Icon} name="gap" />
    <h2>${to === null ? t("player.end") : from === null ? t("player.no_footage") : t("player.gap")}</h2>
    ${from !== null && to !== null &&
    html`<p>${t("player.gap_range", { from: text(from), to: text(to), span: spanText(to - from) })}</p>`}
    ${(from === null || to === null) && html`<p>${t("player.no_footage_at", { time: dateTimeText(playback.at.value) })}</p>`}
    ${gap.cause && html`<p><b>${causeText(gap.cause)}</b>${gap.detail ? ` · ${gap.detail}` : ""}</p>`}
    ${advice && html`<p class="note">${advice}</p>`}
    <p class="choices">
      ${from !== null &&
      html`<button type="button" class="button" onClick=${() => playback.seek(from - 2 * SECOND)}>
        ${t("player.before", { time: text(from) })}</button>`}
      ${to !== null
        ? html`<button type="button" class="button primary" onClick=${() => playback.skipGap()}>
            ${gap.seconds === null ? t("player.after", { time: text(to) }) : t("player.gap_in", { n: gap.seconds })}</button>`
        : html`<button type="button" class="button primary" onClick=${() => playback.goLive()}>
            <${Icon} name="live" />${t("player.live_go")}</button>`}
    </p>
  </div></div>`;
}

function CannotDecode({ camera, playback, actions }) {
  const codec = camera.video_codec === "hevc" || !camera.video_codec ? "H.265 (HEVC)" : camera.video_codec.toUpperCase();
  const download = () => {
    const at = playback.at.value ?? now.value;
    actions.clip({ from: at - 5 * MINUTE, to: Math.min(at + 5 * MINUTE, now.value) });
  };
  return html`<div class="panel low"><div class="state" role="alert">
    <h2>${t("player.unsupported", { codec })}</h2>
    <p>${t("player.unsupported_help")}</p>
    <button type="button" class="button primary" onClick=${download}>
      <${Icon} name="download" />${t("player.unsupported_download")}</button>
  </div></div>`;
}

/** The exact time of the shown frame; the camera's own clock when it is off. */
function Shown({ camera, playback }) {
  const at = playback.at.value;
  const offset = camera.clock_offset_ms;
  const off = offset !== null && offset !== undefined && Math.abs(offset) > CLOCK_ERROR_MS;
  return html`<div class="shown">
    <span class="when" title=${t("player.uncertain")}>
      ${at === null ? "" : html`${dateText(at)} <b>${timeText(at, { millis: true })}</b> ${zoneName}`}
    </span>
    ${off && at !== null && html`<span class="own">${t("player.own_clock", { time: timeText(at + offset) })}</span>`}
    <span class="spring"></span>
    ${playback.live.value && at !== null &&
    html`<span class="behind">${t("player.behind", { span: spanText(Math.max(0, now.value - at)) })}</span>`}
    <span class="what">${[camera.video_codec?.toUpperCase(), camera.width && `${camera.width}×${camera.height}`].filter(Boolean).join(" · ")}</span>
  </div>`;
}

function Controls({ playback, selection, actions }) {
  const playing = playback.playing.value;
  const rate = playback.rate.value;
  const live = playback.live.value;
  const jump = (ms) => playback.at.value !== null && playback.seek(playback.at.value + ms);
  return html`<div class="controls">
    <span class="group">
      <${IconButton} icon="back" label=${t("player.back")} keys="←" onClick=${() => jump(-5 * SECOND)} />
      <${IconButton} icon="frameback" label=${t("player.frame_back")} keys="," onClick=${() => playback.step(-1)} />
      <${IconButton} icon=${playing ? "pause" : "play"} class="primary big" label=${t(playing ? "player.pause" : "player.play")}
        keys="K" onClick=${() => playback.toggle()} />
      <${IconButton} icon="frameon" label=${t("player.frame_on")} keys="." onClick=${() => playback.step(1)} />
      <${IconButton} icon="forward" label=${t("player.forward")} keys="→" onClick=${() => jump(5 * SECOND)} />
    </span>
    <span class="group">
      <${IconButton} icon="minus" label=${t("player.slower")} keys="J" onClick=${() => playback.slower()} />
      <select class="input speed" aria-label=${t("player.speed")} value=${String(rate)}
        onChange=${(event) => (playback.setRate(Number(event.target.value)), event.target.blur())}>
        ${RATES.map((one) => html`<option key=${one} value=${String(one)}>${one < 0 ? "−" : ""}${number(Math.abs(one), one % 1 ? 2 : 0)}×</option>`)}
      </select>
      <${IconButton} icon="plus" label=${t("player.faster")} keys="L" onClick=${() => playback.faster()} />
    </span>
    <button type="button" class="button live" aria-pressed=${String(live)} onClick=${() => playback.goLive()}>
      <span class="dot"></span>${t("player.live")}
    </button>
    <span class="group">
      <${IconButton} icon="activity" label=${t("player.activity")} keys="A" onClick=${actions.activity} />
      <${IconButton} icon="clock" label=${t("player.goto")} keys="G" onClick=${actions.goto} />
    </span>
    <span class="spring"></span>
    <span class="group">
      <${IconButton} icon=${playback.muted.value ? "silent" : "sound"} keys="M"
        label=${t(playback.muted.value ? "player.unmute" : "player.mute")} onClick=${() => playback.toggleSound()} />
      <${IconButton} icon="still" label=${t("player.still")} keys="S" onClick=${actions.still} />
      <${IconButton} icon="link" label=${t("review.link")} onClick=${actions.link} />
      <${IconButton} icon="full" label=${t("player.full")} keys="F" onClick=${() => actions.full()} />
      <${IconButton} icon="keys" label=${t("player.keys")} keys="?" onClick=${actions.keys} />
    </span>
    <button type="button" class="button" onClick=${() => actions.clip(selection.value)}>
      <${Icon} name="download" />${t("player.clip")}
    </button>
  </div>`;
}
