// A still of a camera at an instant. Keeps its place while it loads, and says so when there is none.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { address } from "./api.js";
import { Icon } from "./icons.js";
import { t } from "./i18n.js";
import { query } from "./time.js";

/** The picture of the keyframe at or before `ms`. */
export const stillUrl = (cameraId, ms, width) => address(`/play/${cameraId}/frame.jpg`, { at: query(ms), width });

// Stills of a recording camera are renewed at this pace, on even instants: so all viewers ask for the same picture, and the
// server makes it once.
const RENEW_MS = 120_000;

/** The newest picture worth showing of a camera whose newest footage ends at `newest` (ms or null). */
export function NewestStill({ camera, newest, name, width = 480 }) {
  const even = newest === null ? null : Math.floor(newest / RENEW_MS) * RENEW_MS;
  const last = newest === null ? null : newest - 1000;
  // The even instant may lie before the first footage, or in a gap: then the last second has a picture.
  const failed = useSignal(0);
  const shown = useSignal(false);
  useEffect(() => {
    failed.value = 0;
  }, [even]);
  const at = failed.value ? last : even;
  const none = newest === null || failed.value > 1;
  return html`<span class="still">
    ${none
      ? html`<span class="none"><${Icon} name="camera" />${t("camera.no_still")}</span>`
      : html`<img loading="lazy" decoding="async" width="16" height="9" alt=${t("camera.still_alt", { name })}
          class=${shown.value ? "shown" : ""} src=${stillUrl(camera.id, at, width)}
          onLoad=${() => (shown.value = true)} onError=${() => failed.value++} />`}
  </span>`;
}
