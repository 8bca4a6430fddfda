// Playing backwards, keyframe by keyframe: no browser plays video in reverse.

const TICK_MS = 200;

export class ReversePlay {
  #timer = null;

  /**
   * From `position` (ms) at `rate` (negative). `clock()` is the PlaylistClock of now; `show(position, index)` brings that wall
   * time and that playlist entry on the screen, `index` null where the shown entry stays; `edge()` when the playlist is used
   * up. Waits where `busy()`.
   */
  start(position, rate, { clock, show, edge, busy }) {
    this.stop();
    let before = performance.now();
    let shown = -1;
    this.#timer = setInterval(() => {
      const tick = performance.now();
      position += (tick - before) * rate;
      before = tick;
      if (busy()) return;
      const playlist = clock();
      if (position < playlist.from) {
        this.stop();
        edge();
        return;
      }
      const gap = playlist.gapBefore(playlist.indexFor(position));
      if (gap && position < gap.to) position = gap.from - 1; // over the gap, without its panel
      const index = playlist.indexFor(position);
      show(position, index >= 0 && index !== shown ? index : null);
      shown = index;
    }, TICK_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
