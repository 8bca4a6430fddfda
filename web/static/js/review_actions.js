// What a viewer can do in Review, by key or by button.
import { get, request } from "./api.js";
import { t } from "./i18n.js";
import { toast } from "./signs.js";
import { serverNow } from "./site.js";
import { stillUrl } from "./still.js";
import { digest } from "./timeline_data.js";
import { dateTimeText, DAY, HOUR, MINUTE, query, read, SECOND, stampText } from "./time.js";

// Next activity: looked for in steps of this length, this many times.
const SEARCH = { window: 3 * HOUR, bucket: 10 * SECOND, times: 8 };
// Activity counts when a bucket stands out: above this, and well above what the stretch usually has.
const ACTIVE = { floor: 24, factor: 1.5 };

/** `room` {camera, playback, view, data, selection, choosing, dialog}; all but the camera's id are signals or objects of signals. */
export function reviewActions(room) {
  const { camera, playback, view, selection, choosing, dialog } = room;
  const at = () => playback.at.value ?? serverNow();

  function visit(ms, options) {
    view.reveal(ms);
    playback.seek(ms, options);
  }

  async function activity() {
    const found = await nextActivity(camera.value.id, at() + SEARCH.bucket);
    if (found === null) toast(t("player.no_activity"));
    else visit(found);
  }

  /** To the start of the next recording, or of this or the previous one. */
  async function recording(direction) {
    const here = at();
    const range = direction > 0 ? [here, Math.min(here + 2 * DAY, serverNow())] : [here - 2 * DAY, here];
    if (range[1] - range[0] < SECOND) return;
    try {
      const { spans } = digest(await get(`cameras/${camera.value.id}/timeline`, { from: query(range[0]), to: query(range[1]) }));
      const starts = joined(spans).map((span) => span.from);
      const next = direction > 0 ? starts.find((ms) => ms > here + SECOND) : starts.findLast((ms) => ms < here - 3 * SECOND);
      if (next !== undefined) visit(next);
    } catch (problem) {
      toast(problem.message);
    }
  }

  async function still() {
    const one = camera.value;
    try {
      const response = await request(`${stillUrl(one.id, at())}&exact=1`);
      const shown = read(response.headers.get("X-Frame-Time")) ?? at();
      save(await response.blob(), `${one.code}_${stampText(shown)}.jpg`);
      toast(t("player.still_done", { time: dateTimeText(shown, { millis: true }) }));
    } catch {
      toast(t("player.still_failed"));
    }
  }

  async function link() {
    const url = new URL(location.pathname, location.origin);
    url.searchParams.set("at", query(at()));
    try {
      await navigator.clipboard.writeText(url.href);
      toast(t("review.link_done"));
    } catch {
      history.replaceState(history.state, "", url);
      toast(t("review.link_failed"));
    }
  }

  function mark(edge) {
    const here = at();
    const old = selection.value ?? { from: here, to: here };
    const range = { ...old, [edge]: here };
    if (range.to <= range.from) range[edge === "from" ? "to" : "from"] = edge === "from" ? here + MINUTE : here - MINUTE;
    selection.value = range;
  }

  /** The clip form, on the chosen range or on five minutes around the playhead. */
  function clip(range) {
    const around = { from: at() - 2.5 * MINUTE, to: Math.min(at() + 2.5 * MINUTE, serverNow()) };
    dialog.value = { name: "clip", range: range ?? around };
  }

  /** The form of a hold, on the chosen range; without one it says how a range is chosen. */
  function hold() {
    if (selection.value) dialog.value = { name: "hold", range: { ...selection.value } };
    else toast(t("hold.choose_range"));
  }

  return {
    visit,
    activity,
    hold,
    recording,
    still,
    link,
    mark,
    clip,
    toggle: () => playback.toggle(),
    slower: () => playback.slower(),
    faster: () => playback.faster(),
    step: (direction) => playback.step(direction),
    jump: (seconds) => visit(at() + seconds * SECOND),
    live: () => playback.goLive(),
    sound: () => playback.toggleSound(),
    goto: () => (dialog.value = { name: "goto" }),
    keys: () => (dialog.value = { name: "keys" }),
    help: () => (dialog.value = { name: "keys" }),
    download: () => clip(selection.value),
    zoom: (factor) => view.zoom(factor, at()),
    pan: (share) => view.pan(share * view.length),
    fullScreen() {
      this.full();
    },
    clear() {
      selection.value = null;
      choosing.value = false;
    },
  };
}

/** Spans of one recording: run after run without a gap between them. */
function joined(spans) {
  const whole = [];
  for (const span of spans) {
    if (whole.length && span.from - whole.at(-1).to < 1500) whole.at(-1).to = span.to;
    else whole.push({ ...span });
  }
  return whole;
}

/** Start of the next stretch that stands out after `from`, or null. */
async function nextActivity(cameraId, from) {
  for (let n = 0; n < SEARCH.times; n++) {
    const start = from + n * SEARCH.window;
    const end = Math.min(start + SEARCH.window, serverNow());
    if (end - start < SEARCH.bucket) return null;
    const buckets = Math.ceil((end - start) / SEARCH.bucket);
    const answer = digest(await get(`cameras/${cameraId}/timeline`, { from: query(start), to: query(end), buckets }));
    const index = standsOut(answer.values);
    if (index >= 0) return start + ((end - start) * index) / buckets;
  }
  return null;
}

/** Index of the first bucket that rises above what is usual here, -1 for none. Skips a rise that is already under way. */
export function standsOut(values) {
  const sorted = values.filter(Boolean).toSorted((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const limit = Math.max(ACTIVE.floor, usual * ACTIVE.factor);
  let quiet = (values[0] ?? 0) < limit;
  for (const [index, value] of values.entries()) {
    if (value < limit) quiet = true;
    else if (quiet) return index;
  }
  return -1;
}

function save(blob, name) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(blob);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
