// ONVIF: cameras that answer in this network, and what one says of itself. Fills the camera's form.
import { html } from "htm/preact";
import { useSignal } from "@preact/signals";
import { send } from "./api.js";
import { Field } from "./form.js";
import { Icon } from "./icons.js";
import { number, t } from "./i18n.js";

const LISTEN_S = 4;
const PATIENCE_MS = 60_000;

/** `login` {username, password}: what the form has; `found` {url, make, model, serial, firmware, mac}. */
export function OnvifFind({ login, found, address: given }) {
  const devices = useSignal(null);
  const streams = useSignal(null); // {address, profiles, ...}
  const address = useSignal(given);
  const busy = useSignal("");
  const problem = useSignal(null);
  const work = (name, job) => async () => {
    if (busy.value) return;
    busy.value = name;
    problem.value = null;
    try {
      await job();
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = "";
    }
  };
  const look = work("look", async () => {
    devices.value = null;
    const answer = await send("POST", "onvif/discover", { seconds: LISTEN_S }, {}, { patienceMs: PATIENCE_MS });
    devices.value = answer.items;
  });
  const ask = (where) => work("ask", async () => {
    address.value = where;
    streams.value = null;
    const credentials = login.username ? { username: login.username, password: login.password } : null;
    const answer = await send("POST", "onvif/streams", { address: where, credentials }, {}, { patienceMs: PATIENCE_MS });
    streams.value = { address: where, ...answer };
  });
  const take = (profile) => {
    const { make, model, serial, firmware, mac } = streams.value;
    found({ url: profile.url, make, model, serial, firmware, mac });
  };
  return html`<div class="onvif">
    <div class="row-of">
      <button type="button" class="button" disabled=${Boolean(busy.value)} onClick=${look}><${Icon} name="search" />
        ${busy.value === "look" ? t("form.onvif_looking", { n: LISTEN_S }) : t("form.onvif_look")}</button>
      <${Field} id="onvif-address" label=${t("form.onvif_address")} value=${address.value} placeholder="10.0.0.64"
        onInput=${(text) => (address.value = text)} />
      <button type="button" class="button" disabled=${Boolean(busy.value) || !address.value.trim()} onClick=${ask(address.value.trim())}>
        ${busy.value === "ask" ? t("form.onvif_asking") : t("form.onvif_ask")}</button>
    </div>
    <p class="note">${t("form.onvif_note")}</p>
    ${problem.value && html`<p class="wrong" role="alert">${t("form.onvif_failed")} <span class="note">${problem.value.message}</span></p>`}
    <div aria-live="polite">
      ${devices.value && !devices.value.length && html`<p class="note">${t("form.onvif_none")}</p>`}
      ${devices.value?.length > 0 && html`<ul class="choices" aria-label=${t("form.onvif_devices")}>${devices.value.map((one) => html`<li key=${one.address}>
        <span><b>${one.address}</b> ${[one.name, one.model, one.hardware].filter(Boolean).join(" · ")}
          ${one.registered_as && html` <span class="note">${t("form.onvif_registered", { code: one.registered_as })}</span>`}</span>
        <button type="button" class="button" disabled=${Boolean(busy.value)} onClick=${ask(one.address)}>${t("form.onvif_ask")}</button>
      </li>`)}</ul>`}
      ${streams.value && html`<p class="note">${[streams.value.make, streams.value.model, streams.value.serial, streams.value.firmware, streams.value.mac]
        .filter(Boolean).join(" · ")}</p>
        <ul class="choices" aria-label=${t("form.onvif_streams")}>${streams.value.profiles.map((one, n) => html`<li key=${n}>
          <span><b>${one.name}</b> ${[one.video_codec?.toUpperCase(), one.width && `${one.width} × ${one.height}`,
            one.fps && t("probe.fps", { n: number(one.fps) })].filter(Boolean).join(", ")}<br /><span class="note">${one.url}</span></span>
          <button type="button" class="button" onClick=${() => take(one)}>${t("form.onvif_take")}</button>
        </li>`)}</ul>
        ${!streams.value.profiles.length && html`<p class="note">${t("form.onvif_no_streams")}</p>`}`}
    </div>
  </div>`;
}
