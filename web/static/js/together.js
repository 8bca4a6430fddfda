// Up to four cameras on one clock: their pictures, their lanes on one timeline, and the keyboard for all of them.
import { html } from "htm/preact";
import { useEffect, useMemo } from "preact/hooks";
import { computed, effect, signal, useSignal } from "@preact/signals";
import { get } from "./api.js";
import { GotoDialog } from "./goto_dialog.js";
import { CameraHolds } from "./holds_data.js";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";
import { KeysDialog, listen } from "./keys.js";
import { Failure, IconButton, toast } from "./signs.js";
import { serverNow } from "./site.js";
import { dateText, dateTimeText, MINUTE, query, SECOND, spanText, timeText, zoneName } from "./time.js";
import { Timeline } from "./timeline.js";
import { TimelineData } from "./timeline_data.js";
import { TimelineView } from "./timeline_view.js";
import { RATES } from "./together_clock.js";
import { Room } from "./together_room.js";
import { Tile } from "./together_tile.js";

const ADDRESS_MS = 1000;

/**
 * `watching` {ids, at}; `window` {from, to} is what was searched; `hold(cameras, range)` opens the form of a hold; `leave()` goes
 * back; `address(at)` the link to this view at a time (RFC 3339).
 */
export function Together({ watching, window: searched, hold, leave, address }) {
  const cameras = useSignal(null);
  const problem = useSignal(null);
  const load = async () => {
    problem.value = null;
    try {
      cameras.value = await Promise.all(watching.ids.map((id) => get(`cameras/${id}`)));
    } catch (error) {
      problem.value = error;
    }
  };
  useEffect(() => {
    load();
  }, []);
  if (problem.value) return html`<${Failure} problem=${problem.value} retry=${load} />`;
  if (!cameras.value) return html`<div class="together" aria-busy="true"><div class="tiles"></div></div>`;
  return html`<${Workspace} ...${{ cameras: cameras.value, at: watching.at, searched, hold, leave, address }} />`;
}

function Workspace({ cameras, at, searched, hold, leave, address }) {
  const place = useMemo(() => {
    const room = new Room(cameras.map((camera) => camera.id), at ?? searched.from);
    const lanes = cameras.map((camera) => ({ camera, data: new TimelineData(camera.id), holds: new CameraHolds(camera.id) }));
    const length = Math.max(MINUTE, (searched.to - searched.from) * 1.1);
    const view = new TimelineView((searched.from + searched.to) / 2, length);
    return { room, lanes, view, selection: signal(null), choosing: signal(false), dialog: signal(null) };
  }, []);
  const { room, lanes, view, selection, choosing, dialog } = place;
  const keep = () => hold(cameras, selection.value ?? searched);
  const table = useMemo(() => keyTable(place, keep), []);

  useEffect(() => {
    for (const { holds } of lanes) holds.load();
    const { clock } = room;
    const stops = [
      room.start(),
      listen(table),
      effect(() => clock.playing.value && view.follow(clock.at.value, false)),
      keepAddress(clock, address),
    ];
    return () => {
      stops.forEach((stop) => stop());
      for (const { data } of lanes) data.stop();
    };
  }, []);

  const close = () => (dialog.value = null);
  const visit = (ms) => {
    view.reveal(ms);
    room.seek(ms);
  };
  return html`<div class="together">
    <div class="title">
      <button type="button" class="button plain" onClick=${leave}><${Icon} name="left" />${t("together.back")}</button>
      <h1>${t("together.title", { n: cameras.length })}</h1>
      <span class="spring"></span>
      <button type="button" class="button primary" title=${`${t("find.hold")} (H)`} onClick=${keep}><${Icon} name="lock" />${t("find.hold")}</button>
    </div>
    <${Tiles} cameras=${cameras} room=${room} visit=${visit} />
    <${Controls} room=${room} dialog=${dialog} />
    <${Timeline} lanes=${lanes} view=${view} playhead=${room.clock.at} selection=${selection} choosing=${choosing} seek=${visit} />
    ${selection.value && html`<${Chosen} range=${selection.value} hold=${keep} clear=${() => (selection.value = null)} />`}
    ${dialog.value === "goto" && html`<${GotoDialog} at=${room.clock.at.value} go=${visit} close=${close} />`}
    ${dialog.value === "keys" && html`<${KeysDialog} table=${table} close=${close} />`}
  </div>`;
}

function Tiles({ cameras, room, visit }) {
  const big = room.big.value;
  return html`<div class="tiles ${big === null ? `of-${cameras.length}` : "one-big"}">
    ${cameras.map((camera, n) => html`<${Tile} key=${camera.id} ...${{ camera, room, n, visit }} big=${big === n} />`)}
  </div>`;
}

