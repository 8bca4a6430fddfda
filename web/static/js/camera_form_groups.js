// The groups of the camera's form: what it is, where, whose, how it is reached, the device, on which ground.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "./api.js";
import { AUDIO, COVERS, pairOf } from "./camera_form_fields.js";
import { Field } from "./form.js";
import { language, t } from "./i18n.js";
import { Icon } from "./icons.js";
import { kinds } from "./owner_kinds.js";

const TYPING_MS = 200;
const SITES_SHOWN = 20;

/** A field of the form: `form` gives {values, set, said}; its label is `form.<name>`. */
export function Text({ form, name, ...rest }) {
  return html`<${Field} id=${`camera-${name}`} label=${t(`form.${name}`)} value=${form.values[name]} wrong=${form.said(name)}
    onInput=${form.set(name)} ...${rest} />`;
}

function Choice({ form, name, options, note }) {
  return html`<${Field} as="select" id=${`camera-${name}`} label=${t(`form.${name}`)} value=${form.values[name]} wrong=${form.said(name)}
    note=${note} onInput=${form.set(name)}>
    ${options.map(([value, word]) => html`<option key=${value} value=${value} selected=${value === form.values[name]}>${word}</option>`)}
  <//>`;
}

export function Group({ name, children }) {
  return html`<fieldset class="group"><legend>${t(`form.group_${name}`)}</legend>${children}</fieldset>`;
}

export function What({ form, camera }) {
  return html`<${Group} name="what">
    <div class="trio">
      <${Text} form=${form} name="code" maxlength="64" placeholder="KNP-0412" autofocus=${!camera} spellcheck=${false} required />
      <${Text} form=${form} name="name" maxlength="200" note=${t("form.name_note")} autofocus=${Boolean(camera)} />
      <${Text} form=${form} name="name_hi" maxlength="200" lang="hi" />
    </div>
    <div class="field"><span class="label" id="camera-covers">${t("form.covers")}</span>
      <span class="ticks" role="group" aria-labelledby="camera-covers">${COVERS.map((one) => html`<label key=${one}>
        <input type="checkbox" checked=${form.values.covers.includes(one)} onChange=${(event) => form.set("covers")(
          event.target.checked ? [...form.values.covers, one] : form.values.covers.filter((other) => other !== one))} />${t(`covers.${one}`)}</label>`)}
      </span></div>
    <${Text} form=${form} name="tags" note=${t("form.tags_note")} />
  <//>`;
}

