// The keyboard: one table that both works and is shown.
import { html } from "htm/preact";
import { Dialog } from "./dialog.js";
import { t } from "./i18n.js";

/**
 * [what the list shows (keys and joints), which words, {key: action}]. A key of the last is KeyboardEvent.key, with "Shift+" or
 * "Alt+" before it.
 */
export function keyTable(act) {
  return [
    [["Space", "K"], "play", { " ": act.toggle, k: act.toggle }],
    [["J", "/", "L"], "speed", { j: act.slower, l: act.faster }],
    [[",", "/", "."], "frame", { ",": () => act.step(-1), ".": () => act.step(1) }],
    [["←", "/", "→"], "arrows", { ArrowLeft: () => act.jump(-5), ArrowRight: () => act.jump(5) }],
    [["Shift", "+", "←", "/", "→"], "arrows_shift", { "Shift+ArrowLeft": () => act.jump(-60), "Shift+ArrowRight": () => act.jump(60) }],
    [["Alt", "+", "←", "/", "→"], "arrows_alt", { "Alt+ArrowLeft": () => act.recording(-1), "Alt+ArrowRight": () => act.recording(1) }],
    [["A"], "activity", { a: act.activity }],
    [["G"], "goto", { g: act.goto }],
    [["End"], "live", { End: act.live }],
    [["S"], "still", { s: act.still }],
    [["I", "/", "O"], "range", { i: () => act.mark("from"), o: () => act.mark("to") }],
    [["H"], "hold", { h: act.hold }],
    [["D"], "clip", { d: act.download }],
    [["Esc"], "escape", { Escape: act.clear }],
    [["+ ", "/", "−"], "zoom", { "+": () => act.zoom(0.5), "=": () => act.zoom(0.5), "-": () => act.zoom(2), "−": () => act.zoom(2) }],
    [["PgUp", "/", "PgDn"], "pan", { PageUp: () => act.pan(-0.5), PageDown: () => act.pan(0.5) }],
    [["M"], "mute", { m: act.sound }],
    [["F"], "full", { f: act.fullScreen }],
    [["?"], "help", { "?": act.help }],
  ];
}

/** Keys that go on acting while they are held down. */
const REPEATING = /Arrow|Page|^[,.+=−-]$/;

/** Listens on the whole page; leaves keys alone where text is typed or a dialog is open. Returns the way to stop. */
export function listen(table) {
  const actions = Object.assign({}, ...table.map(([, , keys]) => keys));
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select, [role=listbox]")) return;
    // Space and Enter belong to the button that has the focus.
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
    const action = actions[(event.altKey ? "Alt+" : "") + shift + name];
    if (!action) return;
    event.preventDefault();
    if (event.repeat && !REPEATING.test(event.key)) return;
    action();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

export function KeysDialog({ table, close }) {
  return html`<${Dialog} title=${t("keys.title")} close=${close}>
    <dl class="keys">${table.map(([shown, name]) => html`<dt key=${name}>${shown.map(keycap)}</dt>
      <dd>${t(`keys.${name}`)}</dd>`)}</dl>
  <//>`;
}

function keycap(part) {
  return part === "/" || part === "+" ? html` ${part} ` : html`<kbd>${part.trim()}</kbd> `;
}
