// The search that is being looked at: what was asked, what was found so far, what is chosen of it. No markup.
import { computed, signal } from "@preact/signals";
import { get } from "./api.js";
import { apiQuery, readAddress, readPlace, writeAddress } from "./find_query.js";
import { toast } from "./signs.js";
import { t } from "./i18n.js";
import { read } from "./time.js";

const PAGE = 60;
const LARGEST_PAGE = 200;
/** As many as fit on one screen and one line. */
export const TOGETHER = 4;
/** How far the nearest camera is looked for where none lies within the radius. */
const FAR_M = 50_000;

/** What was asked for (find_query.js), null before the first search. */
export const search = signal(null);
/** {items, total, withFootage, next}; null while the first page is on its way. */
export const found = signal(null);
export const problem = signal(null);
export const busy = signal(false);
/** Where nothing lies within the radius: the nearest item, or null. */
export const nearest = signal(null);
/** Cameras chosen, at most TOGETHER, in the order in which they were. */
export const ticked = signal([]);
/** The camera under the pointer, in the list or on the plan: its id or null. */
export const hot = signal(null);
/** Ids that the plan narrows the list to, or null. */
export const only = signal(null);

/** True: cameras without footage are left out of the list. */
export const withFootage = signal(false);

const has = (item) => item.spans.length > 0;

export const shown = computed(() => {
  const items = found.value?.items ?? [];
  if (only.value) return items.filter((item) => only.value.has(item.camera.id));
  return withFootage.value ? items.filter(has) : items;
});

let asking = null;

/** Starts a search anew; the address names it. `push`: "back" returns to the one before. */
export async function start(wanted, { push = true } = {}) {
  search.value = wanted;
  found.value = only.value = hot.value = nearest.value = null;
  ticked.value = [];
  withFootage.value = false;
  const url = location.pathname + writeAddress(wanted);
  if (push && url !== location.pathname + location.search) history.pushState(null, "", url);
  await page(null);
}

export const more = () => page(found.value.next);

/** Leaves out those without footage, or shows them again; the others are fetched until all are there. */
export async function showRecorded(wanted) {
  withFootage.value = wanted;
  const missing = () => found.value?.next && found.value.items.filter(has).length < found.value.withFootage;
  while (withFootage.value && missing() && !problem.value) {
    const before = found.value;
    await page(before.next, LARGEST_PAGE);
    if (found.value === before) return; // another search came between
  }
}
export const again = () => page(null);

async function page(cursor, limit = PAGE) {
  asking?.abort();
  const mine = (asking = new AbortController());
  busy.value = true;
  problem.value = null;
  try {
    const answer = await get("footage/search", { ...apiQuery(search.value), limit, cursor }, { signal: mine.signal });
    const before = cursor ? found.value.items : [];
    const items = [...before, ...answer.items.map(digest)];
    found.value = { items, total: answer.total, withFootage: answer.with_footage, next: answer.next };
    if (!items.length && search.value.place) await lookFar(search.value, mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) problem.value = error;
  } finally {
    if (asking === mine) busy.value = false;
  }
}

async function lookFar(wanted, abort) {
  const { items } = await get("footage/search", { ...apiQuery(wanted), radius_m: FAR_M, limit: 1 }, { signal: abort });
  nearest.value = items.length ? digest(items[0]) : null;
}

/** An item of the API with its times read. */
function digest(item) {
  const range = (one) => ({ ...one, from: read(one.from), to: read(one.to) });
  const { spans, gaps, before, after } = item;
  return { ...item, spans: spans.map(range), gaps: gaps.map(range), before: read(before), after: read(after) };
}

export const isTicked = (id) => ticked.value.some((camera) => camera.id === id);

/** Chooses a camera or lets go of it; says so when there are enough. */
export function tick(camera) {
  if (isTicked(camera.id)) ticked.value = ticked.value.filter((one) => one.id !== camera.id);
  else if (ticked.value.length < TOGETHER) ticked.value = [...ticked.value, camera];
  else toast(t("find.enough", { n: TOGETHER }));
}

/** What the address asks for: {search, watch: {ids, at}|null}. */
export function asked(now) {
  const wanted = readAddress(location.search) ?? readPlace(location.search, now);
  const query = new URLSearchParams(location.search);
  const ids = (query.get("play") ?? "").split(",").filter((id) => /^\d{1,18}$/.test(id)).slice(0, TOGETHER);
  return { search: wanted, watch: wanted && ids.length ? { ids, at: read(query.get("at")) } : null };
}