/** A site by a part of its name; one that is known fills what is empty. */
function Site({ form, chosen }) {
  const found = useSignal([]);
  const text = form.values.site;
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(async () => {
      try {
        found.value = (await get("sites", { text: text.trim(), limit: SITES_SHOWN }, { signal: asking.signal })).items;
      } catch {
        if (!asking.signal.aborted) found.value = []; // the name can be typed without suggestions
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [text]);
  const named = found.value.find((site) => site.name === text.trim() || (site.name_hi && site.name_hi === text.trim()));
  // A site is taken when its name was chosen or typed in full, once for each name.
  const taken = useSignal(form.values.site);
  useEffect(() => {
    if (!named || taken.value === named.name) return;
    taken.value = named.name;
    chosen(named);
  }, [named?.id]);
  return html`<div class="suggesting">
    <${Text} form=${form} name="site" list="camera-sites" maxlength="200" note=${named
      ? t("form.site_known", { n: named.cameras }) : text.trim() ? t("form.site_new") : t("form.site_note")} />
    <datalist id="camera-sites">${found.value.map((site) => html`<option key=${site.id} value=${site.name}>
      ${[language.value === "hi" ? site.name_hi : "", site.station, site.address].filter(Boolean).join(" · ")}</option>`)}</datalist>
  </div>`;
}

export function Where({ form, camera, moved, swapped, chosen }) {
  const place = (name) => (value) => {
    const pair = pairOf(value);
    if (pair) form.change({ lat: pair[0], lon: pair[1] });
    else form.change({ [name]: value });
  };
  const swap = () => form.change({ lat: form.values.lon, lon: form.values.lat });
  return html`<${Group} name="where">
    <div class="trio">
      <${Site} form=${form} chosen=${chosen} />
      <${Text} form=${form} name="station" maxlength="200" />
      <${Text} form=${form} name="address" maxlength="200" />
      <${Text} form=${form} name="ward" maxlength="200" />
      <${Text} form=${form} name="zone" maxlength="200" />
    </div>
    <div class="quartet">
      <${Text} form=${form} name="lat" inputmode="decimal" placeholder="26.4499" onInput=${place("lat")} note=${t("form.place_note")} />
      <${Text} form=${form} name="lon" inputmode="decimal" placeholder="80.3319" onInput=${place("lon")} />
      <${Text} form=${form} name="bearing" inputmode="decimal" placeholder="0" note=${t("form.bearing_note")} />
      <${Text} form=${form} name="fov" inputmode="decimal" placeholder="90" note=${t("form.fov_note")} />
    </div>
    ${swapped && html`<p class="hint" role="alert"><${Icon} name="alert" /><span>${t("form.swapped")}</span>
      <button type="button" class="button" onClick=${swap}>${t("form.swap")}</button></p>`}
    ${moved && html`<${Moved} form=${form} camera=${camera} />`}
  <//>`;
}

/** Since when a new place holds: what was recorded before is searched at the old one. */
function Moved({ form, camera }) {
  const choice = (value) => html`<label><input type="radio" name="moved" checked=${form.values.moved === value}
    onChange=${() => form.set("moved")(value)} />${t(`form.moved_${value}`)}</label>`;
  return html`<div class="moved" role="group" aria-label=${t("form.moved", { code: camera.code })}>
    <span class="label">${t("form.moved", { code: camera.code })}</span>
    <span class="ticks">${choice("now")} ${choice("always")} ${choice("at")}
    ${form.values.moved === "at" && html`<${Field} id="camera-moved_at" label=${t("form.moved_time")} value=${form.values.moved_at}
      wrong=${form.said("place_since")} placeholder="22/11/2026 21:00" onInput=${form.set("moved_at")} />`}</span>
    <span class="note">${t("form.moved_note")}</span>
  </div>`;
}

export function Whose({ form }) {
  const known = kinds.value.map((kind) => [kind.key, language.value === "hi" ? kind.name_hi : kind.name]);
  const other = form.values.owner_kind && !known.some(([key]) => key === form.values.owner_kind) ? [[form.values.owner_kind, form.values.owner_kind]] : [];
  return html`<${Group} name="whose">
    <div class="trio">
      <${Choice} form=${form} name="owner_kind" options=${[["", t("form.kind_none")], ...known, ...other]} />
      <${Text} form=${form} name="owner" maxlength="200" />
      <${Text} form=${form} name="contact" maxlength="200" note=${t("form.contact_note")} />
    </div>
    <${Text} form=${form} name="legal_basis" maxlength="200" note=${t("form.legal_note")} />
  <//>`;
}

export function Reached({ form, camera, children }) {
  const { values } = form;
  const logins = camera?.has_credentials ? ["keep", "replace", "forget"] : camera ? ["none", "replace"] : ["replace"];
  return html`<${Group} name="reached">
    <${Text} form=${form} name="url" inputmode="url" spellcheck=${false} maxlength="1024" placeholder="rtsp://10.0.0.64:554/Streaming/Channels/101"
      note=${t("form.url_note")} />
    <div class="trio">
      ${logins.length > 1 && html`<${Field} as="select" id="camera-login" label=${t("form.login")} value=${values.login}
        onInput=${form.set("login")} wrong=${values.login === "replace" ? "" : form.said("credentials")}>
        ${logins.map((one) => html`<option key=${one} value=${one} selected=${one === values.login}>${t(`form.login_${one}`)}</option>`)}<//>`}
      ${values.login === "replace" && html`
        <${Field} id="camera-username" label=${t("form.username")} value=${values.username} maxlength="128" spellcheck=${false}
          wrong=${form.said("credentials")} onInput=${form.set("username")} />
        <${Field} id="camera-password" type="password" autocomplete="new-password" label=${t("form.password")} value=${values.password}
          maxlength="128" note=${t("form.password_note")} onInput=${form.set("password")} />`}
    </div>
    ${children}
    <div class="trio">
      <${Choice} form=${form} name="audio" options=${AUDIO.map((one) => [one, t(`audio.${one}`)])} />
      <div class="field"><span class="label">${t("form.enabled")}</span>
        <span class="ticks"><label><input type="checkbox" checked=${values.enabled}
          onChange=${(event) => form.set("enabled")(event.target.checked)} />${t("form.enabled_tick")}</label></span>
        <span class="note">${t("form.enabled_note")}</span></div>
    </div>
  <//>`;
}

export function Device({ form }) {
  return html`<${Group} name="device">
    <div class="trio">${["make", "model", "serial", "mac", "firmware"].map((name) => html`<${Text} key=${name} form=${form} name=${name}
      maxlength="200" spellcheck=${false} />`)}</div>
  <//>`;
}
