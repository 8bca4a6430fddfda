// The daily register: what is linked, what really records, what is faulty since when, what was done about it; signed off.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { keep, recall } from "./choices.js";
import { Icon } from "./icons.js";
import { language, number, t } from "./i18n.js";
import { Progress } from "./register_chart.js";
import { day, dayAfter, dayText, follow, goTo, load, loading, percent, problem, register, targetText, today, typedDay } from "./register_data.js";
import { Faulty } from "./register_faulty.js";
import { SignDialog } from "./register_sign.js";
import { Lines, Share } from "./register_table.js";
import { Empty, Failure, IconButton } from "./signs.js";
import { status } from "./site.js";
import { dateTimeText, read, zoneName } from "./time.js";

const AGAIN_MS = 60_000;
const signing = signal(false);

export function Page() {
  useEffect(() => {
    load();
    const timer = setInterval(() => {
      if (!document.hidden && register.value && !register.value.kept) load({ quiet: true });
    }, AGAIN_MS);
    const left = follow();
    return () => (clearInterval(timer), left());
  }, []);
  document.title = `${t("register.title")} · ${status.value?.name || document.body.dataset.name}`;
  return html`<div class="register">
    <${Bar} />
    ${problem.value && !register.value ? html`<${Failure} problem=${problem.value} retry=${() => load()} />` : html`<${Day} />`}
    <${Progress} />
    ${signing.value && register.value && html`<${SignDialog} close=${() => (signing.value = false)} />`}
  </div>`;
}

function Bar() {
  const found = register.value;
  return html`<div class="bar">
    <h1>${t("register.title")}</h1>
    <${DayPicker} />
    ${found && html`<${State} found=${found} />`}
    <span class="spring"></span>
    ${found && html`<${Exports} found=${found} />`}
    ${found && !found.signed && html`<button type="button" class="button primary" onClick=${() => (signing.value = true)}>
      <${Icon} name="check" />${t("register.sign")}</button>`}
  </div>`;
}

function DayPicker() {
  const shown = day.value || today();
  const typed = useSignal(null);
  const wrong = useSignal(false);
  const take = () => {
    if (typed.value === null) return;
    const made = typedDay(typed.value);
    wrong.value = !made || made > today();
    if (wrong.value) return;
    typed.value = null;
    goTo(made);
  };
  return html`<form class="day" onSubmit=${(event) => (event.preventDefault(), take())}>
    <${IconButton} icon="left" label=${t("register.day_before")} onClick=${() => goTo(dayAfter(shown, -1))} />
    <input class="input" aria-label=${t("register.day")} inputmode="numeric" autocomplete="off" value=${typed.value ?? dayText(shown)}
      aria-invalid=${String(wrong.value)} onInput=${(event) => (typed.value = event.target.value)} onBlur=${take} />
    <${IconButton} icon="right" label=${t("register.day_after")} disabled=${shown >= today()} onClick=${() => goTo(dayAfter(shown, 1))} />
    ${day.value && html`<button type="button" class="button" onClick=${() => goTo(today())}>${t("register.today")}</button>`}
    ${wrong.value && html`<span class="wrong" role="alert">${t("register.no_day")}</span>`}
  </form>`;
}

/** Live, kept after the day's end, or signed: and as of when. */
function State({ found }) {
  if (found.signed) {
    return html`<span class="pill good"><span class="dot"></span>${t("register.signed_by", {
      by: found.signed_by,
      time: `${dateTimeText(read(found.signed))} ${zoneName}`,
    })}</span>`;
  }
  const word = found.kept ? t("register.kept") : t("register.unsigned");
  return html`<span class="pill warn"><span class="dot"></span>${word}</span>`;
}

const headings = signal(recall("register.headings", ""));

function Exports({ found }) {
  const chosen = headings.value || language.value;
  const link = (format, word) => html`<a class="button" download href=${`/api/v1/register/export?day=${found.day}&format=${format}&language=${chosen}`}>${word}</a>`;
  const choose = (event) => keep("register.headings", (headings.value = event.target.value));
  return html`<div class="exports" role="group" aria-label=${t("register.export")}>
    <${Icon} name="download" />
    <select class="input" aria-label=${t("register.headings")} value=${chosen} onInput=${choose}>
      <option value="en">English</option><option value="hi">हिन्दी</option><option value="both">English + हिन्दी</option>
    </select>
    <span class="segmented">${link("pdf", "PDF")}${link("xlsx", "Excel")}${link("csv", "CSV")}</span>
  </div>`;
}

function Day() {
  const found = register.value;
  if (!found) {
    return html`<div class="tiles waiting" aria-busy="true">${[0, 1, 2, 3, 4, 5].map((n) => html`<div key=${n} class="tile skeleton"></div>`)}</div>
      <div class="rows waiting" aria-busy=${String(loading.value)}>${[0, 1, 2, 3, 4, 5, 6, 7].map((n) => html`<div key=${n} class="skeleton"></div>`)}</div>`;
  }
  if (!found.total.installed) {
    return html`<${Empty} icon="register" title=${t("register.empty")}><p>${t("register.empty_help")}</p>
      <a class="button primary" href="/">${t("register.to_cameras")}</a><//><${Lines} found=${found} />`;
  }
  return html`<${Tiles} found=${found} />
    ${found.remarks && html`<p class="day-remarks"><b>${t("register.remarks")}:</b> ${found.remarks}</p>`}
    <${Lines} found=${found} />
    <${Faulty} found=${found} />`;
}

function Tiles({ found }) {
  const all = found.total;
  const window = t("register.window", {
    from: dateTimeText(read(found.from), { seconds: false }),
    to: dateTimeText(read(found.to), { seconds: false }),
    zone: zoneName,
  });
  const tile = (key, value, note, more) => html`<div class="tile"><dt>${t(`register.${key}`)}</dt><dd><b>${value}</b>${more}<span class="note">${note}</span></dd></div>`;
  return html`<dl class="tiles" aria-label=${t("register.whole_city")}>
    ${tile("target", targetText(all.target) || "–", all.target ? t("register.of_city") : t("register.no_target"))}
    ${tile("installed", number(all.installed), t("register.installed_help"))}
    ${tile("linked", number(all.linked), all.share === null ? t("register.linked_help") : t("register.share", { share: percent(all.share) }),
      html`<${Share} part=${all.share} />`)}
    ${tile("recording", number(all.recording), found.kept ? t("register.recording_then") : t("register.recording_now"),
      html`<${Share} part=${all.linked ? all.recording / all.linked : null} />`)}
    ${tile("coverage", percent(all.coverage), window, html`<${Share} part=${all.coverage} />`)}
    ${tile("faulty", number(all.faulty), all.faulty ? t("register.longest", { n: all.faulty_days }) : t("register.none_faulty"))}
  </dl>`;
}
