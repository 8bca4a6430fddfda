// Which stretch of time to load around a wanted instant, and how often a broken one may be loaded anew. No media, no markup.
import { HOUR, MINUTE, SECOND } from "./time.js";

// Up to two hours a playlist has an entry for every fragment.
const BEFORE_MS = 30 * MINUTE;
const AFTER_MS = HOUR;
// After a media error the playlist is loaded anew, this often within this time; then it is said.
const RELOADS = 3;
const RELOADS_MS = 15 * SECOND;
/** Playlists tell times to the millisecond, the server knows them better. */
export const ROUNDING_MS = 3;

export class PlayWindow {
  #cuts = []; // wall times that no window may cross: the tracks change there
  #reloads = []; // when the last ones were

  /** {from, to} in ms around `ms`. */
  around(ms) {
    const before = this.#cuts.filter((cut) => cut <= ms + ROUNDING_MS);
    const after = this.#cuts.filter((cut) => cut > ms + ROUNDING_MS);
    return {
      from: Math.max(ms - BEFORE_MS, ...before),
      to: Math.min(ms + AFTER_MS, ...after.map((cut) => cut - ROUNDING_MS)),
    };
  }

  /** No window may cross these from now on; null is none. */
  cut({ from, to }) {
    this.#cuts.push(...[from, to].filter((cut) => cut !== null));
  }

  /** True while a reload may still help; counts it. */
  mayReload() {
    const now = performance.now();
    this.#reloads = [...this.#reloads.filter((at) => now - at < RELOADS_MS), now];
    return this.#reloads.length <= RELOADS;
  }
}
