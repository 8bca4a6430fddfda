// Words in the viewer's language. A component that calls `t` is drawn again when the language changes (signals).
import { signal } from "@preact/signals";
import { keep } from "./choices.js";
import { en } from "../i18n/en.js";
import { hi } from "../i18n/hi.js";

const words = { en, hi };

/** "en" or "hi". */
export const language = signal(document.documentElement.lang === "hi" ? "hi" : "en");

export function setLanguage(code) {
  language.value = code;
  document.documentElement.lang = code;
  keep("language", code);
}

/**
 * The text for `key`, with `{name}` replaced from `values`. Where `values.n` is given and the dictionary has
 * `key.one`, the singular is taken for the numbers that the language counts as one.
 */
export function t(key, values = {}) {
  const dictionary = words[language.value];
  const one = values.n !== undefined && plural(values.n) === "one" ? dictionary[`${key}.one`] : undefined;
  const text = one ?? dictionary[key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

/** True where the dictionary has the key: for words that come from the server. */
export function known(key) {
  return key in en;
}

function shown(value) {
  return typeof value === "number" ? number(value) : value;
}

const rules = {};
function plural(n) {
  rules[language.value] ??= new Intl.PluralRules(language.value);
  return rules[language.value].select(n);
}

/** Arabic digits with the separators of India (12,34,567), in both languages. */
export function number(value, digits = 0) {
  return value.toLocaleString("en-IN", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Bytes as text, powers of 1000: "1.2 GB". */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${number(value, value < 10 && power ? 1 : 0)} ${units[power]}`;
}
