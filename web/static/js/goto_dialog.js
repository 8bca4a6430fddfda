// Going to an exact date and time.
import { html } from "htm/preact";
import { useSignal } from "@preact/signals";
import { Dialog, TimeField } from "./dialog.js";
import { t } from "./i18n.js";
import { serverNow } from "./site.js";
import { dateTimeText, DAY, HOUR, instant, parseTyped, wall, zoneWords } from "./time.js";

/** `at` is where the playhead is; `go(ms)` the jump. */
export function GotoDialog({ at, go, close }) {
  const text = useSignal(dateTimeText(at));
  const wrong = useSignal("");
  const leave = (ms) => {
    go(ms);
    close();
  };
  const submit = (event) => {
    event.preventDefault();
    const ms = parseTyped(text.value, at);
    if (ms === null) wrong.value = t("goto.wrong");
    else if (ms > serverNow()) wrong.value = t("goto.future");
    else leave(ms);
  };
  const midnight = (daysBack) => {
    const today = wall(serverNow());
    return instant(today.getUTCFullYear(), today.getUTCMonth() + 1, today.getUTCDate() - daysBack);
  };
  const quick = (key, ms) => html`<button type="button" class="button" onClick=${() => leave(ms)}>${t(key)}</button>`;
  return html`<${Dialog} title=${t("goto.title")} close=${close}>
    <form onSubmit=${submit} class="body plain">
      <${TimeField} id="goto-time" focus label=${t("goto.field", { zone: zoneWords() })} value=${text.value} wrong=${wrong.value}
        onInput=${(value) => ((text.value = value), (wrong.value = ""))} />
      <div class="choices">
        ${quick("goto.hour", at - HOUR)} ${quick("goto.day", at - DAY)} ${quick("goto.today", midnight(0))}
        ${quick("goto.yesterday", midnight(1))}
      </div>
      <div class="actions">
        <button type="button" class="button plain" onClick=${close}>${t("dialog.cancel")}</button>
        <button type="submit" class="button primary">${t("goto.go")}</button>
      </div>
    </form>
  <//>`;
}
