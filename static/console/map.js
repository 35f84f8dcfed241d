// Zoom and pan of the application map without a request. Without scripts, the zoom levels are links, and the frame scrolls.
(() => {
  const STEP = 1.25;
  const LEAST = 0.25;
  const MOST = 4;
  const frameOf = (target) => target.closest?.("[data-map]");

  // The zoom lasts when the map is loaded again, for example because a group is opened.
  let zoom = null;
  const widthOf = (frame) => Number(frame.dataset.map);
  const current = (frame) => frame.querySelector("svg").getBoundingClientRect().width / widthOf(frame);
  const fits = (frame) => (frame.clientWidth - 32) / widthOf(frame);
  const set = (frame, wanted, at) => {
    const svg = frame.querySelector("svg");
    const before = current(frame);
    zoom = Math.min(MOST, Math.max(LEAST, wanted));
    // The point below the pointer, or the middle of the frame, stays where it is.
    const box = frame.getBoundingClientRect();
    const x = at ? at.clientX - box.left : frame.clientWidth / 2;
    const y = at ? at.clientY - box.top : frame.clientHeight / 2;
    const left = (frame.scrollLeft + x) * (zoom / before) - x;
    const top = (frame.scrollTop + y) * (zoom / before) - y;
    frame.classList.remove("map-fit");
    svg.setAttribute("width", Math.round(widthOf(frame) * zoom));
    frame.scrollTo(left, top);
    document.querySelectorAll("[data-zoom]").forEach((link) => {
      if (Number(link.dataset.zoom) === Math.round(zoom * 100)) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-zoom]");
    const frame = document.querySelector("[data-map]");
    if (!link || !frame || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    set(frame, link.dataset.zoom === "fit" ? fits(frame) : Number(link.dataset.zoom) / 100);
    if (link.dataset.zoom === "fit") link.setAttribute("aria-current", "true");
  });

  document.addEventListener("keydown", (event) => {
    const frame = frameOf(event.target);
    if (!frame || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") set(frame, current(frame) * STEP);
    else if (event.key === "-") set(frame, current(frame) / STEP);
    else if (event.key === "0") set(frame, fits(frame));
    else return;
    event.preventDefault();
  });

  document.addEventListener("wheel", (event) => {
    const frame = frameOf(event.target);
    if (!frame || !event.ctrlKey) return; // a pinch on a touchpad arrives as Ctrl and wheel
    event.preventDefault();
    set(frame, current(frame) * Math.exp(-event.deltaY / 300), event);
  }, { passive: false });

  // The mouse drags the map. Touch scrolls the frame already; two fingers zoom.

  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const frame = frameOf(event.target);
    if (!frame || event.pointerType !== "mouse" || event.button !== 0) return;
    drag = { frame, x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const x = event.clientX - drag.x;
    const y = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(x, y) < 5) return;
    drag.moved = true;
    drag.frame.dataset.dragging = "";
    drag.frame.scrollTo(drag.left - x, drag.top - y);
  });
  const drop = () => {
    if (!drag) return;
    delete drag.frame.dataset.dragging;
    // The click at the end of a drag opens nothing.
    if (drag.moved) {
      const stop = (event) => { event.preventDefault(); event.stopPropagation(); };
      document.addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => document.removeEventListener("click", stop, true));
    }
    drag = null;
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("dragstart", (event) => { if (drag && frameOf(event.target)) event.preventDefault(); });

  let pinch = null;
  const distance = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  document.addEventListener("touchstart", (event) => {
    const frame = frameOf(event.target);
    pinch = frame && event.touches.length === 2 ? { frame, zoom: current(frame), distance: distance(event.touches) } : null;
  }, { passive: true });
  document.addEventListener("touchmove", (event) => {
    if (!pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const [one, other] = event.touches;
    const middle = { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 };
    set(pinch.frame, pinch.zoom * (distance(event.touches) / pinch.distance), middle);
  }, { passive: false });

  document.addEventListener("htmx:load", () => {
    const frame = document.querySelector("[data-map]");
    if (frame && zoom) set(frame, zoom);
  });
})();
