// Registering a camera, and changing one: its form, the look at what it sends, its archiving.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, send } from "./api.js";
import { changesOf, FIELDS, hostOf, looksSwapped, middleOf, parse, placeChanged, refusal, start, withSite } from "./camera_form_fields.js";
import { Device, Reached, What, Where, Whose } from "./camera_form_groups.js";
import { keep, recall } from "./choices.js";
import { Dialog } from "./dialog.js";
import { Field, FormProblem } from "./form.js";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";
import { OnvifFind } from "./onvif_find.js";
import { ProbeReport } from "./probe_report.js";
import { cameraName, toast } from "./signs.js";
import { serverNow } from "./site.js";
import { parseTyped } from "./time.js";

const PROBE_MS = 60_000;

/** `camera` null: a new one. `saved(camera)` once it stands (null: it was archived). */
export function CameraForm({ camera, saved, close }) {
  const begin = start(camera);
  const values = useSignal(begin);
  const by = useSignal(recall("hold.by", ""));
  const problem = useSignal(null);
  const tried = useSignal(false);
  const busy = useSignal(false);
  const asking = useSignal(""); // leave | archive: what the bar at the foot asks
  const around = useSignal(null);
  useEffect(() => {
    // Where the city is, to tell exchanged coordinates.
    get("sites", { limit: 50 }).then((answer) => (around.value = middleOf(answer.items))).catch(() => {});
  }, []);

  const readTime = (text) => (text.trim() ? parseTyped(text, serverNow()) : null);
  const { fields, wrong } = parse(values.value, camera, readTime);
  const change = (some) => {
    values.value = { ...values.value, ...some };
    problem.value = null;
  };
  const field = problem.value?.body?.field?.split(".")[0];
  const form = {
    values: values.value,
    change,
    set: (name) => (value) => change({ [name]: value }),
    said: (name) => (field === name ? refusal(problem.value) : tried.value ? (wrong[name] ?? "") : ""),
  };
  const dirty = () => JSON.stringify(values.value) !== JSON.stringify(begin);
  const leave = () => (dirty() && asking.value !== "leave" ? (asking.value = "leave") : close());

  const work = async (job) => {
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    try {
      await job();
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = false;
    }
  };
  const submit = (event) => {
    event.preventDefault();
    tried.value = true;
    if (Object.keys(wrong).length) {
      // The first field that is wrong, as soon as it is marked.
      requestAnimationFrame(() => document.querySelector("dialog [aria-invalid=true]")?.focus());
      return;
    }
    work(async () => {
      const body = camera ? changesOf(fields, camera) : given(fields);
      const who = by.value.trim() ? { by: by.value.trim() } : {};
      keep("hold.by", by.value.trim());
      const made = camera
        ? Object.keys(body).length ? await send("PATCH", `cameras/${camera.id}`, { ...body, ...who }) : camera
        : await send("POST", "cameras", { ...body, ...who });
      toast(t(camera ? "form.saved" : "form.added", { code: made.code }));
      saved(made);
    });
  };
  const archive = () => work(async () => {
    await send("DELETE", `cameras/${camera.id}`);
    toast(t("form.archived", { code: camera.code }));
    saved(null);
  });

  const title = camera ? t("form.change", { code: camera.code }) : t("form.new");
  return html`<${Dialog} title=${title} close=${leave} wide>
    <form class="camera-form" onSubmit=${submit} novalidate>
      <div class="groups">
        ${camera && html`<p class="note">${cameraName(camera)}</p>`}
        <${What} form=${form} camera=${camera} />
        <${Reached} form=${form} camera=${camera}><${Look} form=${form} fields=${fields} wrong=${wrong} camera=${camera} /><//>
        <${Where} form=${form} camera=${camera} moved=${placeChanged(camera, fields) && !wrong.lat && !wrong.lon}
          swapped=${looksSwapped(fields.lat, fields.lon, around.value)} chosen=${(site) => (values.value = withSite(values.value, site))} />
        <${Whose} form=${form} />
        <${Device} form=${form} />
        <${Field} id="camera-by" label=${t("hold.by")} note=${t("form.by_note")} value=${by.value} maxlength="200" wrong=${form.said("by")}
          onInput=${(text) => (by.value = text)} />
      </div>
      <div class="foot">
        ${tried.value && Object.keys(wrong).length > 0 && html`<p class="wrong" role="alert">${t("form.mend", { n: Object.keys(wrong).length })}</p>`}
        <${FormProblem} problem=${problem.value && { message: refusal(problem.value), code: problem.value.code, body: { field } }} fields=${FIELDS}
          code=${(code) => t("error.code", { code })} />
        ${asking.value ? html`<${Asked} what=${asking.value} camera=${camera} busy=${busy.value} back=${() => (asking.value = "")}
          go=${asking.value === "leave" ? close : archive} />` : html`<div class="actions">
          ${camera && html`<button type="button" class="button plain danger" onClick=${() => (asking.value = "archive")}>${t("form.archive")}</button>`}
          <span class="spring"></span>
          <button type="button" class="button plain" onClick=${leave}>${t("dialog.cancel")}</button>
          <button type="submit" class="button primary" disabled=${busy.value}><${Icon} name="check" />${t(camera ? "form.save" : "form.add")}</button>
        </div>`}
      </div>
    </form>
  <//>`;
}

