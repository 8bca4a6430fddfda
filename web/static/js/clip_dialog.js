// Downloading a clip: from when to when, what it will hold, and the file.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { address, get } from "./api.js";
import { Dialog, TimeField } from "./dialog.js";
import { Icon } from "./icons.js";
import { bytes, t } from "./i18n.js";
import { causeText } from "./signs.js";
import { dateTimeText, parseTyped, query, read, spanText, stampText, zoneWords } from "./time.js";

const TYPING_MS = 350;
const GAPS_SHOWN = 4;

const clipUrl = (camera, from, to, gaps) =>
  address(`/play/${camera.id}/clip.mp4`, { from: query(from), to: query(to), gaps: gaps === "keep" ? "keep" : null });

const clipName = (camera, from, to) => `${camera.code}_${stampText(from)}_${stampText(to)}.mp4`;

/** `range` {from, to} in ms is what the form starts with. */
export function ClipDialog({ camera, range, close }) {
  const [from, to] = [useSignal(dateTimeText(range.from)), useSignal(dateTimeText(range.to))];
  const gaps = useSignal("skip");
  const found = useSignal(null); // {info} | {problem} | null while looking
  const start = parseTyped(from.value, range.from);
  const end = parseTyped(to.value, start ?? range.to);
  const wrongEnd = end === null ? t("goto.wrong") : start !== null && end <= start ? t("clip.order") : "";
  const sound = start !== null && !wrongEnd;

  useEffect(() => {
    found.value = null;
    if (!sound) return undefined;
    const asking = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const window = { from: query(start), to: query(end) };
        found.value = { info: await get(`/play/${camera.id}/clip.json`, window, { signal: asking.signal }) };
      } catch (problem) {
        if (!asking.signal.aborted) found.value = { problem };
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [start, end, sound]);

  const ready = sound && found.value?.info;
  return html`<${Dialog} title=${`${t("clip.title")} · ${camera.code}`} close=${close}>
    <div class="pair">
      <${TimeField} id="clip-from" focus label=${t("clip.from", { zone: zoneWords() })} value=${from.value}
        wrong=${start === null ? t("goto.wrong") : ""} onInput=${(value) => (from.value = value)} />
      <${TimeField} id="clip-to" label=${t("clip.to", { zone: zoneWords() })} value=${to.value} wrong=${wrongEnd}
        onInput=${(value) => (to.value = value)} />
    </div>
    <div class="field">
      <span class="label" id="clip-gaps">${t("clip.gaps")}</span>
      <span class="segmented" role="group" aria-labelledby="clip-gaps">
        ${["skip", "keep"].map((way) => html`<button type="button" class="button" key=${way}
          aria-pressed=${String(gaps.value === way)} onClick=${() => (gaps.value = way)}>${t(`clip.${way}`)}</button>`)}
      </span>
    </div>
    <div class="found" aria-live="polite">
      ${sound && !found.value && html`<p class="note">${t("clip.checking")} …</p>`}
      ${ready && html`<${Contents} info=${found.value.info} />`}
      ${sound && found.value?.problem && html`<${Refusal} camera=${camera} problem=${found.value.problem} />`}
    </div>
    <p class="note">${t("clip.same_bytes")}</p>
    <div class="actions">
      <button type="button" class="button plain" onClick=${close}>${t("dialog.cancel")}</button>
      ${ready
        ? html`<a class="button primary" href=${clipUrl(camera, start, end, gaps.value)} download=${clipName(camera, start, end)}>
            <${Icon} name="download" />${t("clip.download")}</a>`
        : html`<button type="button" class="button primary" disabled><${Icon} name="download" />${t("clip.download")}</button>`}
    </div>
  <//>`;
}

function Contents({ info }) {
  const delivered = { from: read(info.delivered.from), to: read(info.delivered.to) };
  const gaps = info.gaps.map((gap) => ({ ...gap, from: read(gap.from), to: read(gap.to) }));
  const missing = gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  return html`<dl class="pairs">
    <dt>${t("clip.delivered")}</dt><dd>${dateTimeText(delivered.from)} – ${dateTimeText(delivered.to)}</dd>
    <dt>${t("clip.size")}</dt><dd>${bytes(info.size_bytes)}</dd>
    <dt>${t("clip.missing")}</dt>
    <dd>${gaps.length ? t("clip.missing_n", { n: gaps.length, span: spanText(missing) }) : t("clip.complete")}
      ${gaps.slice(0, GAPS_SHOWN).map((gap) => html`<br key=${gap.from} /><span class="note">${dateTimeText(gap.from)} ·
        ${spanText(gap.to - gap.from)} · ${causeText(gap.cause)}</span>`)}</dd>
  </dl>`;
}

/** Nothing there, or pictures of several formats: then one file for each. */
function Refusal({ camera, problem }) {
  if (problem.status === 404) return html`<p class="wrong">${t("clip.none")}</p>`;
  const windows = problem.status === 409 ? problem.body.windows : null;
  if (!windows) return html`<p class="wrong">${problem.message} <span class="note">${t("error.code", { code: problem.code })}</span></p>`;
  return html`<p>${t("clip.mixed")}</p>
    <ul class="files">${windows.map((window) => {
      const [from, to] = [read(window.from), read(window.to)];
      return html`<li key=${from}><a href=${address(`/play/${camera.id}/clip.mp4`, { from: window.from, to: window.to })}
        download=${clipName(camera, from, to)}>${dateTimeText(from)} – ${dateTimeText(to)}</a></li>`;
    })}</ul>`;
}
