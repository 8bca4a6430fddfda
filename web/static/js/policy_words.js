// Policies in words: whom they are for, how long, what changes.
import { bytes, t } from "./i18n.js";
import { kindText } from "./owner_kinds.js";

/** From the most specific to the least: the first that fits a camera decides. */
export const SCOPES = ["camera", "tag", "station", "zone", "kind", "default"];

export const scopeText = (scope) => t(`scope.${scope}`);

/** "Bank or ATM", "KNP-0412", "Kotwali", "all others". */
export function targetText({ scope, target, camera_code: code }) {
  if (scope === "default") return t("scope.everyone");
  if (scope === "kind") return kindText(target);
  return scope === "camera" ? (code ?? target) : target;
}

/** The API's "kind bank_atm" in the viewer's words. */
export function whyText(why) {
  const [scope, ...rest] = (why ?? "").split(" ");
  if (scope === "default") return scopeText("default");
  if (!SCOPES.includes(scope)) return why ?? "";
  const target = rest.join(" ");
  return `${scopeText(scope)}: ${targetText({ scope, target })}`;
}

/** "90 days", "365 to 548 days". */
export function daysText({ min_days: min, max_days: max }) {
  return min === max ? t("days.n", { n: min }) : t("days.range", { min, max });
}

/** The terms besides the days, in short; "" where there are none. */
export function extrasText(terms) {
  const parts = [];
  if (terms.offload_after_days !== null) parts.push(t("policy.cloud_after", { n: terms.offload_after_days }));
  if (terms.local_days !== null) parts.push(t("policy.local_for", { n: terms.local_days }));
  if (terms.storage_class) parts.push(terms.storage_class);
  if (terms.quota_bytes !== null) parts.push(t("policy.at_most", { size: bytes(terms.quota_bytes) }));
  return parts.join(" · ");
}

/** What a change did, in one line: "90 days → 30 days". */
export function changeText({ before, after }) {
  if (!before) return t("change.made", { days: daysText(after) });
  if (!after) return t("change.deleted", { days: daysText(before) });
  const days = [daysText(before), daysText(after)];
  return days[0] === days[1] ? t("change.details") : days.join(" → ");
}
