// Policies: in the order in which they decide, what waits to come into force, and what one camera gets and why.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { get, send } from "./api.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";
import { bytes, number, t } from "./i18n.js";
import { CameraPicker } from "./picker.js";
import { PolicyDialog } from "./policy_dialog.js";
import { changeText, daysText, extrasText, scopeText, targetText, whyText } from "./policy_words.js";
import { cameraName, Empty, Failure, IconButton, toast } from "./signs.js";
import { now } from "./site.js";
import { byPolicy, keepLoading } from "./storage_data.js";
import { dateTimeText, query, read, spanText, zoneName } from "./time.js";

const POLL_MS = 30_000;
const CHANGES = 50;

const policies = signal(null);
const changes = signal(null);
const problem = signal(null);
const dialog = signal(null); // {name, policy}

async function load() {
  try {
    const [list, made] = await Promise.all([get("retention/policies"), get("retention/changes", { limit: CHANGES })]);
    policies.value = list.items;
    changes.value = made.items;
    problem.value = null;
  } catch (error) {
    problem.value = error;
  }
}

export function Policies({ go }) {
  useEffect(() => {
    load();
    const timer = setInterval(() => document.hidden || load(), POLL_MS);
    const stop = keepLoading();
    return () => {
      clearInterval(timer);
      stop();
    };
  }, []);
  const close = () => (dialog.value = null);
  const saved = () => {
    close();
    load();
  };
  if (problem.value && !policies.value) return html`<${Failure} problem=${problem.value} retry=${load} />`;
  return html`
    ${problem.value && html`<div class="banner warn" role="status"><${Icon} name="alert" />
      <p>${t("error.offline")} ${t("error.offline_help")}</p></div>`}
    <${Waiting} />
    <div class="columns">
      <section class="block" aria-labelledby="policies-title">
        <div class="head"><h2 id="policies-title">${t("policies.title")}</h2><span class="spring"></span>
          <button type="button" class="button" onClick=${() => (dialog.value = { name: "edit", policy: null })}>
            <${Icon} name="plus" />${t("policies.new")}</button></div>
        <p class="note">${t("policies.order")}</p>
        <${Table} go=${go} />
      </section>
      <div class="stack"><${OneCamera} /><${Past} /></div>
    </div>
    ${dialog.value?.name === "edit" &&
    html`<${PolicyDialog} policy=${dialog.value.policy} all=${policies.value ?? []} saved=${saved} close=${close} />`}
    ${dialog.value?.name === "cancel" && html`<${CancelDialog} change=${dialog.value.change} done=${saved} close=${close} />`}
  `;
}

function Table({ go }) {
  if (!policies.value) {
    return html`<div class="rows waiting" aria-busy="true">${[0, 1, 2, 3].map((n) => html`<div key=${n} class="skeleton"></div>`)}</div>`;
  }
  if (!policies.value.length) return html`<${Empty} icon="clock" title=${t("policies.none")}><p>${t("policies.none_help")}</p><//>`;
  return html`<div class="rows"><table>
    <thead><tr>
      <th scope="col">${t("policies.whom")}</th>
      <th scope="col" class="number">${t("policies.kept")}</th>
      <th scope="col" class="number">${t("policies.cameras")}</th>
      <th scope="col">${t("policies.promises")}</th>
      <th scope="col" class="number">${t("policies.stored")}</th>
      <th scope="col" class="number" title=${t("preview.needs_note")}>${t("policies.needs")}</th>
      <th scope="col" class="number">${t("policies.priority")}</th>
      <th scope="col"><span class="hidden-visually">${t("policies.edit")}</span></th>
    </tr></thead>
    <tbody>${policies.value.map((policy) => html`<${Row} key=${policy.id} policy=${policy} go=${go} />`)}</tbody>
  </table></div>`;
}

function Row({ policy, go }) {
  const pending = changes.value?.find((change) => change.status === "pending" && change.policy === policy.name);
  const edit = () => (dialog.value = { name: "edit", policy });
  const groups = byPolicy.value.filter((group) => group.policy === policy.name);
  const total = (count) => groups.reduce((sum, group) => sum + count(group), 0);
  const broken = total((group) => group.counts.broken);
  const needs = total((group) => group.perDay) * policy.min_days;
  return html`<tr>
    <th scope="row"><span class="scope">${scopeText(policy.scope)}</span> ${policy.scope !== "default" ? html`<b>${targetText(policy)}</b>` : ""}
      ${pending && html` <span class="pill warn"><span class="dot"></span>${t("policies.waits")}</span>`}</th>
    <td class="number" data-label=${t("policies.kept")}>${daysText(policy)}
      ${extrasText(policy) && html`<span class="extras">${extrasText(policy)}</span>`}</td>
    <td class="number" data-label=${t("policies.cameras")}>${policy.cameras
      ? html`<button type="button" class="link" title=${t("policies.show_cameras")} onClick=${() => go("disks", { policy: policy.name })}>
          ${number(policy.cameras)}</button>`
      : "0"}</td>
    <td data-label=${t("policies.promises")}>${groups.length ? html`<span class="pill ${broken ? "bad" : "good"}"><span class="dot"></span>${broken
      ? t("policies.broken", { n: broken })
      : t("policies.none_broken")}</span>` : "–"}</td>
    <td class="number" data-label=${t("policies.stored")}>${groups.length ? bytes(total((group) => group.bytes)) : "–"}</td>
    <td class="number" data-label=${t("policies.needs")}>${needs ? bytes(needs) : "–"}</td>
    <td class="number" data-label=${t("policies.priority")}>${number(policy.priority)}</td>
    <td class="act"><${IconButton} icon="edit" label=${t("policies.edit_one", { whom: targetText(policy) })} onClick=${edit} /></td>
  </tr>`;
}

