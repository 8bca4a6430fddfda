// Making or changing a policy: first a look at what it does, then, with a second click, it is saved.
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { send } from "./api.js";
import { Dialog } from "./dialog.js";
import { Field, FormProblem } from "./form.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { Preview } from "./policy_preview.js";
import { kinds, kindText } from "./owner_kinds.js";
import { SCOPES, scopeText } from "./policy_words.js";
import { toast } from "./signs.js";

const GB = 1e9;
const NUMBERS = ["min_days", "max_days", "offload_after_days", "local_days", "priority"];
const FIELDS = ["name", "scope", "target", ...NUMBERS, "storage_class", "quota_bytes"];
const SHOWN = 1000;

/** What the form begins with: everything as text, as it is typed. */
function start(policy) {
  if (!policy) return { scope: "kind", target: "bank_atm", name: "", min_days: "90", max_days: "90", priority: "50", ...BLANK };
  const text = (value) => (value === null ? "" : String(value));
  return {
    ...policy,
    target: policy.camera_code ?? policy.target,
    ...Object.fromEntries(NUMBERS.map((name) => [name, text(policy[name])])),
    quota_bytes: policy.quota_bytes === null ? "" : String(policy.quota_bytes / GB),
  };
}
const BLANK = { offload_after_days: "", local_days: "", storage_class: "", quota_bytes: "" };

/** A name for URLs out of whom it is for. */
function nameFor({ scope, target }) {
  const word = target.trim().replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "");
  const name = scope === "kind" ? word : `${scope}-${word || "1"}`;
  return name.slice(0, 64);
}

/** What the form says, as the API takes it; `wrong` {field: text} where it cannot. */
function parse(form) {
  const wrong = {};
  const whole = (name, least, most, optional = false) => {
    const text = form[name].trim();
    if (optional && text === "") return null;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) wrong[name] = t("policy.whole", { from: least, to: most });
    return value;
  };
  const fields = {
    scope: form.scope,
    target: form.scope === "default" ? "" : form.target.trim(),
    min_days: whole("min_days", 1, 3650),
    max_days: whole("max_days", 1, 3650),
    offload_after_days: whole("offload_after_days", 0, 3650, true),
    local_days: whole("local_days", 0, 3650, true),
    priority: whole("priority", 0, 100),
    storage_class: form.storage_class.trim().toUpperCase(),
    quota_bytes: null,
  };
  if (form.quota_bytes.trim()) {
    const size = Number(form.quota_bytes.replace(/,/g, ""));
    if (size >= 0.001 && size <= 9e6) fields.quota_bytes = Math.round(size * GB);
    else wrong.quota_bytes = t("policy.size");
  }
  if (form.scope !== "default" && !fields.target) wrong.target = t("policy.target_missing");
  if (!wrong.min_days && !wrong.max_days && fields.min_days > fields.max_days) wrong.max_days = t("policy.max_below_min");
  if (fields.local_days !== null && fields.offload_after_days === null) wrong.local_days = t("policy.local_needs_cloud");
  return { fields, wrong };
}

