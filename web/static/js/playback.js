// Playing one camera at any moment: which playlist is loaded, where the playhead is, what happens at gaps and edges.
// Knows no markup: the player draws its signals.
import { batch, signal } from "@preact/signals";
import { address, Problem, request } from "./api.js";
import { gapCause, nearestFootage } from "./footage_lookup.js";
import { HlsSource, Trouble } from "./hls_source.js";
import { PlayWindow, ROUNDING_MS } from "./play_window.js";
import { ReversePlay } from "./reverse_play.js";
import { ShownFrames } from "./shown_frames.js";
import { serverNow } from "./site.js";
import { query, read, SECOND } from "./time.js";

/** Nearer than this to now is the live edge: footage can be played about 3 s after it happened. */
const EDGE_MS = 15 * SECOND;
const GAP_COUNTDOWN_S = 4;
const LIVE_RETRY_MS = 3000;
/** A Problem's status where the failure is in the player: 0 would say that the server gave no answer. */
const NOT_NETWORK = -1;

export const RATES = [-16, -8, -4, -2, -1, 0.25, 0.5, 1, 2, 4, 8, 16];

export class Playback {
  /** Wall time (ms) of the shown frame, or of where the viewer wants to be. */
  at = signal(null);
  /** What the viewer wants; a gap's countdown or an empty buffer does not change it. */
  playing = signal(false);
  rate = signal(1);
  live = signal(false);
  /** Waiting for media. */
  waiting = signal(false);
  muted = signal(true);
  /**
   * What stands in the way of a picture, or null:
   * {kind: "gap", from, to, cause, detail, seconds|null}   `to` null: nothing follows; `from` null: nothing came before
   * {kind: "never"} | {kind: "codec"} | {kind: "failed", problem}
   */
  obstacle = signal(null);

  #camera;
  #video = null;
  #source = null;
  #clock = null;
  #window = null; // {from, to} as asked for
  #index = -1; // playlist entry of the last shown frame
  #frames = new ShownFrames();
  #windows = new PlayWindow();
  #backwards = new ReversePlay();
  #timers = { countdown: null, retry: null };
  #turn = 0; // every new wish; what belongs to an older one is dropped

  constructor(cameraId) {
    this.#camera = cameraId;
  }

  /** Takes the <video>; returns the way to let go of it. */
  attach(video) {
    this.#video = video;
    const on = {
      waiting: () => (this.waiting.value = true),
      playing: () => (this.waiting.value = false),
      canplay: () => (this.waiting.value = false),
      ended: () => this.#ended(),
    };
    for (const [name, listener] of Object.entries(on)) video.addEventListener(name, listener);
    const stop = this.#frames.watch(video, (media) => this.#shown(media));
    return () => {
      stop();
      for (const [name, listener] of Object.entries(on)) video.removeEventListener(name, listener);
      this.#close();
      this.#video = null;
    };
  }

  // ---- what a viewer asks for

