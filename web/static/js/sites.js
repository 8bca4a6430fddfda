// Sites: the places at which cameras stand, with their names in both languages. Listed, searched, made, changed, removed.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, send } from "./api.js";
import { pairOf, refusal } from "./camera_form_fields.js";
import { recall } from "./choices.js";
import { Dialog } from "./dialog.js";
import { Field, FormProblem } from "./form.js";
import { language, number, t } from "./i18n.js";
import { Icon } from "./icons.js";
import { kinds } from "./owner_kinds.js";
import { Empty, Failure, IconButton, toast } from "./signs.js";

const PAGE = 50;
const TYPING_MS = 250;
const TEXTS = ["name", "name_hi", "station", "ward", "zone", "address", "owner", "contact"];
const FIELDS = [...TEXTS, "owner_kind", "lat", "lon"];

const siteName = (site) => (language.value === "hi" && site.name_hi ? site.name_hi : site.name);

/** `show(site)`: its cameras in the list. */
export function SitesDialog({ show, changed, close }) {
  const list = useSignal(null); // {items, next}
  const problem = useSignal(null);
  const text = useSignal("");
  const editing = useSignal(undefined); // a site, null: a new one, undefined: none
  const load = async (cursor, signal) => {
    try {
      const answer = await get("sites", { text: text.value.trim(), limit: PAGE, cursor }, { signal });
      list.value = { items: [...(cursor ? list.value.items : []), ...answer.items], next: answer.next };
      problem.value = null;
    } catch (error) {
      if (!signal?.aborted) problem.value = error;
    }
  };
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(() => load(undefined, asking.signal), list.value ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [text.value]);
  const done = () => {
    editing.value = undefined;
    load();
    changed();
  };
  if (editing.value !== undefined) {
    return html`<${SiteForm} site=${editing.value} saved=${done} close=${() => (editing.value = undefined)} />`;
  }
  return html`<${Dialog} title=${t("sites.title")} close=${close} wide>
    <div class="row-of"><div class="search"><${Icon} name="search" /><input class="input" type="search" autofocus placeholder=${t("sites.search")}
      aria-label=${t("sites.search")} value=${text.value} onInput=${(event) => (text.value = event.target.value)} /></div>
      <span class="spring"></span>
      <button type="button" class="button" onClick=${() => (editing.value = null)}><${Icon} name="plus" />${t("sites.add")}</button></div>
    ${problem.value && !list.value && html`<${Failure} problem=${problem.value} retry=${() => load()} />`}
    ${!list.value && !problem.value && html`<div class="rows waiting" aria-busy="true"><div class="skeleton"></div><div class="skeleton"></div></div>`}
    ${list.value && !list.value.items.length && html`<${Empty} icon="place" title=${t(text.value.trim() ? "sites.nothing" : "sites.empty")}>
      <p>${t("sites.empty_help")}</p><//>`}
    ${list.value?.items.length > 0 && html`<div class="rows site-rows" tabindex="0"><table>
      <thead><tr><th scope="col">${t("sites.site")}</th><th scope="col">${t("form.station")}</th><th scope="col" class="address">${t("form.address")}</th>
        <th scope="col">${t("sites.cameras")}</th><th scope="col"><span class="unseen">${t("sites.actions")}</span></th></tr></thead>
      <tbody>${list.value.items.map((site) => html`<${Row} key=${site.id} site=${site} edit=${() => (editing.value = site)} show=${() => show(site)} />`)}</tbody>
    </table></div>`}
    ${list.value?.next && html`<div class="actions"><button type="button" class="button" onClick=${() => load(list.value.next)}>${t("sites.more")}</button></div>`}
  <//>`;
}

function Row({ site, edit, show }) {
  const other = language.value === "hi" ? site.name : site.name_hi;
  return html`<tr>
    <th scope="row"><b>${siteName(site)}</b>${other && other !== siteName(site) && html`<br /><span class="note">${other}</span>`}</th>
    <td>${site.station}</td><td class="wraps address">${site.address}</td>
    <td><button type="button" class="button plain" disabled=${!site.cameras} aria-label=${t("sites.show", { name: siteName(site) })} onClick=${show}>
      ${number(site.cameras)}</button></td>
    <td><span class="tools">
      ${typeof site.lat === "number" && html`<a class="button icon plain" href=${`/find?near=${site.lat},${site.lon}`}
        title=${t("sites.find", { name: siteName(site) })} aria-label=${t("sites.find", { name: siteName(site) })}><${Icon} name="place" /></a>`}
      <${IconButton} icon="edit" label=${t("sites.edit", { name: siteName(site) })} onClick=${edit} />
    </span></td></tr>`;
}

function begin(site) {
  const text = (value) => (value === null || value === undefined ? "" : String(value));
  return Object.fromEntries(FIELDS.map((name) => [name, text(site?.[name])]));
}

