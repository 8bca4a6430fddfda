// What the timeline draws: asks the server for the view and some room around it, keeps the answers, renews those that
// reach now.
import { signal } from "@preact/signals";
import { get } from "./api.js";
import { serverNow } from "./site.js";
import { DAY, HOUR, MINUTE, query, read, SECOND } from "./time.js";

// Lengths of an activity bucket: steps that nest, so that neighbouring answers look alike.
const BUCKETS = [1, 2, 5, 10, 30].map((n) => n * SECOND);
BUCKETS.push(...[1, 2, 5, 10, 30].map((n) => n * MINUTE), HOUR, 3 * HOUR, 12 * HOUR, DAY);
const BUCKET_PX = 3;
const KEPT = 6;
const DEBOUNCE_MS = 80;
const RENEW_MS = 5 * SECOND;

export class TimelineData {
  /** Answers, coarse first: {from, to, bucket, spans: [{from, to}], gaps: [{from, to, cause, detail}], values, coverage}. */
  answers = signal([]);
  problem = signal(null);

  #camera;
  #asking = null;
  #timer = null;

  constructor(cameraId) {
    this.#camera = cameraId;
  }

  /** The view changed (ms, ms, width in px): fetches what is not there yet. */
  want(from, to, width) {
    clearTimeout(this.#timer);
    const bucket = bucketFor((to - from) / width);
    const best = this.answers.value.find((answer) => answer.bucket === bucket && covers(answer, from, to));
    const stale = best && to > best.asked - RENEW_MS && serverNow() - best.asked > RENEW_MS;
    if (best && !stale) return;
    this.#timer = setTimeout(() => this.#fetch(from, to, bucket), best ? 0 : DEBOUNCE_MS);
  }

  async #fetch(from, to, bucket) {
    this.#asking?.abort();
    const mine = (this.#asking = new AbortController());
    const room = (to - from) / 2;
    const [start, end] = [Math.floor((from - room) / bucket) * bucket, Math.ceil((to + room) / bucket) * bucket];
    const asked = serverNow();
    try {
      const answer = await get(
        `cameras/${this.#camera}/timeline`,
        { from: query(start), to: query(end), buckets: Math.round((end - start) / bucket) },
        { signal: mine.signal },
      );
      this.#add({ ...digest(answer), from: start, to: end, bucket, asked });
      this.problem.value = null;
    } catch (error) {
      if (!mine.signal.aborted) this.problem.value = error;
    }
  }

  #add(answer) {
    const others = this.answers.value.filter(
      (old) => !(old.bucket === answer.bucket && old.from < answer.to && old.to > answer.from) || !covers(answer, old.from, old.to),
    );
    const kept = [...others.slice(-KEPT + 1), answer];
    this.answers.value = kept.toSorted((a, b) => b.bucket - a.bucket || a.asked - b.asked);
  }

  /** The best answer for a view: the finest that covers it, else the widest there is. */
  best(from, to) {
    const list = this.answers.value;
    return list.findLast((answer) => covers(answer, from, Math.min(to, serverNow()))) ?? list[0] ?? null;
  }

  /** The gap at that instant, or null. */
  gapAt(ms) {
    const answer = this.#finest(ms);
    return answer?.gaps.find((gap) => gap.from <= ms && ms < gap.to) ?? null;
  }

  /** True where there is footage at that instant, by what is known so far. */
  recordedAt(ms) {
    const answer = this.#finest(ms);
    return Boolean(answer?.spans.some((span) => span.from <= ms && ms < span.to));
  }

  #finest(ms) {
    return this.answers.value.findLast((answer) => answer.from <= ms && ms < answer.to);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }
}

const covers = (answer, from, to) => answer.from <= from && answer.to >= to;

export function bucketFor(msPerPx) {
  return BUCKETS.find((bucket) => bucket >= msPerPx * BUCKET_PX) ?? BUCKETS.at(-1);
}

/** A timeline of the API with its times read. */
export function digest(answer) {
  const range = (one) => ({ ...one, from: read(one.from), to: read(one.to) });
  return {
    spans: answer.spans.map(range),
    gaps: answer.gaps.map(range),
    values: answer.activity?.values ?? [],
    coverage: answer.coverage,
  };
}
