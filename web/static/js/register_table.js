// The register's lines: by kind of owner, each to be opened by station; targets and notes are edited in their place.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";
import { dayText, lineName, percent, putNote, putTarget, register, targetText, typedTarget } from "./register_data.js";
import { showFaulty } from "./register_faulty.js";
import { toast } from "./signs.js";

const open = signal(new Set());
/** "kind station" of the line whose note is being written, null for none. */
const writing = signal(null);
const keyOf = (line) => `${line.owner_kind} ${line.station}`;

function toggle(kind) {
  const changed = new Set(open.value);
  if (!changed.delete(kind)) changed.add(kind);
  open.value = changed;
}

/** How much of the whole: solid the colour of recordings, the rest hatched. Says nothing to a screen reader: the number is beside it. */
export function Share({ part }) {
  if (part === null || part === undefined) return html`<span class="share none" aria-hidden="true"></span>`;
  const width = Math.min(100, Math.max(0, part * 100));
  return html`<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    <rect class="rest" width="100" height="8" /><rect class="recorded" width=${width} height="8" />
  </svg>`;
}

export function Lines({ found }) {
  const kinds = found.items.filter((line) => line.installed || line.target || line.note || line.stations.length);
  const rest = found.items.filter((line) => !kinds.includes(line));
  const others = useSignal(false);
  const shown = others.value ? found.items : kinds;
  return html`<section class="block" aria-labelledby="lines-title">
    <h2 id="lines-title">${t("register.by_kind")}</h2>
    <div class="rows lines"><table>
      <thead><tr>
        <th scope="col">${t("register.kind")}</th>
        ${["target", "installed", "linked", "recording", "coverage", "faulty"].map((key) => html`<th key=${key} scope="col" class="number">${t(`register.${key}`)}</th>`)}
        <th scope="col">${t("register.note")}</th>
      </tr></thead>
      ${shown.map((line) => html`<tbody key=${line.owner_kind}>
        <${Row} line=${line} found=${found} />
        ${open.value.has(line.owner_kind) && line.stations.map((one) => html`<${Row} key=${one.station} line=${one} found=${found} />`)}
      </tbody>`)}
      <tfoot><${Row} line=${found.total} found=${found} /></tfoot>
    </table></div>
    ${rest.length > 0 && html`<button type="button" class="link" aria-expanded=${String(others.value)} onClick=${() => (others.value = !others.value)}>
      ${others.value ? t("register.fewer_kinds") : t("register.more_kinds", { n: rest.length })}</button>`}
  </section>`;
}

function Row({ line, found }) {
  const whole = line.owner_kind === "*";
  const label = (key) => ({ "data-label": t(`register.${key}`) });
  const isWriting = writing.value === keyOf(line);
  return html`<tr class=${line.station ? "station" : whole ? "whole" : "kind"}>
      <th scope="row"><${Name} line=${line} /></th>
      <td class="number" ...${label("target")}><${TargetCell} line=${line} found=${found} /></td>
      <td class="number" ...${label("installed")}>${number(line.installed)}</td>
      <td class="number" ...${label("linked")}><b>${number(line.linked)}</b>
        <span class="note part">${line.share === null ? "" : percent(line.share)}</span><${Share} part=${line.share} /></td>
      <td class="number" ...${label("recording")}><b>${number(line.recording)}</b></td>
      <td class="number" ...${label("coverage")}><span>${percent(line.coverage)}</span><${Share} part=${line.coverage} /></td>
      <td class="number" ...${label("faulty")}>${line.faulty
        ? html`<button type="button" class="link faulty" title=${t("register.show_faulty")} onClick=${() => showFaulty(line)}>
          ${number(line.faulty)} <span class="note">${t("register.up_to_days", { n: line.faulty_days })}</span></button>`
        : "0"}</td>
      <td class="noted" ...${label("note")}>${isWriting ? null : html`<${NoteCell} line=${line} found=${found} />`}</td>
    </tr>
    ${isWriting && html`<tr class="editor"><td colspan="8"><${NoteForm} line=${line} /></td></tr>`}`;
}

function Name({ line }) {
  if (line.station || line.owner_kind === "*" || !line.stations?.length) return html`<span class="name">${lineName(line)}</span>`;
  const isOpen = open.value.has(line.owner_kind);
  return html`<button type="button" class="opener" aria-expanded=${String(isOpen)} onClick=${() => toggle(line.owner_kind)}>
    <${Icon} name=${isOpen ? "down" : "right"} /><span>${lineName(line)}
      <span class="note">${t("register.stations", { n: line.stations.length })}</span></span></button>`;
}

