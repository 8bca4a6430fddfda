// Importing a sheet of cameras: always a dry run first; written only when no row is wrong.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { address } from "./api.js";
import { refusal } from "./camera_form_fields.js";
import { Dialog } from "./dialog.js";
import { bytes, language, number, t } from "./i18n.js";
import { Icon } from "./icons.js";
import { MAX_BYTES, running, sendSheet } from "./import_data.js";
import { ImportReport } from "./import_report.js";
import { toast } from "./signs.js";

/** `imported(report)` once the sheet was written. */
export function ImportDialog({ imported, close }) {
  const file = useSignal(null);
  const report = useSignal(null);
  const problem = useSignal(null);
  const busy = useSignal(""); // check | write
  const update = useSignal(true);
  const probe = useSignal(false);

  const run = async (dry) => {
    busy.value = dry ? "check" : "write";
    problem.value = null;
    try {
      const answer = await sendSheet(file.value, { dry, update: update.value, probe: !dry && probe.value });
      report.value = answer;
      if (answer.imported) {
        toast(t("import.done", { n: answer.added + answer.changed }));
        imported({ ...answer, probing: probe.value });
      }
    } catch (error) {
      problem.value = error;
      if (dry) report.value = null;
    } finally {
      busy.value = "";
    }
  };
  const choose = (chosen) => {
    if (!chosen || busy.value) return;
    file.value = chosen;
    report.value = null;
    problem.value = null;
    if (chosen.size > MAX_BYTES) problem.value = { local: t("import.too_large", { size: bytes(chosen.size), most: bytes(MAX_BYTES) }) };
    else run(true);
  };
  const again = () => {
    file.value = report.value = problem.value = null;
  };
  const changes = report.value ? report.value.added + report.value.changed : 0;
  const ready = report.value && !report.value.wrong && !report.value.imported && changes > 0;

  return html`<${Dialog} title=${t("import.title")} close=${close} wide>
    ${!report.value && !busy.value && html`<${Drop} choose=${choose} file=${file.value} />`}
    ${busy.value && html`<${Progress} file=${file.value} writing=${busy.value === "write"} />`}
    ${problem.value && html`<div class="banner" role="alert"><${Icon} name="alert" />
      <p>${problem.value.local ?? html`<b>${t("import.unreadable", { name: file.value?.name ?? "" })}</b> ${refusal(problem.value)}`}</p></div>`}
    ${report.value && !busy.value && html`<${ImportReport} report=${report.value} file=${file.value} />`}
    ${report.value && !report.value.imported && !busy.value && html`<div class="ticks column">
      <label><input type="checkbox" checked=${update.value} onChange=${(event) => ((update.value = event.target.checked), run(true))} />
        ${t("import.update")}</label>
      <label><input type="checkbox" checked=${probe.value} onChange=${(event) => (probe.value = event.target.checked)} />${t("import.probe")}</label>
    </div>`}
    <div class="actions">
      ${report.value && !busy.value && html`<button type="button" class="button plain" onClick=${again}>${t("import.other")}</button>`}
      <span class="spring"></span>
      <button type="button" class=${report.value?.imported ? "button primary" : "button plain"} onClick=${close}>
        ${t(report.value?.imported ? "import.close" : "dialog.cancel")}</button>
      ${report.value && !report.value.imported && html`<button type="button" class="button primary" disabled=${!ready || Boolean(busy.value)} onClick=${() => run(false)}>
        <${Icon} name="upload" />${t("import.go", { n: changes })}</button>`}
    </div>
  <//>`;
}

function Drop({ choose, file }) {
  const over = useSignal(false);
  const input = useRef(null);
  const dropped = (event) => {
    event.preventDefault();
    over.value = false;
    choose(event.dataTransfer.files[0]);
  };
  return html`
    <div class="drop ${over.value ? "over" : ""}" onDragOver=${(event) => (event.preventDefault(), (over.value = true))}
      onDragLeave=${() => (over.value = false)} onDrop=${dropped}>
      <${Icon} name="upload" />
      <p>${t("import.drop")}</p>
      <button type="button" class="button primary" autofocus onClick=${() => input.current.click()}>${t("import.choose")}</button>
      <input ref=${input} type="file" class="hidden" accept=".csv,.tsv,.txt,.xlsx,text/csv" aria-label=${t("import.choose")} tabindex="-1"
        onChange=${(event) => choose(event.target.files[0])} />
      ${file && html`<p class="note">${file.name}</p>`}
    </div>
    <p class="note">${t("import.help")}</p>
    <p class="row-of"><span>${t("import.template")}</span> ${["xlsx", "csv"].map((format) => html`<a key=${format} class="button" download
      href=${address("/api/v1/cameras/template", { format, language: language.value })}><${Icon} name="download" />${format.toUpperCase()}</a>`)}</p>`;
}

/** How far the server is: a number, not just a wheel. */
export function Progress({ file, writing }) {
  const at = running.value;
  const bar = useRef(null);
  const [done, of] = at?.of ? [at.done, at.of] : [0, 0];
  useEffect(() => {
    if (bar.current) bar.current.value = of ? done / of : 0;
  }, [done, of]);
  const phase = at?.phase ?? (writing ? "writing" : "reading");
  const words = { reading: t("import.reading"), checking: t("import.checking"), writing: t("import.writing") }[phase] ?? phase;
  return html`<div class="progress" role="status">
    <p><b>${words}</b> ${file ? file.name : ""} ${of ? html`<span class="note">${t("import.so_far", { done: number(done), of: number(of) })}</span>` : ""}</p>
    <progress ref=${bar} max="1" aria-label=${words}></progress>
  </div>`;
}
