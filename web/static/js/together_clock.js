// The one wall clock that several videos follow. It stands still while a picture is awaited, so that none falls behind.
import { batch, signal } from "@preact/signals";
import { serverNow } from "./site.js";
import { SECOND } from "./time.js";

/** Footage can be played a few seconds after it happened: the clock keeps this far behind now. */
const EDGE_MS = 15 * SECOND;

export const RATES = [0.25, 0.5, 1, 2, 4, 8];

export class SharedClock {
  /** Wall time (ms), told anew some times a second; `now()` is exact. */
  at;
  playing = signal(false);
  rate = signal(1);
  /** Waits for pictures. */
  held = signal(false);

  #base; // {wall, since}: the wall time at that moment of performance.now(); `since` null while it stands

  constructor(at) {
    this.at = signal(at);
    this.#base = { wall: at, since: null };
  }

  /** The wall time at this very moment, ms. */
  now() {
    const { wall, since } = this.#base;
    return since === null ? wall : wall + (performance.now() - since) * this.rate.value;
  }

  get running() {
    return this.#base.since !== null;
  }

  /** Brings `at` up to date; at the live edge the clock goes no faster than time itself. */
  tick() {
    const newest = serverNow() - EDGE_MS;
    if (this.now() > newest && this.running) {
      this.rate.value = 1;
      this.#set(newest);
    }
    this.at.value = this.now();
  }

  jump(ms) {
    this.#set(Math.min(ms, serverNow() - EDGE_MS));
    this.at.value = this.now();
  }

  play() {
    this.playing.value = true;
    this.#set(this.now());
  }

  pause() {
    const here = this.now();
    this.playing.value = false;
    this.#set(here);
  }

  setRate(rate) {
    const here = this.now();
    batch(() => {
      this.rate.value = rate;
      this.#set(here);
    });
  }

  /** Stands still until it is released, whatever the viewer wants. */
  hold(held) {
    if (held === this.held.value) return;
    const here = this.now();
    this.held.value = held;
    this.#set(here);
  }

  #set(wall) {
    this.#base = { wall, since: this.playing.value && !this.held.value ? performance.now() : null };
  }
}
