// Importing cameras from a sheet: asking the server, and how far it is. No page.
import { signal } from "@preact/signals";
import { address, get, request } from "./api.js";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PATIENCE_MS = 300_000;
const POLL_MS = 700;
/** What the server may take; beyond it nothing is sent. */
export const MAX_BYTES = 32 * 1024 * 1024;

/** {phase: reading | checking | writing, done, of} while the server imports, for whomever; else null. */
export const running = signal(null);
/** {waiting, running, done, failed} of the looks at cameras, null while none is known. */
export const probes = signal(null);

/**
 * The report of a sheet. `dry`: nothing is written. A sheet with a wrong row is a report too, not a failure. Throws a Problem for a
 * file that cannot be read at all.
 */
export async function sendSheet(file, { dry, update, probe }) {
  const type = /\.xls[xm]$/i.test(file.name) || file.type === XLSX ? XLSX : "text/csv";
  const url = address("/api/v1/cameras/import", { dry_run: String(dry), update: String(update), probe: String(probe), name: plainName(file.name) });
  const stop = watchImport();
  try {
    const answer = await request(url, { method: "POST", headers: { "Content-Type": type }, body: file, patienceMs: PATIENCE_MS });
    return await answer.json();
  } catch (error) {
    if (error.body?.report) return error.body.report;
    throw error;
  } finally {
    stop();
    running.value = null;
  }
}

/** The file's name as the server takes a text: for the history of the cameras. */
const plainName = (name) => name.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "").slice(0, 200);

/** Looks at the progress until it is stopped; with `untilDone` also until nothing runs any more, and then `done()`. */
export function watchImport({ untilDone = false, done = () => {} } = {}) {
  let timer = null;
  let stopped = false;
  let seen = false;
  const look = async () => {
    try {
      const answer = await get("cameras/import");
      if (stopped) return;
      running.value = answer.phase ? answer : null;
      seen ||= Boolean(answer.phase);
      if (untilDone && !answer.phase) {
        if (seen) done();
        return;
      }
    } catch {
      // An answer that did not come: the next look may know more.
      if (untilDone && !seen) return;
    }
    if (!stopped) timer = setTimeout(look, POLL_MS);
  };
  look();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Follows the looks at cameras while there are any; returns the way to stop. */
export function watchProbes() {
  let timer = null;
  let stopped = false;
  const look = async () => {
    try {
      const answer = await get("cameras/probes");
      if (stopped) return;
      probes.value = answer;
      if (!answer.waiting && !answer.running) return;
    } catch {
      if (!probes.value) return;
    }
    if (!stopped) timer = setTimeout(look, 2 * POLL_MS);
  };
  look();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** A cell of a CSV file that no spreadsheet takes for a formula. */
export function cell(value) {
  let text = String(value ?? "").replace(/\r\n|[\r\n]/g, " ");
  if (/^[=+\-@\t]/.test(text)) text = `'${text}`;
  return /[",;\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The report's rows as a CSV file with a mark that Excel reads as UTF-8. `heads`: the words of the first line. */
export function reportCsv(items, heads, { resultText, saidText }) {
  const lines = [heads];
  for (const item of items) {
    const problems = item.problems.length ? item.problems : [{}];
    for (const one of problems) {
      lines.push([item.row, item.code, resultText(item.result), one.column, saidText(one.what), saidText(one.mend), item.notes.map(saidText).join("; ")]);
    }
  }
  return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}
