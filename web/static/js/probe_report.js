// What a look at a camera found: what it sends, and its troubles with what to do about each.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api.js";
import { Icon } from "./icons.js";
import { known, number, t } from "./i18n.js";
import { causeAdvice, causeText } from "./signs.js";
import { dateTimeText, read, SECOND, spanText } from "./time.js";

const SIGNS = { bad: "alert", warn: "alert", info: "check" };
const ORDER = ["bad", "warn", "info"];

const levelOf = (finding) => (ORDER.includes(finding.level) ? finding.level : "info");

/** A finding's text (or, with `part` "fix", what to do) in the viewer's words, else as the server wrote it. */
function words(finding, part) {
  const key = part === "fix" ? `finding.${finding.code}.fix` : `finding.${finding.code}`;
  if (known(key)) return t(key);
  return (part === "fix" ? finding.fix : finding.text) ?? finding.code.replaceAll("_", " ");
}

/** Of a code alone: what is so. */
export const findingText = (code) => words({ code }, "text");

/** The worst first, each with its sign, its level as a word, and the way out. */
export function Findings({ findings }) {
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(levelOf(a)) - ORDER.indexOf(levelOf(b)));
  return html`<ul class="findings">${sorted.map((finding) => html`<li key=${finding.code} class=${levelOf(finding)}>
    <${Icon} name=${SIGNS[levelOf(finding)]} />
    <span><b><span class="level">${t(`probe.level_${levelOf(finding)}`)}</span> ${words(finding, "text")}</b>
      ${words(finding, "fix") && html`<br /><span class="fix">${words(finding, "fix")}</span>`}</span>
  </li>`)}</ul>`;
}

/** "H264, 1920 × 1080, 25 fps, 2,048 kbit/s, keyframe every 2 s, audio aac". */
function sends(report) {
  const parts = [
    report.video_codec.toUpperCase(),
    report.width && `${report.width} × ${report.height}`,
    report.fps && t("probe.fps", { n: number(report.fps, report.fps % 1 ? 1 : 0) }),
    report.bitrate_kbps && t("probe.kbps", { n: Math.round(report.bitrate_kbps) }),
    report.keyframe_s && t("probe.keyframe", { s: number(report.keyframe_s, 1) }),
    report.audio_received ? t("probe.audio", { codec: report.audio_codec.toUpperCase() }) : t("probe.no_audio"),
  ];
  return parts.filter(Boolean).join(", ");
}

/** One look in full. */
export function ProbeReport({ report }) {
  const offset = report.clock_offset_ms;
  return html`<div class="probe ${report.ok ? "good" : "bad"}">
    ${report.ok
      ? html`<p><span class="pill good"><span class="dot"></span>${t("probe.ok")}</span> ${sends(report)}</p>`
      : html`<p><span class="pill bad"><span class="dot"></span>${causeText(report.cause)}</span> ${causeAdvice(report.cause)}
          ${report.detail && html`<br /><span class="note">${report.detail}</span>`}</p>`}
    ${typeof offset === "number" && Math.abs(offset) >= 2 * SECOND && html`<p class="note">
      ${t("facts.clock")}: ${t(offset > 0 ? "facts.clock_fast" : "facts.clock_slow", { span: spanText(Math.abs(offset)) })}</p>`}
    ${report.findings?.length > 0 && html`<${Findings} findings=${report.findings} />`}
  </div>`;
}

/** Review's section: the last kept look at a camera. Nothing where nobody has looked yet. */
export function KeptFindings({ camera }) {
  const report = useSignal(null);
  useEffect(() => {
    const asking = new AbortController();
    get(`cameras/${camera.id}/probe`, {}, { signal: asking.signal })
      .then((answer) => (report.value = answer))
      .catch(() => {}); // nobody has looked at it yet: that is no trouble of this page
    return () => asking.abort();
  }, [camera.id, camera.url]);
  const kept = report.value;
  if (!kept?.findings?.length) return null;
  return html`<section class="kept-findings" aria-label=${t("probe.findings")}>
    <h2>${t("probe.findings")}</h2>
    <${Findings} findings=${kept.findings} />
    ${kept.probed_at && html`<p class="note">${t("probe.at", { time: dateTimeText(read(kept.probed_at)) })}</p>`}
  </section>`;
}
