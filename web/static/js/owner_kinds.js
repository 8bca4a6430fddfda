// The kinds of camera owners: the city's own and those its settings add.
import { signal } from "@preact/signals";
import { get } from "./api.js";
import { known, language, t } from "./i18n.js";

/** [{key, name, name_hi}] as the server has them; empty until `loadKinds` was answered. */
export const kinds = signal([]);

/** Asks once; a failure leaves the words that this page knows itself, and the next call asks again. */
export async function loadKinds() {
  if (kinds.value.length) return;
  try {
    kinds.value = (await get("owner-kinds")).items;
  } catch {
    // The keys and built-in words are shown instead.
  }
}

/** One owner's kind in the viewer's words ("Bank or ATM"), the key where there are none. */
export function kindText(kind) {
  if (known(`kind.${kind}`)) return t(`kind.${kind}`);
  const found = kinds.value.find((one) => one.key === kind);
  return found ? (language.value === "hi" ? found.name_hi : found.name) : kind;
}
