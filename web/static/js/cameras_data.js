// Which cameras the list shows: what was asked for (kept in the address), the page that came, and turning pages.
import { signal } from "@preact/signals";
import { get } from "./api.js";
import { keep, recall } from "./choices.js";

const PAGE = { grid: 60, list: 100 };

export const STATES = ["recording", "failed", "starting", "disabled"];
/** What narrows the list, each a parameter of the API by the same name; "" for any. */
const NAMES = ["text", "state", "kind", "station", "site", "troubles", "archived"];

const asked = new URLSearchParams(location.search);
/** {text, state, kind, station, site, troubles, archived}: troubles and archived are "true" or "". */
export const wanted = signal({
  ...Object.fromEntries(NAMES.map((name) => [name, asked.get(name) ?? ""])),
  state: STATES.includes(asked.get("state")) ? asked.get("state") : "",
});
export const view = signal(recall("cameras.view", "grid") === "list" ? "list" : "grid");
// The cursors that led to this page, the first page's being null. Kept with the history entry, so "back" returns here.
export const trail = signal(history.state?.trail ?? [null]);

export const answer = signal(null); // the last good page, and what was asked for it
export const problem = signal(null);
let asking = null;

export const narrowed = () => NAMES.some((name) => wanted.value[name].trim());

export async function load() {
  asking?.abort();
  const mine = (asking = new AbortController());
  const limit = PAGE[view.value];
  const query = Object.fromEntries(NAMES.map((name) => [name, wanted.value[name].trim()]));
  const key = JSON.stringify([query, limit, trail.value.at(-1)]);
  try {
    const page = await get("cameras", { ...query, order: "use", limit, cursor: trail.value.at(-1) }, { signal: mine.signal });
    answer.value = { ...page, key, limit };
    problem.value = null;
  } catch (error) {
    if (mine.signal.aborted) return;
    // A page that was read once stays: old states beside a word of warning are better than nothing.
    if (answer.value?.key !== key) answer.value = null;
    problem.value = error;
  }
}

/** Something else is wanted: back to the first page, and the address says it. */
export function ask(change) {
  wanted.value = { ...wanted.value, ...change };
  trail.value = [null];
  const query = new URLSearchParams();
  for (const name of NAMES) if (wanted.value[name].trim()) query.set(name, wanted.value[name].trim());
  const search = query.toString();
  history.replaceState({ trail: trail.value }, "", search ? `/?${search}` : "/");
  load();
}

export const askAll = () => ask(Object.fromEntries(NAMES.map((name) => [name, ""])));

export function turn(to) {
  trail.value = to;
  history.replaceState({ trail: to }, "");
  load();
  document.getElementById("content").scrollTop = 0;
}

export function setView(name) {
  keep("cameras.view", name);
  view.value = name;
  ask({});
}