function parse(form) {
  const wrong = {};
  const fields = Object.fromEntries([...TEXTS, "owner_kind"].map((name) => [name, form[name].trim()]));
  if (!fields.name) wrong.name = t("sites.name_missing");
  for (const [name, most] of [["lat", 90], ["lon", 180]]) {
    const typed = form[name].trim();
    fields[name] = typed ? Number(typed) : null;
    if (typed && !(Math.abs(fields[name]) <= most)) wrong[name] = t("form.degrees", { from: -most, to: most });
  }
  if ((fields.lat === null) !== (fields.lon === null)) wrong[fields.lat === null ? "lat" : "lon"] ??= t("form.pair_missing");
  return { fields, wrong };
}

function SiteForm({ site, saved, close }) {
  const first = begin(site);
  const values = useSignal(first);
  const problem = useSignal(null);
  const tried = useSignal(false);
  const busy = useSignal(false);
  const removing = useSignal(false);
  const { fields, wrong } = parse(values.value);
  const field = problem.value?.body?.field;
  const said = (name) => (field === name ? refusal(problem.value) : tried.value ? (wrong[name] ?? "") : "");
  const set = (name) => (value) => {
    const pair = name === "lat" || name === "lon" ? pairOf(value) : null;
    values.value = { ...values.value, ...(pair ? { lat: pair[0], lon: pair[1] } : { [name]: value }) };
    problem.value = null;
  };
  const work = async (job, words) => {
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    try {
      await job();
      toast(words);
      saved();
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = false;
    }
  };
  const submit = (event) => {
    event.preventDefault();
    tried.value = true;
    if (Object.keys(wrong).length) return;
    // Only what was changed: a place that the list made of the cameras' places is not the site's own.
    const edits = Object.fromEntries(Object.entries(fields).filter(([name]) => !site || values.value[name] !== first[name]));
    const by = recall("hold.by", "") || undefined;
    work(() => (site ? send("PATCH", `sites/${site.id}`, { ...edits, by }) : send("POST", "sites", edits)), t("sites.saved", { name: fields.name }));
  };
  const remove = () => work(() => send("DELETE", `sites/${site.id}`), t("sites.removed", { name: site.name }));
  const text = (name, rest = {}) => html`<${Field} key=${name} id=${`site-${name}`} label=${t(name === "name" ? "sites.name" : `form.${name}`)} value=${values.value[name]}
    wrong=${said(name)} maxlength="200" onInput=${set(name)} ...${rest} />`;
  return html`<${Dialog} title=${site ? t("sites.change", { name: siteName(site) }) : t("sites.add")} close=${close} wide>
    <form onSubmit=${submit} class="body plain" novalidate>
      <div class="pair">${text("name", { autofocus: true, note: site?.cameras ? t("sites.rename_note", { n: site.cameras }) : "" })}${text("name_hi", { lang: "hi" })}
        ${text("address")}${text("station")}${text("ward")}${text("zone")}${text("owner")}${text("contact")}
        <${Field} as="select" id="site-owner_kind" label=${t("form.owner_kind")} value=${values.value.owner_kind} wrong=${said("owner_kind")} onInput=${set("owner_kind")}>
          <option value="">${t("form.kind_none")}</option>
          ${kinds.value.map((kind) => html`<option key=${kind.key} value=${kind.key} selected=${kind.key === values.value.owner_kind}>
            ${language.value === "hi" ? kind.name_hi : kind.name}</option>`)}<//>
        <div class="pair">${text("lat", { inputmode: "decimal", placeholder: "26.4499", note: t("form.place_note") })}${text("lon", { inputmode: "decimal", placeholder: "80.3319" })}</div>
      </div>
      <${FormProblem} problem=${problem.value && { message: problem.value.status === 409 && !field ? t("sites.in_use") : refusal(problem.value), code: problem.value.code, body: { field } }}
        fields=${FIELDS} code=${(code) => t("error.code", { code })} />
      <div class="actions">
        ${site && (removing.value
          ? html`<span class="hint">${t("sites.remove_help")}</span>
            <button type="button" class="button danger" disabled=${busy.value} onClick=${remove}>${t("sites.remove_yes")}</button>`
          : html`<button type="button" class="button plain danger" disabled=${site.cameras > 0} title=${site.cameras ? t("sites.in_use") : ""}
            onClick=${() => (removing.value = true)}>${t("sites.remove")}</button>`)}
        <span class="spring"></span>
        <button type="button" class="button plain" onClick=${close}>${t("dialog.cancel")}</button>
        <button type="submit" class="button primary" disabled=${busy.value}><${Icon} name="check" />${t("form.save")}</button>
      </div>
    </form>
  <//>`;
}