/** A number, "all", or nothing; a click makes it a field. Of a day that is over it stays as it was. */
function TargetCell({ line, found }) {
  const typed = useSignal(null);
  const wrong = useSignal("");
  const field = useRef(null);
  const button = useRef(null);
  useEffect(() => {
    if (typed.value !== null) field.current?.focus();
  }, [typed.value !== null]);
  const text = targetText(line.target);
  if (found.kept || !line.owner_kind) return text || "–";
  if (typed.value === null) {
    return html`<button ref=${button} type="button" class="link" onClick=${() => (typed.value = text)}
      aria-label=${t("register.set_target", { of: lineName(line) })} title=${t("register.target_help")}>${text || t("register.set")}</button>`;
  }
  const close = () => {
    typed.value = null;
    wrong.value = "";
    setTimeout(() => button.current?.focus());
  };
  const save = async (event) => {
    event.preventDefault();
    const target = typedTarget(typed.value);
    if (!target) return (wrong.value = t("register.target_wrong"));
    try {
      await putTarget(line, target);
      close();
    } catch (problem) {
      wrong.value = problem.message;
    }
  };
  return html`<form class="inline" onSubmit=${save} onKeyDown=${(event) => event.key === "Escape" && close()}>
    <input ref=${field} class="input" aria-label=${t("register.set_target", { of: lineName(line) })} aria-invalid=${String(Boolean(wrong.value))}
      placeholder=${t("register.target_example")} value=${typed.value} onInput=${(event) => (typed.value = event.target.value)} />
    <button class="button icon" title=${t("register.save")} aria-label=${t("register.save")}><${Icon} name="check" /></button>
    ${wrong.value && html`<span class="wrong" role="alert">${wrong.value}</span>`}
  </form>`;
}

function NoteCell({ line, found }) {
  const { note, proposed } = line;
  const words = note && (note.action || note.remarks);
  const change = () => (writing.value = keyOf(line));
  return html`<div class="note-cell">
    ${words
      ? html`<span class="said">${note.action}${note.action && note.remarks ? html`<br />` : ""}<span class="note">${note.remarks}</span></span>`
      : proposed && !found.signed && html`<span class="said proposed note">${t("register.proposed", { day: dayText(proposed.day) })}: ${proposed.action || proposed.remarks}</span>`}
    ${!found.signed && html`<button type="button" class="button icon plain" aria-label=${t("register.write_note", { of: lineName(line) })}
      title=${t("register.write_note", { of: lineName(line) })} onClick=${change}><${Icon} name="edit" /></button>`}
  </div>`;
}

function NoteForm({ line }) {
  const { note, proposed } = line;
  const action = useSignal(note?.action ?? proposed?.action ?? "");
  const remarks = useSignal(note?.remarks ?? proposed?.remarks ?? "");
  const wrong = useSignal("");
  const field = useRef(null);
  useEffect(() => field.current?.focus(), []);
  const close = () => (writing.value = null);
  const save = async (event) => {
    event.preventDefault();
    try {
      await putNote(line, action.value, remarks.value);
      close();
      toast(t("register.noted"));
    } catch (problem) {
      wrong.value = problem.message;
    }
  };
  return html`<form class="note-form" onSubmit=${save} onKeyDown=${(event) => event.key === "Escape" && close()}>
    <p><b>${lineName(line)}</b> · ${dayText(register.value.day)}
      ${!note && proposed && html` <span class="note">${t("register.taken_over", { day: dayText(proposed.day) })}</span>`}</p>
    <div class="pair">
      <label>${t("register.action")}<textarea ref=${field} class="input" rows="2" maxlength="2000" value=${action.value}
        onInput=${(event) => (action.value = oneLine(event))}></textarea></label>
      <label>${t("register.remarks")}<textarea class="input" rows="2" maxlength="2000" value=${remarks.value}
        onInput=${(event) => (remarks.value = oneLine(event))}></textarea></label>
    </div>
    ${wrong.value && html`<p class="wrong" role="alert">${wrong.value}</p>`}
    <div class="actions"><button type="button" class="button" onClick=${close}>${t("dialog.cancel")}</button>
      <button class="button primary">${t("register.save")}</button></div>
  </form>`;
}

/** A register has lines of its own. */
const oneLine = (event) => event.target.value.replace(/[\r\n]+/g, " ");
