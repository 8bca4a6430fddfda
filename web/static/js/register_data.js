// What the register page knows: the day that is shown, its register, progress over time; and what it writes.
import { signal } from "@preact/signals";
import { get, send } from "./api.js";
import { recall } from "./choices.js";
import { language, number, t } from "./i18n.js";
import { serverNow } from "./site.js";
import { wall } from "./time.js";

/** The officer's name as last given, for what is written before anybody signs. */
export const officer = () => recall("officer", "") || "web";

/** YYYY-MM-DD of today in the site's zone. */
export const today = () => wall(serverNow()).toISOString().slice(0, 10);

const asked = () => {
  const day = new URLSearchParams(location.search).get("day") ?? "";
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? day : "";
};
/** The day that is shown; "" is today, whichever that is. */
export const day = signal(asked());
/** The answer of /api/v1/register, null until it came. */
export const register = signal(null);
/** The Problem of the last question, null while all is well. */
export const problem = signal(null);
export const loading = signal(false);
/** The answer of /api/v1/register/progress and its Problem. */
export const progress = signal(null);
export const progressProblem = signal(null);

let turn = 0;

/** Asks for the day; `quiet` leaves what is shown until the answer is there, and says nothing where it fails. */
export async function load({ quiet = false } = {}) {
  const mine = ++turn;
  if (!quiet) loading.value = true;
  try {
    const found = await get("register", { day: day.value });
    if (mine !== turn) return;
    register.value = found;
    problem.value = null;
  } catch (wrong) {
    if (mine === turn && !quiet) problem.value = wrong;
  } finally {
    if (mine === turn) loading.value = false;
  }
}

export async function loadProgress(kind, days) {
  try {
    const last = today();
    const first = new Date(Date.parse(last) - (days - 1) * 86_400_000).toISOString().slice(0, 10);
    progress.value = await get("register/progress", { from: first, to: last, kind: kind === "*" ? "" : kind });
    progressProblem.value = null;
  } catch (wrong) {
    progressProblem.value = wrong;
  }
}

/** Shows another day; the address says which. */
export function goTo(other) {
  const shown = other >= today() ? "" : other;
  if (shown === day.value) return;
  history.pushState(null, "", shown ? `/register?day=${shown}` : "/register");
  day.value = shown;
  register.value = null;
  load();
}

export function follow() {
  const moved = () => {
    day.value = asked();
    register.value = null;
    load();
  };
  addEventListener("popstate", moved);
  return () => removeEventListener("popstate", moved);
}

export async function putTarget(line, target) {
  await send("PUT", "targets", { items: [{ owner_kind: line.owner_kind, station: line.station, ...target }], by: officer() });
  await load({ quiet: true });
}

export async function putNote(line, action, remarks) {
  const where = { day: register.value.day, owner_kind: line.owner_kind, station: line.station };
  await send("PUT", "register/notes", { ...where, action, remarks, by: officer() });
  await load({ quiet: true });
}

export async function sign(by, remarks, seen) {
  register.value = await send("POST", "register/sign", { day: register.value.day, by, remarks, seen });
}

/** DD/MM/YYYY of a day. */
export const dayText = (text) => text.split("-").reverse().join("/");

/** The day `by` days later, earlier where negative. */
export const dayAfter = (text, by) => new Date(Date.parse(text) + by * 86_400_000).toISOString().slice(0, 10);

/** YYYY-MM-DD of what was typed (25/11/2026, 25/11/26, 25.11.2026), "" where it is no day. */
export function typedDay(text) {
  const found = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$/.exec(text.trim());
  if (!found) return "";
  const [, date, month, year] = found;
  const made = `${year.length === 2 ? `20${year}` : year}-${month.padStart(2, "0")}-${date.padStart(2, "0")}`;
  const real = new Date(`${made}T00:00:00Z`);
  return !Number.isNaN(real.getTime()) && real.toISOString().startsWith(made) ? made : "";
}

/** A kind of owner, or a station of one, in the viewer's words. */
export function lineName(line) {
  if (line.station) return line.station;
  if (line.owner_kind === "*") return t("register.total");
  if (!line.owner_kind) return t("register.no_kind");
  return language.value === "hi" ? line.name_hi : line.name;
}

/** "97.3 %": one digit, never 100.0 of what is less; "–" where there is nothing to compare with. */
export function percent(part) {
  if (part === null || part === undefined) return "–";
  const shown = part < 1 ? Math.min(part * 100, 99.9) : part * 100;
  return `${number(shown, shown % 1 ? 1 : 0)} %`;
}

export function targetText(target) {
  if (!target) return "";
  if (!target.all) return number(target.wanted);
  return target.all_known === null ? t("register.all") : `${t("register.all")} (${number(target.all_known)})`;
}

/** {wanted} or {all, all_known} of what was typed ("500", "all", "all 212", ""), null where it is none of these. */
export function typedTarget(text) {
  const plain = text.trim().toLowerCase().replaceAll(",", "").replace(/[()]/g, " ").trim();
  if (plain === "") return {};
  if (/^\d{1,6}$/.test(plain)) return { wanted: Number(plain) };
  const all = /^(?:all|सभी)(?:\s+(\d{1,6}))?$/.exec(plain);
  return all ? { all: true, ...(all[1] ? { all_known: Number(all[1]) } : {}) } : null;
}
