// One camera's video on the shared clock: small differences are made up by its speed, large ones by a jump; where there is no
// footage it waits at the place where it goes on. Knows no markup: the tile draws its signals.
import { signal } from "@preact/signals";
import { address, Problem, request } from "./api.js";
import { gapCause, nearestFootage } from "./footage_lookup.js";
import { HlsSource, Trouble } from "./hls_source.js";
import { PlayWindow } from "./play_window.js";
import { ShownFrames } from "./shown_frames.js";
import { serverNow } from "./site.js";
import { MINUTE, query, read, SECOND } from "./time.js";

/** Less than this is left alone: a browser's own clock is no better. */
const STILL_S = 0.007;
/** From here on the video jumps, at normal speed. */
const JUMP_S = 0.6;
/** A difference is made up within about this time, and at most this much faster or slower: nobody sees or hears it. */
const CORRECTION_S = 0.7;
const CORRECTION = 0.12;
/** Near now what was missing may have come meanwhile. */
const RENEW_MS = 5 * SECOND;
const NOT_NETWORK = -1;

export class Follower {
  /** Wall time (ms) of the frame on the screen. */
  shown = signal(null);
  /** By how much that frame was ahead of the clock when it appeared (ms); null while nothing moves. */
  ahead = signal(null);
  /**
   * {kind: "gap", from, to, cause, detail} (`null`: nothing before, nothing after) | {kind: "never"} | {kind: "codec"}
   * | {kind: "failed", problem} | null
   */
  obstacle = signal(null);
  /** Media is awaited. */
  waiting = signal(false);

  #camera;
  #clock; // the shared one
  #video = null;
  #source = null;
  #playlist = null; // a PlaylistClock
  #window = null; // {from, to} asked for
  #asked = 0; // when
  #frames = new ShownFrames();
  #windows = new PlayWindow();
  #turn = 0;
  #jumpS = 0.15; // how long a jump of this video takes
  #jumpedAt = null;

  constructor(cameraId, clock) {
    this.#camera = cameraId;
    this.#clock = clock;
  }

  /** Takes the <video>; returns the way to let go of it. */
  attach(video) {
    this.#video = video;
    const stop = this.#frames.watch(video, (media) => this.#seen(media));
    const seeked = () => this.#arrived();
    video.addEventListener("seeked", seeked);
    return () => {
      stop();
      video.removeEventListener("seeked", seeked);
      this.#close();
      this.#video = null;
    };
  }

  /** Length of a frame, ms. */
  get frameMs() {
    return this.#frames.frameS * 1000;
  }

