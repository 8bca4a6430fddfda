// What every page knows of the whole site: its status, and the server's clock. Polls, and listens where it can.
import { computed, signal } from "@preact/signals";
import { get } from "./api.js";
import { read } from "./time.js";

const POLL_MS = 10_000;

/** The answer of /api/v1/status, null until it came. */
export const status = signal(null);
/** The Problem of the last poll, null while all is well. */
export const statusProblem = signal(null);
/** Now by the server's clock, in ms; ticks once a second. */
export const now = signal(Date.now());

let ahead = 0; // server clock minus this machine's, ms

/** The server's clock at this very moment. */
export const serverNow = () => Date.now() + ahead;

export const segmentMs = computed(() => (status.value?.segment_seconds ?? 60) * 1000);

const listeners = new Set();

/** `heard(event)` is called with {camera_id, state, cause, ...} when the server tells of a change. Returns the way to stop. */
export function onCameraEvent(heard) {
  listeners.add(heard);
  return () => listeners.delete(heard);
}

async function poll() {
  try {
    const asked = Date.now();
    const answer = await get("status");
    const answered = Date.now();
    const told = read(answer.now);
    if (told) ahead = told - (asked + answered) / 2;
    status.value = answer;
    statusProblem.value = null;
  } catch (problem) {
    statusProblem.value = problem;
  }
}

let soon = null;
function pollSoon() {
  // Events come in bursts (a switch reboots): one poll for all of them.
  soon ??= setTimeout(() => {
    soon = null;
    poll();
  }, 500);
}

let source = null;
function listen() {
  source = new EventSource("/api/v1/events");
  source.addEventListener("camera", (event) => {
    const data = JSON.parse(event.data);
    for (const heard of listeners) heard(data);
    pollSoon();
  });
  source.addEventListener("storage", pollSoon);
}

function look() {
  // A browser opens six connections to a server: a page nobody sees must not hold one.
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (!source) {
    listen();
    poll();
  }
}

export function start() {
  setInterval(() => (now.value = serverNow()), 1000);
  setInterval(() => document.hidden || poll(), POLL_MS);
  document.addEventListener("visibilitychange", look);
  look();
}
