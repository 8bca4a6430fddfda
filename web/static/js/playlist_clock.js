// Between media time (where the <video> is, in s) and wall time (when it happened, in ms), by the entries of a playlist.
// Pure: fragments are hls.js's, of which {start, duration (s), programDateTime (ms)} are read, live: hls.js corrects `start`
// as it parses the media.

/** Less than this between two entries is rounding, not a gap (the time model corrects by 500 ppm at most). */
export const GAP_MS = 1500;

export class PlaylistClock {
  constructor(fragments) {
    this.fragments = fragments.filter((fragment) => Number.isFinite(fragment.programDateTime));
  }

  get empty() {
    return this.fragments.length === 0;
  }

  /** Wall time of the first entry's start and the last one's end. */
  get from() {
    return this.fragments[0].programDateTime;
  }

  get to() {
    return end(this.fragments.at(-1));
  }

  /** The entry shown at that media time; the nearest one outside of all. */
  indexAt(media) {
    return Math.max(0, last(this.fragments, (fragment) => fragment.start <= media + 0.001));
  }

  wallAt(media) {
    const fragment = this.fragments[this.indexAt(media)];
    const inside = Math.min(Math.max(0, media - fragment.start), fragment.duration);
    return fragment.programDateTime + inside * 1000;
  }

  /** The entry that holds `wall`, or the first after it; -1 behind the last one's end. */
  indexFor(wall) {
    const at = last(this.fragments, (fragment) => fragment.programDateTime <= wall);
    if (at >= 0 && wall < end(this.fragments[at])) return at;
    return at + 1 < this.fragments.length ? at + 1 : -1;
  }

  /**
   * Where to go for the wall time: {media, wall, gap}. In a gap `wall` is where footage goes on and `gap` says from when to
   * when there is none (`from` null: since before this playlist). Null when nothing follows.
   */
  target(wall) {
    const index = this.indexFor(wall);
    if (index < 0) return null;
    const fragment = this.fragments[index];
    const inside = Math.max(0, wall - fragment.programDateTime) / 1000;
    const away = fragment.programDateTime - wall > GAP_MS;
    const gap = away ? (this.gapBefore(index) ?? { from: null, to: fragment.programDateTime }) : null;
    return { media: fragment.start + inside, wall: fragment.programDateTime + inside * 1000, gap };
  }

  /** {from, to} of what is missing right before that entry, or null. */
  gapBefore(index) {
    if (index <= 0) return null;
    const gap = { from: end(this.fragments[index - 1]), to: this.fragments[index].programDateTime };
    return gap.to - gap.from > GAP_MS ? gap : null;
  }

  /** The first entry after `earlier`, up to `later`, that comes after a gap: its index, or -1. */
  firstGap(earlier, later) {
    for (let index = earlier + 1; index <= later; index++) if (this.gapBefore(index)) return index;
    return -1;
  }

  /**
   * The wall times around that entry at which the init changes: tracks may differ there (audio comes or goes), and no player
   * can go on across that. {from, to}, null where the playlist itself ends.
   */
  section(index) {
    const init = (n) => initOf(this.fragments[n]);
    let [first, next] = [index, index + 1];
    while (first > 0 && init(first - 1) === init(index)) first--;
    while (next < this.fragments.length && init(next) === init(index)) next++;
    return {
      from: first > 0 ? this.fragments[first].programDateTime : null,
      to: next < this.fragments.length ? this.fragments[next].programDateTime : null,
    };
  }

  mediaOf(index) {
    return this.fragments[index].start;
  }
}

const initOf = ({ initSegment }) => initSegment && `${initSegment.url} ${initSegment.byteRangeStartOffset}`;

const end = (fragment) => fragment.programDateTime + fragment.duration * 1000;

/** Index of the last element for which `holds` is true, given that it is true for a first stretch only; -1 for none. */
export function last(list, holds) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