function Controls({ room, dialog }) {
  const { clock } = room;
  const [playing, at] = [clock.playing.value, clock.at.value];
  const jump = (ms) => room.seek(clock.now() + ms);
  return html`<div class="controls">
    <span class="group">
      <${IconButton} icon="back" label=${t("player.back")} keys="←" onClick=${() => jump(-5 * SECOND)} />
      <${IconButton} icon="frameback" label=${t("player.frame_back")} keys="," onClick=${() => room.step(-1)} />
      <${IconButton} icon=${playing ? "pause" : "play"} class="primary big" label=${t(playing ? "player.pause" : "player.play")} keys="K"
        onClick=${room.toggle} />
      <${IconButton} icon="frameon" label=${t("player.frame_on")} keys="." onClick=${() => room.step(1)} />
      <${IconButton} icon="forward" label=${t("player.forward")} keys="→" onClick=${() => jump(5 * SECOND)} />
    </span>
    <span class="when">${dateText(at)} <b>${timeText(at)}</b> ${zoneName}</span>
    <span class="group">
      <${IconButton} icon="minus" label=${t("together.slower")} keys="J" onClick=${() => room.shift(-1)} />
      <select class="input speed" aria-label=${t("player.speed")} value=${String(clock.rate.value)}
        onChange=${(event) => (clock.setRate(Number(event.target.value)), event.target.blur())}>
        ${RATES.map((one) => html`<option key=${one} value=${String(one)}>${number(one, one % 1 ? 2 : 0)}×</option>`)}
      </select>
      <${IconButton} icon="plus" label=${t("player.faster")} keys="L" onClick=${() => room.shift(1)} />
    </span>
    <${IconButton} icon="clock" label=${t("player.goto")} keys="G" onClick=${() => (dialog.value = "goto")} />
    <span class="spring"></span>
    <${Apart} room=${room} />
    <${IconButton} icon="link" label=${t("together.link")} onClick=${copyLink} />
    <${IconButton} icon="keys" label=${t("player.keys")} keys="?" onClick=${() => (dialog.value = "keys")} />
  </div>`;
}

/** How well the pictures keep together. */
function Apart({ room }) {
  const { apart, clock } = room;
  const text = clock.held.value ? t("together.held") : apart.value === null ? "" : t("together.apart", { ms: Math.round(apart.value) });
  return html`<span class="note apart" title=${t("together.apart_help")}>${text}</span>`;
}

function Chosen({ range, hold, clear }) {
  return html`<div class="range" role="group" aria-label=${t("range.label")}>
    <span>${dateTimeText(range.from)} – ${dateTimeText(range.to)} <b>${spanText(range.to - range.from)}</b></span>
    <span class="spring"></span>
    <button type="button" class="button primary" onClick=${hold}><${Icon} name="lock" />${t("find.hold")}</button>
    <button type="button" class="button plain" onClick=${clear}>${t("range.clear")}</button>
  </div>`;
}

/** As keys.js has it: what the list shows, which words, what they do. */
function keyTable({ room, view, selection, choosing, dialog }, keep) {
  const { clock } = room;
  const jump = (seconds) => () => room.seek(clock.now() + seconds * SECOND);
  const mark = (edge) => () => {
    const here = clock.now();
    const range = { ...(selection.value ?? { from: here, to: here }), [edge]: here };
    if (range.to <= range.from) range[edge === "from" ? "to" : "from"] = here + (edge === "from" ? MINUTE : -MINUTE);
    selection.value = range;
  };
  const clear = () => {
    selection.value = null;
    choosing.value = false;
  };
  const digits = Object.fromEntries(room.followers.map((_, n) => [String(n + 1), () => room.enlarge(n)]));
  const zoom = (factor) => () => view.zoom(factor, clock.now());
  return [
    [["Space", "K"], "play", { " ": room.toggle, k: room.toggle }],
    [["J", "/", "L"], "together_speed", { j: () => room.shift(-1), l: () => room.shift(1) }],
    [[",", "/", "."], "together_frame", { ",": () => room.step(-1), ".": () => room.step(1) }],
    [["←", "/", "→"], "arrows", { ArrowLeft: jump(-5), ArrowRight: jump(5) }],
    [["Shift", "+", "←", "/", "→"], "arrows_shift", { "Shift+ArrowLeft": jump(-60), "Shift+ArrowRight": jump(60) }],
    [["1", "/", "4", "/", "0"], "enlarge", { ...digits, 0: () => (room.big.value = null) }],
    [["G"], "goto", { g: () => (dialog.value = "goto") }],
    [["I", "/", "O"], "range", { i: mark("from"), o: mark("to") }],
    [["H"], "together_hold", { h: keep }],
    [["Esc"], "escape", { Escape: clear }],
    [["+ ", "/", "−"], "zoom", { "+": zoom(0.5), "=": zoom(0.5), "-": zoom(2), "−": zoom(2) }],
    [["PgUp", "/", "PgDn"], "pan", { PageUp: () => view.pan(-view.length / 2), PageDown: () => view.pan(view.length / 2) }],
    [["?"], "help", { "?": () => (dialog.value = "keys") }],
  ];
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast(t("review.link_done"));
  } catch {
    toast(t("review.link_failed"));
  }
}

/** The address names the moment in view, so that it can be sent on; changed once a second at most. */
function keepAddress(clock, address) {
  const moment = computed(() => Math.floor(Math.min(clock.at.value, serverNow()) / ADDRESS_MS));
  let timer = null;
  const stop = effect(() => {
    void moment.value;
    timer ??= setTimeout(() => {
      timer = null;
      const at = query(moment.peek() * ADDRESS_MS).replace(".000Z", "Z");
      history.replaceState(history.state, "", location.pathname + address(at));
    }, ADDRESS_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
