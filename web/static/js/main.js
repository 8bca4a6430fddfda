// Where every page begins: the frame, and in it the room that the document names.
import { html, render } from "htm/preact";
import { Shell } from "./shell.js";
import { start } from "./site.js";

const room = document.body.dataset.page;
const ROOMS = {
  cameras: "./cameras.js",
  find: "./find.js",
  register: "./register.js",
  review: "./review.js",
  storage: "./storage.js",
};
const { Page } = await import(ROOMS[room]);

start();
render(html`<${Shell} room=${room}><${Page} /><//>`, document.getElementById("app"));