/** Changes that shorten and are not in force yet: each can be taken back. */
function Waiting() {
  const waiting = (changes.value ?? []).filter((change) => change.status === "pending");
  if (!waiting.length) return null;
  return html`<section class="block waiting-changes" aria-labelledby="waiting-title">
    <h2 id="waiting-title"><${Icon} name="clock" />${t("change.waiting", { n: waiting.length })}</h2>
    <ul>${waiting.map((change) => html`<li key=${change.id}>
      <span class="what"><b>${whom(change)}</b> ${changeText(change)}
        <span class="note">${dueText(change)}</span></span>
      <span class="lost">${change.preview.bytes ? t("change.loses", { size: bytes(change.preview.bytes), n: change.preview.shortened }) : t("change.loses_nothing")}</span>
      <button type="button" class="button" onClick=${() => (dialog.value = { name: "cancel", change })}>
        <${Icon} name="undo" />${t("change.cancel")}</button>
    </li>`)}</ul>
  </section>`;
}

function whom(change) {
  const policy = change.after ?? change.before;
  const listed = policies.value?.find((one) => one.id === policy.id);
  return `${scopeText(policy.scope)}${policy.scope === "default" ? "" : ` ${targetText({ camera_code: listed?.camera_code, ...policy })}`}`;
}

function dueText(change) {
  const due = read(change.due_at);
  if (due === null) return t("change.undated");
  const left = due - now.value;
  return t("change.due", { time: `${dateTimeText(due, { seconds: false })} ${zoneName}`, span: left > 0 ? spanText(left) : t("age.now") });
}

function CancelDialog({ change, done, close }) {
  const failed = useSignal(null);
  const busy = useSignal(false);
  const cancel = async () => {
    busy.value = true;
    try {
      await send("POST", `retention/changes/${change.id}/cancel`);
      toast(t("change.cancelled"));
      done();
    } catch (error) {
      failed.value = error;
      busy.value = false;
    }
  };
  return html`<${Dialog} title=${t("change.cancel_title")} close=${close}>
    <p><b>${whom(change)}</b> ${changeText(change)}. ${dueText(change)}</p>
    <p>${t("change.cancel_help")}</p>
    ${failed.value && html`<p class="wrong" role="alert">${failed.value.message} <span class="note">${t("error.code", { code: failed.value.code })}</span></p>`}
    <div class="actions">
      <button type="button" class="button plain" onClick=${close}>${t("dialog.close")}</button>
      <button type="button" class="button primary" disabled=${busy.value} onClick=${cancel}><${Icon} name="undo" />${t("change.cancel")}</button>
    </div>
  <//>`;
}

/** Which policy a camera has, and why. */
function OneCamera() {
  const found = useSignal(null); // {camera, terms} | {camera, problem}
  const choose = async (camera) => {
    found.value = { camera };
    try {
      const page = await get("retention/cameras", { text: camera.code, limit: 100 });
      found.value = { camera, terms: page.items.find((item) => item.camera_id === camera.id) ?? null };
    } catch (error) {
      found.value = { camera, problem: error };
    }
  };
  return html`<section class="block" aria-labelledby="one-title">
    <h2 id="one-title">${t("policies.which")}</h2>
    <${CameraPicker} choose=${choose} label=${t("cameras.search")} key=${found.value?.camera.id} />
    ${found.value?.problem && html`<p class="wrong" role="alert">${found.value.problem.message}</p>`}
    ${found.value && found.value.terms !== undefined && html`<${CameraTerms} terms=${found.value.terms} camera=${found.value.camera} />`}
  </section>`;
}

function CameraTerms({ terms, camera }) {
  if (!terms?.in_force) return html`<p><b>${camera.code}</b> ${cameraName(camera)}</p><p class="note">${t("policies.unsettled")}</p>`;
  const { in_force: given, pending } = terms;
  return html`<p><b>${terms.code}</b> ${cameraName(terms)}</p>
    <dl class="pairs">
      <dt>${t("policies.kept")}</dt><dd><b>${daysText(given)}</b> ${extrasText(given)}</dd>
      <dt>${t("policies.because")}</dt><dd>${whyText(given.why)}</dd>
      <dt>${t("policies.priority")}</dt><dd>${number(given.priority)}</dd>
      <dt>${t("policies.since")}</dt><dd>${dateTimeText(read(given.since), { seconds: false })}</dd>
      ${pending && html`<dt>${t("policies.then")}</dt>
        <dd class="pending"><b>${daysText(pending)}</b> (${whyText(pending.why)})<br />
          ${pending.due_at ? `${dateTimeText(read(pending.due_at), { seconds: false })} ${zoneName}` : t("change.undated")}
          ${pending.loses.bytes > 0 && html`<br />${t("policies.would_lose", { size: bytes(pending.loses.bytes) })}`}</dd>`}
    </dl>`;
}

/** What was changed lately. */
function Past() {
  const made = (changes.value ?? []).filter((change) => change.status !== "pending");
  if (!made.length) return null;
  return html`<section class="block" aria-labelledby="past-title">
    <h2 id="past-title">${t("change.past")}</h2>
    <ul class="past">${made.slice(0, 12).map((change) => html`<li key=${change.id}>
      <b>${whom(change)}</b> ${changeText(change)}
      <span class="note">${t(`change.${change.status}`)} · <time datetime=${query(read(change.at))}>${dateTimeText(read(change.at), { seconds: false })}</time>
        ${change.made_by ? ` · ${change.made_by}` : ""}</span>
    </li>`)}</ul>
  </section>`;
}
