// The stretch of time that a timeline shows, and the ways to move it.
import { signal } from "@preact/signals";
import { serverNow } from "./site.js";
import { DAY, HOUR, MINUTE, SECOND } from "./time.js";

const NARROWEST_MS = 10 * SECOND;
const WIDEST_MS = 62 * DAY;
/** How much of the view may lie in the future. */
const FUTURE = 0.3;

/** Lengths on offer as buttons. */
export const LENGTHS = [
  [10 * MINUTE, "unit.min", 10],
  [HOUR, "unit.h", 1],
  [6 * HOUR, "unit.h", 6],
  [DAY, "unit.h", 24],
  [7 * DAY, "unit.d", 7],
  [30 * DAY, "unit.d", 30],
];

// After a viewer moved the timeline it does not follow the playhead for a while.
const HANDS_OFF_MS = 5 * SECOND;

export class TimelineView {
  /** {from, to} in ms. */
  range;
  #touched = 0;

  constructor(centre, length) {
    this.range = signal(clamp(centre - length / 2, length));
  }

  get length() {
    return this.range.value.to - this.range.value.from;
  }

  /** Zooms by `factor` (below 1: closer) around `ms`, which keeps its place. */
  zoom(factor, ms) {
    this.#touched = performance.now();
    const { from } = this.range.value;
    const length = Math.min(WIDEST_MS, Math.max(NARROWEST_MS, this.length * factor));
    this.range.value = clamp(ms - ((ms - from) * length) / this.length, length);
  }

  pan(ms) {
    this.#touched = performance.now();
    this.range.value = clamp(this.range.value.from + ms, this.length);
  }

  /** That length around `ms`. */
  show(length, ms) {
    this.range.value = clamp(ms - length / 2, length);
  }

  /** Brings `ms` into view if it is not there. */
  reveal(ms) {
    const { from, to } = this.range.value;
    if (ms < from || ms > to) this.show(this.length, ms);
  }

  /** Keeps a moving playhead in view: pages on when it nears the edge; in live it stays at its place. */
  follow(ms, live) {
    if (performance.now() - this.#touched < HANDS_OFF_MS) return;
    const { from } = this.range.value;
    const place = (ms - from) / this.length;
    if (live) {
      if (Math.abs(place - 0.85) * this.length > this.length / 2000) this.range.value = clamp(ms - 0.85 * this.length, this.length);
    } else if (place > 0.95) this.range.value = clamp(ms - 0.2 * this.length, this.length);
    else if (place < 0.02) this.range.value = clamp(ms - 0.8 * this.length, this.length);
  }
}

function clamp(from, length) {
  const latest = serverNow() - length * (1 - FUTURE);
  const start = Math.min(from, latest);
  return { from: start, to: start + length };
}