  /** Shows the moment `ms`, or tells why there is nothing and where the footage goes on. */
  seek(ms, { play = this.playing.value } = {}) {
    const wanted = Math.min(ms, serverNow());
    this.#wish();
    batch(() => {
      this.live.value = false;
      this.playing.value = play;
      this.at.value = wanted;
    });
    if (!this.#within(wanted)) this.#load(wanted);
    else this.#go(this.#clock.target(wanted));
  }

  goLive() {
    this.#wish();
    batch(() => {
      this.live.value = true;
      this.playing.value = true;
      this.rate.value = 1;
    });
    this.#open(`/play/${this.#camera}/live.m3u8`, null, () => -1);
  }

  toggle() {
    if (this.obstacle.value?.kind === "gap" && this.obstacle.value.to !== null) {
      this.playing.value = true;
      this.skipGap();
    } else if (this.playing.value) this.pause();
    else this.play();
  }

  play() {
    this.playing.value = true;
    // A pause in live is a wish to stay at that moment, not to jump ahead.
    if (this.live.value && this.#video.paused && this.at.value && serverNow() - this.at.value > 2 * EDGE_MS) {
      this.seek(this.at.value, { play: true });
    } else this.#resume();
  }

  pause() {
    this.playing.value = false;
    this.#still();
  }

  faster() {
    this.#shift(1);
  }

  slower() {
    this.#shift(-1);
  }

  /** One frame on (1) or back (-1); in reverse play one keyframe. */
  step(direction) {
    if (!this.#clock || this.obstacle.value) return;
    this.pause();
    if (this.live.value) this.#leaveLive();
    const reverse = this.rate.value < 0 && direction < 0;
    // The middle of the wanted frame: its edges are rounded differently by every browser.
    const media = reverse
      ? this.#clock.mediaOf(Math.max(0, this.#clock.indexAt(this.#frames.mediaTime - this.#frames.frameS))) + 0.001
      : this.#frames.mediaTime + (direction > 0 ? 1.5 : -0.5) * this.#frames.frameS;
    if (media >= 0) this.#video.currentTime = media;
  }

  setRate(rate) {
    if (this.live.value && rate !== 1) {
      this.seek(this.at.value ?? serverNow(), { play: true });
    }
    this.rate.value = rate;
    this.#source?.setRate(rate);
    if (this.playing.value && !this.obstacle.value) this.#resume();
  }

  toggleSound() {
    this.muted.value = this.#video.muted = !this.#video.muted;
  }

  /** On from a gap's panel. */
  skipGap() {
    const gap = this.obstacle.value;
    if (gap?.kind !== "gap" || gap.to === null) return;
    const play = this.playing.value;
    this.obstacle.value = null;
    clearInterval(this.#timers.countdown);
    this.seek(gap.to, { play });
  }

  retry() {
    if (this.live.value) this.goLive();
    else {
      this.#close();
      this.seek(this.at.value ?? serverNow());
    }
  }

  // ---- loading

  #wish() {
    this.#turn++;
    clearInterval(this.#timers.countdown);
    clearTimeout(this.#timers.retry);
    this.obstacle.value = null;
  }

  /** True when the loaded playlist can answer for that moment. */
  #within(ms) {
    if (!this.#window || !this.#clock) return false;
    return ms >= this.#window.from && ms < this.#window.to && this.#clock.target(ms) !== null;
  }

  #load(ms) {
    const turn = this.#turn;
    const window = this.#windows.around(ms);
    const url = address(`/play/${this.#camera}/index.m3u8`, { from: query(window.from), to: query(window.to) });
    this.#open(url, window, (clock) => {
      const target = clock.target(ms);
      if (target) return this.#arrive(target);
      this.#nothingAfter(ms, clock.to, turn);
      return Math.max(0, clock.mediaOf(clock.fragments.length - 1)); // the last picture stays behind the panel
    });
  }

  #open(url, window, begin) {
    const turn = this.#turn;
    this.#close();
    this.#window = window;
    this.waiting.value = true;
    this.#source = new HlsSource(this.#video, url, {
      begin: (clock) => {
        this.#clock = clock;
        const media = begin(clock);
        this.#index = media < 0 ? -1 : clock.indexAt(media);
        if (!this.obstacle.value) this.#resume();
        return media;
      },
      renew: (clock) => (this.#clock = clock),
      trouble: (word, data) => turn === this.#turn && this.#trouble(word, data, url),
    });
    this.#source.setRate(this.rate.value);
  }

  #close() {
    for (const timer of Object.values(this.#timers)) clearInterval(timer);
    this.#backwards.stop();
    this.#source?.close();
    this.#source = this.#clock = this.#window = null;
    this.#index = -1;
    this.waiting.value = false;
  }

  #leaveLive() {
    this.live.value = false;
    this.#window = null; // the sliding playlist must not answer for a later seek
  }

  // ---- moving

  /** Goes to a target inside the loaded playlist. */
  #go(target) {
    const media = this.#arrive(target);
    this.#video.currentTime = media;
    this.#index = this.#clock.indexAt(media);
    if (!this.obstacle.value) this.#resume();
  }

  /** Puts up the panel if the target lies behind a gap; returns its media time. */
  #arrive({ media, wall, gap }) {
    if (gap) this.#gap(gap.from, gap.to);
    else this.at.value = wall;
    return media + 0.001;
  }

  #resume() {
    this.#backwards.stop();
    if (!this.playing.value || !this.#clock) return;
    const rate = this.rate.value;
    if (rate < 0) {
      this.#video.pause();
      this.#reverse();
      return;
    }
    this.#video.playbackRate = rate;
    this.#video.play().catch((error) => {
      // A newer wish interrupts play() with an AbortError: that is no refusal.
      if (error.name === "NotAllowedError") this.playing.value = false;
    });
  }

  #still() {
    clearInterval(this.#timers.countdown);
    this.#backwards.stop();
    const gap = this.obstacle.value;
    if (gap?.kind === "gap") this.obstacle.value = { ...gap, seconds: null };
    this.#video.pause();
  }

  #shift(by) {
    const place = RATES.indexOf(this.rate.value) + by;
    if (place < 0 || place >= RATES.length) return;
    if (this.live.value && by > 0) return; // nothing is faster than now
    this.setRate(RATES[place]);
  }

  #reverse() {
    this.#backwards.start(this.at.value, this.rate.value, {
      clock: () => this.#clock,
      busy: () => this.#video.seeking,
      show: (position, index) => {
        this.at.value = position;
        if (index === null) return;
        this.#index = index;
        this.#video.currentTime = this.#clock.mediaOf(index) + 0.001;
      },
      edge: () => this.seek(this.#clock.from - SECOND, { play: true }),
    });
  }

  /** A frame of that media time is on the screen. */
  #shown(media) {
    if (!this.#clock || this.#video.seeking || this.obstacle.value) return;
    const index = this.#clock.indexAt(media);
    if (this.rate.value < 0 && this.playing.value) return; // the reverse timer moves the playhead
    const gap = this.playing.value && !this.live.value && this.#index >= 0 ? this.#clock.firstGap(this.#index, index) : -1;
    this.#index = index;
    if (gap < 0) {
      this.at.value = this.#clock.wallAt(media);
      return;
    }
    const missing = this.#clock.gapBefore(gap);
    this.#video.pause();
    this.#video.currentTime = this.#clock.mediaOf(gap) + 0.001;
    this.#gap(missing.from, missing.to);
  }

  #ended() {
    if (!this.#clock || this.live.value || this.obstacle.value || this.rate.value < 0) return;
    const end = this.#clock.to;
    if (serverNow() - end < EDGE_MS) this.goLive();
    else this.seek(end + ROUNDING_MS, { play: true });
  }

  // ---- where there is nothing

  /** No footage from `from` (null: never before) to `to` (null: nothing follows yet). */
  #gap(from, to) {
    const turn = this.#turn;
    const counts = this.playing.value && to !== null;
    this.waiting.value = false;
    this.#video.pause();
    this.obstacle.value = { kind: "gap", from, to, cause: null, detail: "", seconds: counts ? GAP_COUNTDOWN_S : null };
    if (from !== null) this.at.value = Math.max(this.at.value ?? from, from);
    if (counts) this.#countDown(turn);
    if (from === null) this.#lookBefore(this.at.value, turn);
    this.#explain(from ?? this.at.value, to ?? serverNow(), turn);
  }

  /** Fills in where the footage ended before a gap that began before the loaded playlist. */
  async #lookBefore(ms, turn) {
    const { before } = (await nearestFootage(this.#camera, ms)) ?? {};
    if (before) this.#amendGap({ from: before }, turn);
  }

  #countDown(turn) {
    clearInterval(this.#timers.countdown);
    this.#timers.countdown = setInterval(() => {
      const gap = this.obstacle.value;
      if (turn !== this.#turn || gap?.kind !== "gap" || gap.seconds === null) clearInterval(this.#timers.countdown);
      else if (gap.seconds > 1) this.obstacle.value = { ...gap, seconds: gap.seconds - 1 };
      else this.skipGap();
    }, SECOND);
  }

  /** Adds the cause to the panel. */
  async #explain(from, to, turn) {
    const why = await gapCause(this.#camera, from, to);
    if (why) this.#amendGap(why, turn);
  }

  #amendGap(more, turn) {
    const gap = this.obstacle.value;
    if (turn === this.#turn && gap?.kind === "gap") this.obstacle.value = { ...gap, ...more };
  }

  /** The window has footage up to `end`, but none at `ms` or after it: look further, or it is the newest. */
  async #nothingAfter(ms, end, turn) {
    if (serverNow() - ms < EDGE_MS && serverNow() - end < 2 * EDGE_MS) {
      this.goLive();
      return;
    }
    this.#gap(end, null);
    const missing = await nearestFootage(this.#camera, ms);
    if (turn === this.#turn && missing?.after) this.#gap(end, missing.after);
  }

  async #trouble(word, data, url) {
    const turn = this.#turn;
    if (word === Trouble.CODEC) {
      this.#close();
      this.obstacle.value = { kind: "codec" };
    } else if (word === Trouble.MEDIA && this.#windows.mayReload()) {
      this.#reload();
    } else if (word === Trouble.MISSING && !this.live.value) {
      await this.#missing(url, turn);
    } else if (word === Trouble.EMPTY || word === Trouble.MISSING) {
      this.#close();
      this.obstacle.value = { kind: "never" };
      this.#timers.retry = setTimeout(() => turn === this.#turn && this.goLive(), LIVE_RETRY_MS);
    } else {
      this.#close();
      const problem = new Problem(data.response?.code ?? NOT_NETWORK, { detail: data.error?.message, title: data.details });
      this.obstacle.value = { kind: "failed", problem };
    }
  }

  /** Once more from where we are; not beyond the changes of init around it, should they be the reason. */
  #reload() {
    if (this.live.value) {
      this.goLive();
      return;
    }
    const at = this.at.value;
    const index = this.#clock?.indexFor(at) ?? -1;
    if (index >= 0) this.#windows.cut(this.#clock.section(index));
    this.#close();
    this.seek(at);
  }

  /** The whole window is empty: the server's answer names the nearest footage on both sides. */
  async #missing(url, turn) {
    let problem = null;
    try {
      await request(url);
    } catch (error) {
      problem = error;
    }
    if (turn !== this.#turn) return;
    this.#close();
    if (problem?.status !== 404) {
      this.obstacle.value = { kind: "failed", problem: problem ?? new Problem(0) };
      return;
    }
    const [before, after] = [read(problem.body.before), read(problem.body.after)];
    if (before === null && after === null) this.obstacle.value = { kind: "never" };
    else this.#gap(before, after);
  }
}
