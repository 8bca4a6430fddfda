// What the views of Storage share: the volumes and the promise report, asked once for all of them.
import { computed, signal } from "@preact/signals";
import { get } from "./api.js";
import { read } from "./time.js";

const FRESH_MS = 10_000;
const POLL_MS = 30_000;

/** The volumes of the API, null until they came; the Problem of the last attempt, null while all is well. */
export const volumes = signal(null);
export const volumesProblem = signal(null);
/** The promise report with its times read: {at, counts, cameras, volumes, offload}. */
export const report = signal(null);
export const reportProblem = signal(null);
/** The object store, null where none is set up or before it came. */
export const store = signal(null);

let asked = -Infinity;

/** Asks for all of it, unless that was done a moment ago. */
export async function load({ anew = false } = {}) {
  if (!anew && performance.now() - asked < FRESH_MS) return;
  asked = performance.now();
  await Promise.all([
    ask("volumes", volumes, volumesProblem, (answer) => answer.items),
    ask("retention/report", report, reportProblem, digest),
    ask("offload", store, signal(null), (answer) => (answer.configured ? answer : null)),
  ]);
}

async function ask(path, into, problem, made) {
  try {
    into.value = made(await get(path));
    problem.value = null;
  } catch (error) {
    problem.value = error;
  }
}

/** Loads now and then again and again; returns the way to stop. */
export function keepLoading() {
  load();
  const timer = setInterval(() => document.hidden || load(), POLL_MS);
  return () => clearInterval(timer);
}

function digest(answer) {
  const cameras = answer.cameras.map((one) => ({
    ...one,
    oldest: read(one.oldest_footage),
    lost: read(one.lost_until),
    share: one.min_days ? Math.min(1, one.achieved_days / one.min_days) : 1,
  }));
  return { ...answer, at: read(answer.at), cameras: cameras.toSorted(worstFirst) };
}

const WEIGHT = { broken: 0, none: 1, filling: 2, kept: 3 };

function worstFirst(one, other) {
  return WEIGHT[one.state] - WEIGHT[other.state] || one.share - other.share || (one.code < other.code ? -1 : 1);
}

/** By policy: {policy, why, min_days, cameras (worst first), counts, bytes, perDay}; the worst policy first. */
export const byPolicy = computed(() => {
  const groups = new Map();
  for (const camera of report.value?.cameras ?? []) {
    const key = `${camera.policy} ${camera.min_days}`;
    if (!groups.has(key)) groups.set(key, { key, policy: camera.policy, why: camera.why, min_days: camera.min_days, cameras: [] });
    groups.get(key).cameras.push(camera);
  }
  return [...groups.values()].map(summed).toSorted((a, b) => b.counts.broken - a.counts.broken || b.cameras.length - a.cameras.length);
});

function summed(group) {
  const counts = { broken: 0, none: 0, filling: 0, kept: 0 };
  let [bytes, perDay] = [0, 0];
  for (const camera of group.cameras) {
    counts[camera.state] += 1;
    bytes += camera.bytes;
    perDay += camera.bytes_per_day ?? 0;
  }
  return { ...group, counts, bytes, perDay };
}
