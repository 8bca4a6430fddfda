// Questions about what there is: the footage nearest to an empty moment, and why nothing is there.
import { address, get, request } from "./api.js";
import { query, read, SECOND } from "./time.js";

/** {before, after} in ms or null, around a moment without footage; null where there is some, or no answer. */
export async function nearestFootage(cameraId, ms) {
  try {
    await request(address(`/play/${cameraId}/index.m3u8`, { from: query(ms), to: query(ms + SECOND) }));
  } catch (problem) {
    if (problem.status === 404) return { before: read(problem.body.before), after: read(problem.body.after) };
  }
  return null;
}

/** {cause, detail} of the longest gap that the server names between two instants; null where it names none. */
export async function gapCause(cameraId, from, to) {
  try {
    const { gaps } = await get(`cameras/${cameraId}/timeline`, { from: query(from), to: query(Math.max(to, from + 1)) });
    const length = (gap) => Math.min(read(gap.to), to) - Math.max(read(gap.from), from);
    const [longest] = gaps.toSorted((a, b) => length(b) - length(a));
    return longest ? { cause: longest.cause, detail: longest.detail ?? "" } : null;
  } catch {
    return null; // the panel stands without its cause
  }
}