/** Of a new camera: what says something. */
const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "" && value !== null));

/** A question that must be answered before something is lost. */
function Asked({ what, camera, busy, back, go }) {
  const words = what === "leave" ? t("form.leave") : t("form.archive_help", { code: camera.code });
  return html`<div class="asked" role="alertdialog" aria-label=${words}>
    <p><${Icon} name="alert" /><span>${words}</span></p>
    <div class="actions"><span class="spring"></span>
      <button type="button" class="button" autofocus onClick=${back}>${t(what === "leave" ? "form.leave_no" : "form.archive_no")}</button>
      <button type="button" class="button primary danger" disabled=${busy} onClick=${go}>${t(what === "leave" ? "form.leave_yes" : "form.archive_yes")}</button>
    </div></div>`;
}

/** Trying the camera as the form has it, and finding it by ONVIF. */
function Look({ form, fields, wrong, camera }) {
  const report = useSignal(null);
  const problem = useSignal(null);
  const busy = useSignal(false);
  const finding = useSignal(false);
  const { values } = form;
  const stored = camera !== null && values.login !== "replace" && values.login !== "forget" && fields.url === camera.url;
  const unsent = camera !== null && values.login === "keep" && !stored;
  const look = async () => {
    busy.value = true;
    report.value = problem.value = null;
    try {
      const login = fields.credentials ? { credentials: fields.credentials } : {};
      report.value = stored
        ? await send("POST", `cameras/${camera.id}/probe`, undefined, {}, { patienceMs: PROBE_MS })
        : await send("POST", "cameras/probe", { url: fields.url, audio: fields.audio, ...login }, {}, { patienceMs: PROBE_MS });
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = false;
    }
  };
  const take = (found) => {
    form.change(Object.fromEntries(Object.entries(found).filter(([, value]) => value)));
    finding.value = false;
  };
  return html`<div class="look">
    <div class="row-of">
      <button type="button" class="button" disabled=${busy.value || Boolean(wrong.url) || unsent} onClick=${look}>
        <${Icon} name="play" />${busy.value ? t("form.trying") : t("form.try")}</button>
      <button type="button" class="button" aria-expanded=${String(finding.value)} onClick=${() => (finding.value = !finding.value)}>
        <${Icon} name="search" />${t("form.onvif")}</button>
      ${unsent && html`<span class="note">${t("form.try_needs_login")}</span>`}
    </div>
    <div aria-live="polite">
      ${busy.value && html`<p class="note">${t("form.try_note")}</p>`}
      ${problem.value && html`<p class="wrong" role="alert">${t("form.try_failed")} ${refusal(problem.value)}</p>`}
      ${report.value && html`<${ProbeReport} report=${report.value} />`}
    </div>
    ${finding.value && html`<${OnvifFind} login=${values} found=${take} address=${hostOf(values.url).replace(/:\d+$/, "")} />`}
  </div>`;
}
