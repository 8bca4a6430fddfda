// Mouse, pen and fingers on a timeline: wheel zooms at the pointer, drag pans, a click jumps, Shift and drag chooses a range,
// two fingers pinch.

const CLICK_PX = 4;
const WHEEL_STEP = 1.0016; // per pixel of wheel travel

/**
 * `element` is the canvas, `view` a TimelineView, `selection` and `hover` signals (ms), `choosing` a signal that makes a plain
 * drag choose, `seek(ms)` the jump. Returns the way to let go.
 */
export function attachPointer(element, { view, selection, hover, choosing, seek }) {
  const fingers = new Map(); // pointer id -> x
  let drag = null; // {x, moved, choose, anchor}
  let pinch = null; // distance between two fingers

  const left = () => element.getBoundingClientRect().left;
  const msPerPx = () => view.length / element.clientWidth;
  const at = (x) => view.range.value.from + (x - left()) * msPerPx();

  function down(event) {
    if (event.button > 0) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) {
      drag = null;
      pinch = distance();
      return;
    }
    const choose = event.shiftKey || choosing.value;
    drag = { x: event.clientX, moved: false, choose, anchor: at(event.clientX) };
  }

  function move(event) {
    hover.value = event.pointerType === "mouse" || drag ? at(event.clientX) : null;
    if (!fingers.has(event.pointerId)) return;
    const before = fingers.get(event.pointerId);
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) {
      const now = distance();
      if (now > 10 && pinch > 10) view.zoom(pinch / now, at(middle()));
      pinch = now;
      return;
    }
    if (!drag) return;
    if (Math.abs(event.clientX - drag.x) > CLICK_PX) drag.moved = true;
    if (!drag.moved) return;
    if (!drag.choose) view.pan((before - event.clientX) * msPerPx());
    else {
      const here = at(event.clientX);
      selection.value = { from: Math.min(drag.anchor, here), to: Math.max(drag.anchor, here) };
    }
  }

  function up(event) {
    fingers.delete(event.pointerId);
    if (drag && !drag.moved && event.type === "pointerup") seek(at(event.clientX));
    if (drag?.choose && drag.moved) choosing.value = false;
    drag = null;
    if (event.pointerType !== "mouse") hover.value = null;
  }

  function wheel(event) {
    event.preventDefault();
    const scale = event.deltaMode === 1 ? 16 : 1;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (sideways) view.pan((event.deltaX || event.deltaY) * scale * msPerPx());
    else view.zoom(WHEEL_STEP ** (event.deltaY * scale), at(event.clientX));
    hover.value = at(event.clientX);
  }

  const distance = () => Math.abs([...fingers.values()][0] - [...fingers.values()][1]);
  const middle = () => ([...fingers.values()][0] + [...fingers.values()][1]) / 2;
  const leave = () => (hover.value = null);

  const on = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, pointerleave: leave, wheel };
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener, { passive: false });
  return () => {
    for (const [name, listener] of Object.entries(on)) element.removeEventListener(name, listener);
  };
}
