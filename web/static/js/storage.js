// Storage: the disks and how the promises stand, the policies, the holds. Three views of one page, each with its own address.
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { t } from "./i18n.js";
import { loadKinds } from "./owner_kinds.js";
import { status } from "./site.js";
import { Disks } from "./storage_disks.js";
import { Holds } from "./storage_holds.js";
import { Policies } from "./storage_policies.js";

const VIEWS = { disks: Disks, policies: Policies, holds: Holds };

const asked = () => {
  const name = new URLSearchParams(location.search).get("view");
  return Object.hasOwn(VIEWS, name ?? "") ? name : "disks";
};
const view = signal(asked());

const address = (name) => (name === "disks" ? "/storage" : `/storage?view=${name}`);

/** To another view, as a link would go. `search`: what that view is to show, as {name: text}. */
export function go(name, search = {}) {
  const query = new URLSearchParams(search).toString();
  const place = address(name);
  history.pushState(null, "", query ? `${place}${place.includes("?") ? "&" : "?"}${query}` : place);
  view.value = name;
  document.getElementById("content").scrollTop = 0;
}

export function Page() {
  useEffect(() => {
    const moved = () => (view.value = asked());
    loadKinds();
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  document.title = `${t("storage.title")} · ${status.value?.name || document.body.dataset.name}`;
  const View = VIEWS[view.value];
  return html`<div class="storage">
    <div class="bar">
      <h1>${t("storage.title")}</h1>
      <nav class="segmented" aria-label=${t("storage.views")}>
        ${Object.keys(VIEWS).map((name) => html`<a key=${name} class="button" href=${address(name)}
          aria-current=${view.value === name ? "page" : undefined} onClick=${(event) => follow(event, name)}>${t(`storage.${name}`)}</a>`)}
      </nav>
    </div>
    <${View} go=${go} />
  </div>`;
}

function follow(event, name) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(name);
}
