// What a change of a policy would do, before it is made.
import { html } from "htm/preact";
import { Field } from "./form.js";
import { Icon } from "./icons.js";
import { bytes, number, t } from "./i18n.js";
import { daysText } from "./policy_words.js";
import { status } from "./site.js";
import { report } from "./storage_data.js";
import { dateText, dateTimeText, read, zoneName } from "./time.js";

const SHOWN = 8;

/** `preview` as the API answers it, with `deleting`; `typed` a signal: what confirms it, where so much goes. */
export function Preview({ preview, name, typed }) {
  const due = read(preview.due_at);
  return html`<section class="preview ${preview.shortened ? "shortens" : ""}" aria-label=${t("preview.title")} role="status">
    <h3>${t("preview.title")}</h3>
    ${preview.cameras === 0
      ? html`<p class="warn"><${Icon} name="alert" />${t("preview.no_camera")}</p>`
      : html`<p>${t("preview.cameras", { n: preview.cameras })}${" "}
          ${preview.shortened ? t("preview.shortened", { n: preview.shortened }) : t("preview.longer")}</p>`}
    ${preview.shortened > 0 && html`<dl class="pairs">
      <dt>${t("preview.goes")}</dt>
      <dd>${preview.bytes ? html`<b class="goes">${bytes(preview.bytes)}</b>` : t("preview.nothing_goes")}
        ${preview.bytes && preview.remote_bytes ? ` (${t("preview.of_it_cloud", { size: bytes(preview.remote_bytes) })})` : ""}</dd>
      ${preview.oldest && html`<dt>${t("preview.oldest")}</dt><dd>${dateText(read(preview.oldest))}</dd>`}
      <dt>${t("preview.when")}</dt>
      <dd>${due === null ? t("change.undated") : `${dateTimeText(due, { seconds: false })} ${zoneName}`} <span class="note">${t("preview.until_then")}</span></dd>
    </dl>
    ${preview.volumes.map((share) => html`<${Share} key=${share.volume_id} share=${share} />`)}`}
    <${Room} preview=${preview} />
    ${preview.effects.length > 0 && html`<${Effects} effects=${preview.effects} count=${preview.cameras} />`}
    ${preview.needs_confirm && html`<div class="confirm">
      <p><${Icon} name="alert" />${t("preview.too_much")}</p>
      <${Field} id="policy-confirm" label=${t("preview.type", { name })} value=${typed.value} onInput=${(value) => (typed.value = value)} spellcheck=${false} />
    </div>`}
  </section>`;
}

/** What the promise will need in disk, against what it needs now, at the rate of each camera. */
function Room({ preview }) {
  const rates = new Map((report.value?.cameras ?? []).map((camera) => [camera.camera_id, camera.bytes_per_day]));
  const days = (effect) => (effect.after?.min_days ?? 0) - (effect.before?.min_days ?? 0);
  const more = preview.effects.reduce((sum, one) => sum + days(one) * (rates.get(one.camera_id) ?? 0), 0);
  if (!more) return null;
  const all = (more * preview.cameras) / preview.effects.length;
  return html`<dl class="pairs"><dt>${t("preview.needs")}</dt>
    <dd><b>${t(all > 0 ? "preview.needs_more" : "preview.needs_less", { size: bytes(Math.abs(all)) })}</b>${" "}
      <span class="note">${t("preview.needs_note")}</span></dd></dl>`;
}

/** How much of a volume's footage goes. */
function Share({ share }) {
  const volume = status.value?.volumes.find((one) => one.id === share.volume_id);
  const part = share.of_bytes ? share.bytes / share.of_bytes : 0;
  return html`<div class="share">
    <span class="path">${volume?.path ?? t("preview.volume", { n: String(share.volume_id) })}</span>
    <span class="usage small" aria-hidden="true"><i class="goes" style=${{ width: `${part * 100}%` }}></i></span>
    <span class="number">${t("preview.share", { percent: number(part * 100, part < 0.1 ? 1 : 0), size: bytes(share.bytes), of: bytes(share.of_bytes) })}</span>
  </div>`;
}

function Effects({ effects, count }) {
  const shown = effects.slice(0, SHOWN);
  return html`<div class="rows"><table>
    <thead><tr><th scope="col">${t("column.camera")}</th><th scope="col" class="number">${t("preview.now")}</th>
      <th scope="col" class="number">${t("preview.then")}</th><th scope="col" class="number">${t("preview.goes")}</th></tr></thead>
    <tbody>${shown.map((one) => html`<tr key=${one.camera_id}>
      <th scope="row"><b>${one.code}</b></th>
      <td class="number">${one.before ? daysText(one.before) : "–"}</td>
      <td class="number">${one.after ? daysText(one.after) : "–"}</td>
      <td class="number">${one.loses.bytes ? bytes(one.loses.bytes) : "–"}</td>
    </tr>`)}</tbody>
  </table></div>
  ${count > shown.length && html`<p class="note">${t("preview.more", { n: count - shown.length })}</p>`}`;
}