/** `policy` null: a new one. `all`: those there are. `saved()` once it stands. */
export function PolicyDialog({ policy, all, saved, close }) {
  const form = useSignal(start(policy));
  const preview = useSignal(null); // the answer, and what was asked: {key, name, policy, ...}
  const problem = useSignal(null);
  const tried = useSignal(false);
  const busy = useSignal(false);
  const typed = useSignal("");
  const outcome = useRef(null);

  const values = form.value;
  const { fields, wrong } = parse(values);
  const name = policy?.name ?? (values.name.trim() || nameFor(values));
  const key = JSON.stringify([name, fields]);
  const ready = preview.value?.key === key ? preview.value : null;
  useEffect(() => ready && outcome.current?.scrollIntoView({ block: "nearest" }), [preview.value]);
  const twin = policy ? null : all.find((one) => one.scope === fields.scope && (one.target === fields.target || one.camera_code === fields.target));
  if (twin) wrong.target = t("policy.twin");

  const set = (field) => (value) => {
    form.value = { ...form.value, [field]: value };
    problem.value = null;
  };
  const scopeChosen = (scope) => {
    form.value = { ...form.value, scope, target: scope === "kind" ? "bank_atm" : "" };
    problem.value = null;
  };
  // The server names a field inside a list of edits: edits.0.policy.min_days.
  const field = problem.value?.body?.field?.split(".").at(-1);
  const said = (which, late = false) => (field === which ? problem.value.message : late && !tried.value ? "" : (wrong[which] ?? ""));

  const ask = async (work) => {
    busy.value = true;
    problem.value = null;
    try {
      await work();
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = false;
    }
  };
  const look = (deleting) => ask(async () => {
    const edit = { name, policy: deleting ? null : fields };
    const answer = await send("POST", "retention/preview", { edits: [edit] }, { limit: SHOWN });
    typed.value = "";
    preview.value = { ...answer, key, deleting };
  });
  const submit = (event) => {
    event.preventDefault();
    tried.value = true;
    if (!Object.keys(wrong).length && !busy.value) look(false);
  };
  const confirmed = ready && (!ready.needs_confirm || typed.value.trim() === name);
  const save = () => ask(async () => {
    const confirm = ready.needs_confirm;
    const path = `retention/policies/${encodeURIComponent(name)}`;
    const answer = ready.deleting
      ? await send("DELETE", path, undefined, confirm ? { confirm: "true" } : {})
      : await send("PUT", path, { ...fields, confirm });
    toast(answer.change?.status === "pending" ? t("policy.saved_waits") : t("policy.saved"));
    saved();
  });

  return html`<${Dialog} title=${policy ? t("policy.change") : t("policy.new")} close=${close} wide>
    <div class="split ${ready ? "both" : ""}">
    <form class="body plain policy" onSubmit=${submit} novalidate>
      <${Whom} ...${{ policy, values, set, scopeChosen, said }} />
      <div class="pair">
        <${Field} id="policy-min" label=${t("policy.min")} note=${t("policy.min_note")} inputmode="numeric" value=${values.min_days}
          wrong=${said("min_days")} onInput=${set("min_days")} autofocus />
        <${Field} id="policy-max" label=${t("policy.max")} note=${t("policy.max_note")} inputmode="numeric" value=${values.max_days}
          wrong=${said("max_days")} onInput=${set("max_days")} />
      </div>
      <${More} ...${{ values, set, said }} />
      ${!policy && html`<${Field} id="policy-name" label=${t("policy.name")} note=${t("policy.name_note")} value=${values.name}
        placeholder=${nameFor(values)} wrong=${said("name")} maxlength="64" onInput=${set("name")} />`}
      <${FormProblem} problem=${problem.value && { ...problem.value, message: problem.value.message, code: problem.value.code, body: { field } }}
        fields=${FIELDS} code=${(code) => t("error.code", { code })} />
      <div class="actions">
        ${policy && policy.scope !== "default" &&
        html`<button type="button" class="button plain danger" disabled=${busy.value} onClick=${() => look(true)}>${t("policy.delete")}</button>`}
        <span class="spring"></span>
        <button type="button" class="button plain" onClick=${close}>${t("dialog.cancel")}</button>
        <button type="submit" class=${ready ? "button" : "button primary"} disabled=${busy.value}>${t("policy.look")}</button>
      </div>
    </form>
    ${ready && html`<div class="outcome" ref=${outcome}><${Preview} preview=${ready} name=${name} typed=${typed} />
      <div class="actions">
        <button type="button" class="button primary ${ready.shortened ? "danger" : ""}" disabled=${!confirmed || busy.value} onClick=${save}>
          <${Icon} name="check" />${ready.deleting ? t("policy.delete_now") : t("policy.save")}</button>
      </div></div>`}
    </div>
  <//>`;
}

function Whom({ policy, values, set, scopeChosen, said }) {
  const fixed = policy?.scope === "default";
  const scopes = SCOPES.filter((scope) => fixed || scope !== "default");
  return html`<div class="pair">
    <${Field} as="select" id="policy-scope" label=${t("policies.whom")} value=${values.scope} disabled=${fixed} onInput=${scopeChosen}
      note=${t(`policy.scope_${values.scope}`)} wrong=${said("scope")}>
      ${scopes.map((scope) => html`<option key=${scope} value=${scope} selected=${scope === values.scope}>${scopeText(scope)}</option>`)}
    <//>
    ${!fixed && (values.scope === "kind"
      ? html`<${Field} as="select" id="policy-target" label=${t("scope.kind")} value=${values.target} wrong=${said("target")} onInput=${set("target")}>
          ${[...new Set([...kinds.value.map((kind) => kind.key), values.target])].map((kind) => html`<option key=${kind} value=${kind} selected=${kind === values.target}>
            ${kindText(kind)}</option>`)}<//>`
      : html`<${Field} id="policy-target" label=${scopeText(values.scope)} value=${values.target} wrong=${said("target", true)}
          placeholder=${values.scope === "camera" ? "KNP-0412" : ""} onInput=${set("target")} />`)}
  </div>`;
}

/** What few policies need: folded away until it is used. */
function More({ values, set, said }) {
  const used = ["offload_after_days", "local_days", "storage_class", "quota_bytes"].some((name) => values[name] || said(name));
  return html`<details open=${used}>
    <summary>${t("policy.more")}</summary>
    <div class="grid">
      <${Field} id="policy-priority" label=${t("policies.priority")} note=${t("policy.priority_note")} inputmode="numeric"
        value=${values.priority} wrong=${said("priority")} onInput=${set("priority")} />
      <${Field} id="policy-quota" label=${t("policy.quota")} note=${t("policy.empty_none")} inputmode="decimal" value=${values.quota_bytes}
        wrong=${said("quota_bytes")} onInput=${set("quota_bytes")} />
      <${Field} id="policy-offload" label=${t("policy.offload")} note=${t("policy.empty_never")} inputmode="numeric"
        value=${values.offload_after_days} wrong=${said("offload_after_days")} onInput=${set("offload_after_days")} />
      <${Field} id="policy-local" label=${t("policy.local")} note=${t("policy.empty_room")} inputmode="numeric" value=${values.local_days}
        wrong=${said("local_days")} onInput=${set("local_days")} />
      <${Field} id="policy-class" label=${t("policy.class")} note=${t("policy.class_note")} value=${values.storage_class}
        wrong=${said("storage_class")} onInput=${set("storage_class")} />
    </div>
  </details>`;
}
