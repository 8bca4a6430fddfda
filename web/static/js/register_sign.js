// Signing a day off: what is frozen is said before, and a register that has changed meanwhile is told.
import { html } from "htm/preact";
import { useSignal } from "@preact/signals";
import { keep, recall } from "./choices.js";
import { Dialog } from "./dialog.js";
import { Field, FormProblem, wrongAt } from "./form.js";
import { number, t } from "./i18n.js";
import { dayText, load, register, sign, today } from "./register_data.js";
import { toast } from "./signs.js";

export function SignDialog({ close }) {
  const found = register.value;
  const by = useSignal(recall("officer", ""));
  const remarks = useSignal("");
  const problem = useSignal(null);
  const changed = useSignal(false);
  const empty = useSignal(false);
  const busy = useSignal(false);
  const all = found.total;
  const submit = async (event) => {
    event.preventDefault();
    empty.value = !by.value.trim();
    if (empty.value || busy.value) return;
    busy.value = true;
    changed.value = false;
    problem.value = null;
    try {
      await sign(by.value.trim(), remarks.value.trim(), found.digest);
      keep("officer", by.value.trim());
      toast(t("register.signed_now", { day: dayText(found.day) }));
      close();
    } catch (wrong) {
      if (wrong.status === 409) {
        await load({ quiet: true });
        changed.value = !register.value.signed;
        if (register.value.signed) problem.value = wrong;
      } else problem.value = wrong;
    } finally {
      busy.value = false;
    }
  };
  return html`<${Dialog} title=${t("register.sign_day", { day: dayText(found.day) })} close=${close}>
    <form class="sign-form" onSubmit=${submit}>
      <p>${t("register.freezes", { linked: number(all.linked), recording: number(all.recording), faulty: number(all.faulty) })}</p>
      ${found.day === today() && html`<p class="note">${t("register.sign_today")}</p>`}
      <p class="note">${t("register.for_good")}</p>
      ${changed.value && html`<p class="banner warn" role="alert">${t("register.changed")}</p>`}
      <${Field} id="sign-by" label=${t("register.officer")} value=${by.value} maxlength="200" wrong=${empty.value ? t("register.name_needed") : wrongAt(problem.value, "by")}
        onInput=${(text) => (by.value = text)} />
      <${Field} id="sign-remarks" as="textarea" rows="2" maxlength="2000" label=${t("register.day_remarks")} value=${remarks.value}
        wrong=${wrongAt(problem.value, "remarks")} onInput=${(text) => (remarks.value = text.replace(/[\r\n]+/g, " "))} />
      <${FormProblem} problem=${problem.value} fields=${["by", "remarks"]} code=${(code) => t("error.code", { code })} />
      <div class="actions"><button type="button" class="button" onClick=${close}>${t("dialog.cancel")}</button>
        <button class="button primary" disabled=${busy.value}>${t("register.sign")}</button></div>
    </form>
  <//>`;
}
