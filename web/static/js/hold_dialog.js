// Placing a hold: which cameras, from when to when, for which case and why. Two clicks once a case is known.
import { html } from "htm/preact";
import { useSignal } from "@preact/signals";
import { send } from "./api.js";
import { keep, recall } from "./choices.js";
import { Dialog, TimeField } from "./dialog.js";
import { Field, FormProblem, wrongAt } from "./form.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { CameraPicker } from "./picker.js";
import { cameraName, IconButton, toast } from "./signs.js";
import { serverNow } from "./site.js";
import { dateText, dateTimeText, DAY, HOUR, instant, parseTyped, query, wall, zoneWords } from "./time.js";

const REVIEW_DAYS = 90;
const FIELDS = ["case", "cameras", "from", "to", "reason", "review", "by"];

const midnightIn = (days) => {
  const today = wall(serverNow());
  return instant(today.getUTCFullYear(), today.getUTCMonth() + 1, today.getUTCDate() + days);
};

/** `cameras` to begin with, `range` {from, to} in ms or null; `placed()` once it stands. `fixed`: the cameras cannot be changed. */
export function HoldDialog({ cameras, range, fixed = false, placed, close }) {
  const now = serverNow();
  const chosen = useSignal(cameras);
  const values = useSignal({
    case: recall("hold.case", ""),
    reason: recall("hold.reason", ""),
    by: recall("hold.by", ""),
    from: dateTimeText(range?.from ?? now - HOUR),
    to: dateTimeText(range?.to ?? now),
    review: dateText(midnightIn(REVIEW_DAYS)),
  });
  const problem = useSignal(null);
  const tried = useSignal(false);
  const busy = useSignal(false);
  const set = (name) => (value) => {
    values.value = { ...values.value, [name]: value };
    problem.value = null;
  };

  const typed = values.value;
  const from = range && typed.from === dateTimeText(range.from) ? range.from : parseTyped(typed.from, now);
  const to = range && typed.to === dateTimeText(range.to) ? range.to : parseTyped(typed.to, from ?? now);
  const review = typed.review.trim() ? parseTyped(typed.review, now) : undefined;
  const wrong = {
    case: typed.case.trim() ? "" : t("hold.case_missing"),
    reason: typed.reason.trim() ? "" : t("hold.reason_missing"),
    by: typed.by.trim() ? "" : t("hold.by_missing"),
    cameras: chosen.value.length ? "" : t("hold.cameras_missing"),
    from: from === null ? t("goto.wrong") : "",
    to: to === null ? t("goto.wrong") : from !== null && to <= from ? t("clip.order") : "",
    review: review === null ? t("goto.wrong") : review !== undefined && review <= now ? t("hold.review_past") : "",
  };
  const sound = !Object.values(wrong).some(Boolean);
  // A time that cannot be read is told while it is typed; what is still empty only once it was tried.
  const said = (name, always) => wrongAt(problem.value, name) || (tried.value || always ? wrong[name] : "");

  const submit = async (event) => {
    event.preventDefault();
    tried.value = true;
    if (!sound || busy.value) return;
    busy.value = true;
    try {
      await send("POST", "holds", {
        case: typed.case.trim(),
        cameras: chosen.value.map((camera) => camera.id),
        from: query(from),
        to: query(to),
        reason: typed.reason.trim(),
        by: typed.by.trim(),
        ...(review === undefined ? {} : { review: query(review) }),
      });
      for (const name of ["case", "reason", "by"]) keep(`hold.${name}`, typed[name].trim());
      toast(t("hold.placed", { case: typed.case.trim() }));
      placed?.();
      close();
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = false;
    }
  };

  return html`<${Dialog} title=${t("hold.title")} close=${close}>
    <form onSubmit=${submit} class="body plain" novalidate>
      <${Cameras} chosen=${chosen} fixed=${fixed} wrong=${said("cameras")} />
      <div class="pair">
        <${TimeField} id="hold-from" label=${t("clip.from", { zone: zoneWords() })} value=${typed.from} wrong=${said("from", true)}
          onInput=${set("from")} />
        <${TimeField} id="hold-to" label=${t("clip.to", { zone: zoneWords() })} value=${typed.to} wrong=${said("to", true)}
          onInput=${set("to")} />
      </div>
      <div class="pair">
        <${Field} id="hold-case" label=${t("hold.case")} value=${typed.case} wrong=${said("case")} maxlength="200"
          autofocus=${fixed} onInput=${set("case")} />
        <${TimeField} id="hold-review" label=${t("hold.review")} value=${typed.review} wrong=${said("review", true)} onInput=${set("review")} />
      </div>
      <${Field} id="hold-reason" label=${t("hold.reason")} value=${typed.reason} wrong=${said("reason")} maxlength="1000"
        onInput=${set("reason")} />
      <${Field} id="hold-by" label=${t("hold.by")} value=${typed.by} wrong=${said("by")} maxlength="200" onInput=${set("by")} />
      <p class="note">${t("hold.help")}</p>
      <${FormProblem} problem=${problem.value} fields=${FIELDS} code=${(code) => t("error.code", { code })} />
      <div class="actions">
        <button type="button" class="button plain" onClick=${close}>${t("dialog.cancel")}</button>
        <button type="submit" class="button primary" disabled=${busy.value}><${Icon} name="lock" />${t("hold.place")}</button>
      </div>
    </form>
  <//>`;
}

function Cameras({ chosen, fixed, wrong }) {
  const drop = (id) => (chosen.value = chosen.value.filter((camera) => camera.id !== id));
  const add = (camera) => {
    if (!chosen.value.some((one) => one.id === camera.id)) chosen.value = [...chosen.value, camera];
  };
  return html`<div class="field">
    <span class="label">${t("hold.cameras")}</span>
    <span class="chips">${chosen.value.map((camera) => html`<span class="chip" key=${camera.id}>
      <b>${camera.code}</b> ${cameraName(camera) ?? ""}
      ${!fixed && html`<${IconButton} icon="close" label=${t("hold.drop", { code: camera.code })} onClick=${() => drop(camera.id)} />`}
    </span>`)}</span>
    ${!fixed && html`<${CameraPicker} choose=${add} focus label=${t("cameras.search")} />`}
    <span class="wrong" role="alert">${wrong}</span>
  </div>`;
}
