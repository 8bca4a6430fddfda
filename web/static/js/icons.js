// One set of icons, drawn here: 24 x 24, strokes only.
import { html } from "htm/preact";

const drawings = {
  camera: "M3 7h12v10H3zM15 11l6-3v8l-6-3M7 21h6M10 17v4",
  review: "M4 5h16v10H4zM10 8l4.5 2L10 12zM4 19h16M9 17v4",
  search: "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM16 16l5 5",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4A8.5 8.5 0 1 0 20 14.5z",
  grid: "M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z",
  list: "M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01",
  left: "M15 5l-7 7l7 7",
  right: "M9 5l7 7l-7 7",
  down: "M5 9l7 7l7-7",
  play: "M7 4.5v15l12-7.5z",
  pause: "M8 5v14M16 5v14",
  frameback: "M17 5v14L8 12zM5 5v14",
  frameon: "M7 5v14l9-7zM19 5v14",
  back: "M11 6v12l-8-6zM20 6v12l-8-6z",
  forward: "M13 6v12l8-6zM4 6v12l8-6z",
  activity: "M3 13h4l2-7l4 13l3-9l1.5 3H21",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2",
  still: "M4 8h4l1.5-3h5L16 8h4v11H4zM12 10a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7z",
  download: "M12 4v11M7 10.5l5 5l5-5M4 20h16",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6 0l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5",
  keys: "M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M7.5 15h9",
  close: "M6 6l12 12M18 6L6 18",
  alert: "M12 4L2.5 20h19zM12 10v4.5M12 17.2v.1",
  check: "M5 12.5l5 5L19.5 7",
  sound: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  silent: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  range: "M5 5v14M19 5v14M5 12h14M8 9l-3 3l3 3M16 9l3 3l-3 3",
  live: "M12 10.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 0 0 0-3zM8 8a5.6 5.6 0 0 0 0 8M16 8a5.6 5.6 0 0 1 0 8M5 5a10 10 0 0 0 0 14M19 5a10 10 0 0 1 0 14",
  disk: "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3v12c0 1.7-3.6 3-8 3s-8-1.3-8-3zM4 6c0 1.7 3.6 3 8 3s8-1.3 8-3M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
  unlock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2M12 14.5v2",
  edit: "M4 20l1-4L16.5 4.5l3 3L8 19zM14 7l3 3",
  cloud: "M7 18a4.5 4.5 0 0 1-.5-9A6 6 0 0 1 18 8.5a4.8 4.8 0 0 1-.5 9.5z",
  undo: "M8 4L4 8l4 4M4 8h10a5.5 5.5 0 0 1 0 11H9",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  register: "M5 3h11l3 3v15H5zM9 9h6M9 13h6M9 17h4",
  place: "M12 21c4-4.6 6.5-8 6.5-11a6.5 6.5 0 0 0-13 0c0 3 2.5 6.4 6.5 11zM12 7.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5z",
  upload: "M12 20V9M7 13.5l5-5l5 5M4 4h16",
  gap: "M3 12h5M16 12h5M10 6l4 12",
};

/** `<${Icon} name="play" />`; hidden from screen readers: the button beside it has the words. */
export function Icon({ name }) {
  return html`<svg class="icon-drawing" viewBox="0 0 24 24" aria-hidden="true"><path d=${drawings[name]} /></svg>`;
}
