// Fields of forms: what is wrong is said at the field, and what was typed stays.
import { html } from "htm/preact";

/** A labelled control; `wrong` under it in red, else `note`. Further properties go to the control. */
export function Field({ id, label, wrong, note, as = "input", children, onInput, class: extra = "", ...rest }) {
  const Control = as;
  return html`<div class="field ${extra}">
    <label for=${id}>${label}</label>
    <${Control} id=${id} class="input" aria-invalid=${String(Boolean(wrong))} aria-describedby=${`${id}-note`} autocomplete="off"
      onInput=${(event) => onInput(event.target.value)} ...${rest}>${children}<//>
    <span id=${`${id}-note`} class=${wrong ? "wrong" : "note"} role=${wrong ? "alert" : undefined}>${wrong || note || ""}</span>
  </div>`;
}

/** What a form cannot say at one of its `fields`: a Problem that names another field or none. */
export function FormProblem({ problem, fields, code }) {
  if (!problem || fields.includes(problem.body?.field)) return null;
  return html`<p class="wrong" role="alert">${problem.message} <span class="note">${code(problem.code ?? String(problem))}</span></p>`;
}

/** What the server found wrong at that field. */
export const wrongAt = (problem, field) => (problem?.body?.field === field ? problem.message : "");
