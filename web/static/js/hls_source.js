// One playlist in one <video>: hls.js set up as our playlists want it, its errors sorted into what a viewer can act on.
import Hls from "hls.js";
import { PlaylistClock } from "./playlist_clock.js";

const CONFIG = {
  autoStartLoad: false, // the start is known only when the playlist has told which entry holds the wanted instant
  enableWorker: false, // fragmented MP4 passes through; nothing heavy to move off the page
  lowLatencyMode: false,
  maxBufferLength: 20,
  maxMaxBufferLength: 120,
  backBufferLength: 60, // frames back without loading again
  liveSyncDuration: 3,
  liveMaxLatencyDuration: 30,
  liveSyncOnStallIncrease: 2,
  manifestLoadPolicy: policy(15_000, 1),
  playlistLoadPolicy: policy(15_000, 3),
  fragLoadPolicy: policy(20_000, 4),
};

function policy(patienceMs, tries) {
  const retry = { maxNumRetry: tries, retryDelayMs: 500, maxRetryDelayMs: 4000 };
  return {
    default: { maxTimeToFirstByteMs: patienceMs, maxLoadTimeMs: patienceMs, timeoutRetry: retry, errorRetry: retry },
  };
}

/** What went wrong, in one word. */
export const Trouble = Object.freeze({
  MISSING: "missing", // the server has no playlist for that window (404)
  EMPTY: "empty", // a live playlist without entries yet
  CODEC: "codec", // this browser cannot decode it
  MEDIA: "media", // the browser refused the bytes or lost its decoder
  FAILED: "failed",
});

const CODEC_ERRORS = new Set([
  Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR,
  Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
]);

/** True when this browser can play segments at all. */
export const supported = () => Hls.isSupported();

export class HlsSource {
  #hls;
  #started = false;

  /**
   * `begin(clock)` is called once with the first PlaylistClock and returns the media time to start from;
   * `renew(clock)` on every later one (live); `trouble(word, data)` when it cannot go on.
   */
  constructor(video, url, { begin, renew, trouble }) {
    const hls = (this.#hls = new Hls({ ...CONFIG }));
    const read = (_, { details }) => {
      const clock = new PlaylistClock(details.fragments);
      if (clock.empty) return;
      if (this.#started) {
        renew(clock);
        return;
      }
      this.#started = true;
      const media = begin(clock);
      if (this.#hls) hls.startLoad(media);
    };
    hls.on(Hls.Events.LEVEL_LOADED, (event, data) => this.#started || read(event, data));
    hls.on(Hls.Events.LEVEL_UPDATED, read);
    hls.on(Hls.Events.ERROR, (_, data) => this.#error(data, trouble));
    hls.attachMedia(video);
    hls.loadSource(url);
  }

  #error(data, trouble) {
    if (!this.#hls) return;
    if (CODEC_ERRORS.has(data.details)) trouble(Trouble.CODEC, data);
    else if (data.details === Hls.ErrorDetails.LEVEL_EMPTY_ERROR) trouble(Trouble.EMPTY, data);
    else if (!data.fatal) return;
    else if (data.response?.code === 404) trouble(Trouble.MISSING, data);
    else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) trouble(Trouble.MEDIA, data);
    else trouble(Trouble.FAILED, data);
  }

  /** Fast play needs more in hand: seconds of media that `rate` eats in about 20 s. */
  setRate(rate) {
    if (this.#hls) this.#hls.config.maxBufferLength = Math.min(120, Math.max(20, 20 * Math.abs(rate)));
  }

  /** Where a live playlist wants to be played, in media time; null while unknown. */
  get livePosition() {
    return this.#hls?.liveSyncPosition ?? null;
  }

  close() {
    this.#hls?.destroy();
    this.#hls = null;
  }
}
