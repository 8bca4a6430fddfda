// A modal dialog on the browser's own <dialog>: focus stays inside, Escape closes, focus returns to where it was.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "./i18n.js";
import { IconButton } from "./signs.js";

/** `close` is called when the viewer wants it gone. `wide`: for forms with much beside each other. */
export function Dialog({ title, close, wide = false, children }) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => before?.focus?.();
  }, []);
  const outside = (event) => event.target === element.current && close();
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-label=${title} onCancel=${(event) => (event.preventDefault(), close())} onMouseDown=${outside}>
    <div class="top"><h2>${title}</h2><span class="spring"></span>
      <${IconButton} icon="close" label=${t("dialog.close")} onClick=${close} /></div>
    <div class="body">${children}</div>
  </dialog>`;
}

/** A text field for a moment; `wrong` is said at the field, and what was typed stays. */
export function TimeField({ id, label, value, wrong, onInput, focus }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} autofocus=${focus} class="input" inputmode="numeric" autocomplete="off" spellcheck=${false} value=${value}
      aria-invalid=${String(Boolean(wrong))} aria-describedby=${`${id}-wrong`} onInput=${(event) => onInput(event.target.value)} />
    <span class="wrong" id=${`${id}-wrong`} role="alert">${wrong}</span>
  </div>`;
}
