// Holds as the API has them, read for the pages.
import { signal } from "@preact/signals";
import { get } from "./api.js";
import { read } from "./time.js";

const PAGES = 20;

/** A hold with its times read: {id, case, camera_id, from, to, reason, by, created, review, released, ...}. */
export function digestHold(hold) {
  return {
    ...hold,
    from: read(hold.from),
    to: read(hold.to),
    created: read(hold.created_at),
    review: read(hold.review_at),
    released: read(hold.released_at),
  };
}

/** The active holds of one camera, for its timeline. */
export class CameraHolds {
  list = signal([]);
  #camera;

  constructor(cameraId) {
    this.#camera = cameraId;
  }

  /** Asks anew; a failure leaves what was known: the timeline says nothing it does not know. */
  async load() {
    try {
      const found = [];
      let cursor = null;
      for (let page = 0; page < PAGES; page++) {
        const answer = await get("holds", { camera: this.#camera, limit: 500, cursor });
        found.push(...answer.items.map(digestHold).filter((hold) => hold.released === null));
        cursor = answer.next;
        if (!cursor) break;
      }
      this.list.value = found;
    } catch {
      // Told where holds are listed.
    }
  }

  /** The hold at that instant, or undefined. */
  at(ms) {
    return this.list.value.find((hold) => hold.from <= ms && ms < hold.to);
  }
}
