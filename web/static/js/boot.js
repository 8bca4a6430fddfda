// Runs before the first paint, so that neither theme nor language flickers. The only script that is not a module.
(function () {
  const root = document.documentElement;
  function kept(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage may be forbidden: the page then starts with its defaults
    }
  }
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  root.dataset.theme = kept("nvr.theme") || (light ? "light" : "dark");
  const language = kept("nvr.language");
  if (language === "en" || language === "hi") root.lang = language;
})();