  /** True while the shared clock need not wait for this one. */
  get ready() {
    return Boolean(this.obstacle.value) || (!this.waiting.value && this.#playlist !== null);
  }

  /** Brings the video to where the clock is; called many times a second. */
  follow() {
    if (!this.#video || this.obstacle.value?.kind === "failed" || this.obstacle.value?.kind === "codec") return;
    const wall = this.#clock.now();
    if (this.#inKnownGap(wall)) return;
    if (!this.#window || wall < this.#window.from || wall >= this.#window.to) this.#load(wall);
    if (!this.#playlist) return;
    const target = this.#playlist.target(wall);
    if (!target) this.#behindTheEnd(wall);
    else if (target.gap) this.#waitBehind(target);
    else this.#keepUp(target.media);
  }

  retry() {
    this.#close();
    this.obstacle.value = null;
  }

  /** Fast play needs more in hand. */
  setRate(rate) {
    this.#source?.setRate(rate);
  }

  // ---- following

  #keepUp(media) {
    this.#clear();
    const video = this.#video;
    const [wanted, running] = [this.#clock.playing.value, this.#clock.running];
    this.waiting.value = video.seeking ? video.readyState < 2 : video.readyState < (wanted && !video.ended ? 3 : 2);
    if (video.seeking) return;
    const error = video.currentTime - media;
    const rate = this.#clock.rate.value;
    if (!running) {
      if (!video.paused) video.pause();
      // A clock that only waits for another camera goes on in a moment: no jump for a frame.
      if (Math.abs(error) > (wanted ? 0.08 : 0.004)) this.#jump(media + 0.001);
      return;
    }
    if (Math.abs(error) > JUMP_S * Math.max(1, rate)) this.#jump(media + this.#jumpS * rate);
    else this.#steer(error, rate);
    if (video.paused) video.play().catch(() => {}); // interrupted by a newer wish
  }

  #steer(error, rate) {
    const share = Math.abs(error) < STILL_S * rate ? 0 : Math.max(-CORRECTION, Math.min(CORRECTION, error / CORRECTION_S / rate));
    const speed = Math.round(rate * (1 - share) * 100) / 100;
    if (this.#video.playbackRate !== speed) this.#video.playbackRate = speed;
  }

  #jump(media) {
    this.#jumpedAt = performance.now();
    this.#video.currentTime = Math.max(0, media);
  }

  #arrived() {
    if (this.#jumpedAt === null) return;
    const took = (performance.now() - this.#jumpedAt) / 1000;
    this.#jumpedAt = null;
    this.#jumpS = Math.min(1, this.#jumpS * 0.5 + took * 0.5);
  }

  #seen(media) {
    if (!this.#playlist || this.obstacle.value) return;
    const wall = this.#playlist.wallAt(media);
    this.shown.value = wall;
    this.ahead.value = this.#clock.running && !this.#video.seeking ? wall - this.#clock.now() : null;
  }

  #clear() {
    if (this.obstacle.value) {
      this.#turn++;
      this.obstacle.value = null;
    }
  }

  // ---- where there is nothing

  /** True while the clock is inside the gap that is shown, and nothing needs doing. */
  #inKnownGap(wall) {
    const gap = this.obstacle.value;
    if (gap?.kind === "never") return true;
    if (gap?.kind !== "gap") return false;
    const inside = (gap.from === null || wall >= gap.from) && (gap.to === null || wall < gap.to);
    const fresh = gap.to !== null || serverNow() - wall > MINUTE || performance.now() - this.#asked < RENEW_MS;
    if (inside && fresh) return true;
    if (inside) this.#close(); // near now: what was missing may be there
    this.#clear();
    return false;
  }

  /** The video stands ready at the picture with which the footage goes on. */
  #waitBehind({ media, gap }) {
    this.#gap(gap.from, gap.to);
    this.#video.pause();
    this.#jump(media + 0.001);
  }

  /** The playlist has nothing at `wall` or after it. */
  async #behindTheEnd(wall) {
    const from = this.#playlist.to;
    this.#video.pause();
    const turn = this.#gap(from, null);
    const missing = await nearestFootage(this.#camera, wall);
    if (turn === this.#turn && missing?.after) this.#amend({ to: missing.after }, turn);
  }

  #gap(from, to) {
    const turn = ++this.#turn;
    this.waiting.value = false;
    this.shown.value = this.ahead.value = null;
    this.obstacle.value = { kind: "gap", from, to, cause: null, detail: "" };
    this.#explain(turn);
    return turn;
  }

  /** Adds the cause at the very moment: a long gap may have several. */
  async #explain(turn) {
    const now = this.#clock.now();
    const why = await gapCause(this.#camera, now, now + SECOND);
    if (why) this.#amend(why, turn);
  }

  #amend(more, turn) {
    if (turn === this.#turn && this.obstacle.value?.kind === "gap") this.obstacle.value = { ...this.obstacle.value, ...more };
  }

  // ---- loading

  #load(wall) {
    this.#close();
    const turn = ++this.#turn;
    this.#window = this.#windows.around(wall);
    this.#asked = performance.now();
    this.waiting.value = true;
    const url = address(`/play/${this.#camera}/index.m3u8`, { from: query(this.#window.from), to: query(this.#window.to) });
    this.#source = new HlsSource(this.#video, url, {
      begin: (playlist) => {
        this.#playlist = playlist;
        const target = playlist.target(this.#clock.now());
        return target ? target.media + 0.001 : Math.max(0, playlist.mediaOf(playlist.fragments.length - 1));
      },
      renew: (playlist) => (this.#playlist = playlist),
      trouble: (word, data) => turn === this.#turn && this.#trouble(word, data, url),
    });
    this.#source.setRate(this.#clock.rate.value);
  }

  #close() {
    this.#source?.close();
    this.#source = this.#playlist = this.#window = this.#jumpedAt = null;
    this.waiting.value = false;
    this.shown.value = this.ahead.value = null;
  }

  #trouble(word, data, url) {
    if (word === Trouble.CODEC) {
      this.#close();
      this.obstacle.value = { kind: "codec" };
    } else if (word === Trouble.MISSING) this.#missing(url);
    else if (word === Trouble.MEDIA && this.#windows.mayReload()) {
      // Not beyond the changes of init around it, should they be the reason.
      const index = this.#playlist?.indexFor(this.#clock.now()) ?? -1;
      if (index >= 0) this.#windows.cut(this.#playlist.section(index));
      this.#close();
    } else {
      this.#close();
      const problem = new Problem(data.response?.code ?? NOT_NETWORK, { detail: data.error?.message, title: data.details });
      this.obstacle.value = { kind: "failed", problem };
    }
  }

  /** The whole window is empty: the server's answer names the nearest footage on both sides. */
  async #missing(url) {
    const turn = this.#turn;
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
