// What a sheet would do, or did: counts, and each row that needs a look with what is wrong and how to mend it.
import { html } from "htm/preact";
import { useSignal } from "@preact/signals";
import { number, t } from "./i18n.js";
import { Icon } from "./icons.js";
import { reportCsv } from "./import_data.js";
import { saidText } from "./import_words.js";

const RESULTS = ["add", "change", "same", "wrong"];
const SHOWN = 100;
const COUNT = { add: "added", change: "changed", same: "same", wrong: "wrong" };
const TONES = { add: "good", change: "warn", same: "idle", wrong: "bad" };

const resultText = (result) => t(`import.result_${result}`);

export function ImportReport({ report, file }) {
  // Begins with what needs a hand; a sheet without trouble with what it does.
  const result = useSignal(report.wrong ? "wrong" : "");
  const text = useSignal("");
  const shown = useSignal(SHOWN);
  const wanted = text.value.trim().toLowerCase();
  const has = (item) => !wanted || [item.row, item.code, ...item.problems.flatMap((one) => [one.column, one.what])].join(" ").toLowerCase().includes(wanted);
  // Without a choice: what needs a look. Of a thousand new rows without a word nobody learns anything.
  const chosen = (item) => (result.value ? item.result === result.value : wanted || item.problems.length || item.notes.length);
  const items = report.items.filter((item) => chosen(item) && has(item));
  const chip = (name, count) => html`<button type="button" class="button" aria-pressed=${String(result.value === name)}
    onClick=${() => ((result.value = result.value === name ? "" : name), (shown.value = SHOWN))}>
    <span class="dot ${TONES[name]}"></span>${resultText(name)} <b>${number(count)}</b></button>`;
  return html`<section class="report" aria-label=${t("import.report")}>
    <p class="verdict ${report.wrong ? "bad" : "good"}" role="status"><${Icon} name=${report.wrong ? "alert" : "check"} />
      <span>${verdict(report)}</span></p>
    ${report.notes?.map((note) => html`<p class="note" key=${note}>${note}</p>`)}
    <div class="states" role="group" aria-label=${t("import.filter")}>${RESULTS.map((name) => html`<span key=${name}>${chip(name, report[COUNT[name]])}</span>`)}
      <span class="spring"></span>
      <input class="input" type="search" placeholder=${t("import.search")} aria-label=${t("import.search")}
        onInput=${(event) => ((text.value = event.target.value), (shown.value = SHOWN))} />
      <button type="button" class="button" disabled=${!report.items.length} onClick=${() => download(report, file)}><${Icon} name="download" />${t("import.save_report")}</button>
    </div>
    ${items.length > 0 && html`<div class="rows report-rows" tabindex="0"><table>
      <thead><tr><th scope="col">${t("import.row")}</th><th scope="col">${t("form.code")}</th><th scope="col">${t("import.result")}</th>
        <th scope="col">${t("import.column")}</th><th scope="col">${t("import.what")}</th><th scope="col">${t("import.mend")}</th></tr></thead>
      <tbody>${items.slice(0, shown.value).flatMap((item) => rowsOf(item))}</tbody>
    </table></div>`}
    ${!items.length && html`<p class="note">${t(result.value || wanted ? "import.no_rows" : "import.no_notes")}</p>`}
    ${items.length > shown.value && html`<div class="actions"><button type="button" class="button" onClick=${() => (shown.value += 5 * SHOWN)}>
      ${t("import.show_more", { n: items.length - shown.value })}</button></div>`}
    ${report.more > 0 && html`<p class="note">${t("import.more", { n: report.more })}</p>`}
  </section>`;
}

function verdict(report) {
  if (report.imported) return t("import.imported", { added: report.added, changed: report.changed, same: report.same });
  if (report.wrong) return t("import.is_wrong", { n: report.wrong, rows: report.rows });
  if (!report.added && !report.changed) return t("import.nothing", { rows: report.rows });
  return t("import.is_right", { rows: report.rows });
}

/** One row of the table for each problem; a row without any has its notes. */
function rowsOf(item) {
  const notes = item.notes.map(saidText);
  const lines = item.problems.length ? item.problems : [{ column: "", what: notes.join("; "), mend: "" }];
  return lines.map((one, n) => html`<tr key=${`${item.row}-${n}`} class=${item.result === "wrong" ? "alarmed" : ""}>
    <td>${n ? "" : number(item.row)}</td><th scope="row">${n ? "" : item.code}</th>
    <td>${n ? "" : html`<span class="pill ${TONES[item.result]}"><span class="dot"></span>${resultText(item.result)}</span>`}</td>
    <td class="column">${one.column}</td><td class="wraps">${saidText(one.what)}</td><td class="wraps">${saidText(one.mend)}</td></tr>`);
}

function download(report, file) {
  const heads = [t("import.row"), t("form.code"), t("import.result"), t("import.column"), t("import.what"), t("import.mend"), t("import.notes")];
  const url = URL.createObjectURL(new Blob([reportCsv(report.items, heads, { resultText, saidText })], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${(file?.name ?? "cameras").replace(/\.[^.]*$/, "")}-report.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
