// What a viewer chose (theme, language, grid or list ...), kept in this browser only.

/** The kept text, or `otherwise` where there is none or storage is forbidden. */
export function recall(name, otherwise) {
  try {
    return localStorage.getItem(`nvr.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`nvr.${name}`, value);
  } catch {
    // The choice then lasts as long as the page.
  }
}
