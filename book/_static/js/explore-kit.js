/* What all figures share that the reader moves. Each is put below the cell with the static figure
   whose id it names, so that the page is complete without scripts and in print, and so that what
   the cell draws when its code is run in the page does not take the place of both. Sliders and buttons are the
   browser's own: they work by keyboard and touch as they are. */
(() => {
  "use strict";

  /* All colours come from the style sheet, so that they change with the theme, also in what has been
     drawn already. */
  const COLOURS = Object.fromEntries(["input", "hidden", "output", "penalty", "ink", "grid", "faint", "ground", "chosen"]
    .map((name) => [name, `var(--explore-${name})`]));
  const SVG = "http://www.w3.org/2000/svg";

  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const kl = (rho, q) => rho * Math.log(rho / q) + (1 - rho) * Math.log((1 - rho) / (1 - q));
  const klSlope = (rho, q) => -rho / q + (1 - rho) / (1 - q);
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  const short = (x) => (Math.abs(x) >= 100 ? x.toFixed(0) : Math.abs(x) >= 10 ? x.toFixed(1) : x.toFixed(3)).replace("-", "−");

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function draw(parent, name, attributes = {}, text = "") {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    parent.append(node);
    return node;
  }

  let serial = 0;
  /* A labelled slider that shows its value; `say` turns the number into words. */
  function slider(label, { min, max, step, value, say = short }, onInput) {
    const id = `explore-${++serial}`;
    const shown = element("output", { for: id });
    const input = element("input", { type: "range", id, min, max, step, value });
    const tell = () => {
      shown.textContent = say(input.valueAsNumber);
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => { tell(); onInput(); });
    tell();
    const row = element("div", { class: "explore-row" }, element("label", { for: id }, label), input, shown);
    return { row, get value() { return input.valueAsNumber; }, set value(x) { input.value = x; tell(); } };
  }

  function box(place, title, task) {
    const heading = element("p", { class: "explore-title" }, title);
    const words = element("p", { class: "explore-task" }, task);
    const node = element("div", { class: "explore", role: "group", "aria-label": title }, heading, words);
    place.after(node);
    return node;
  }

  /* Grey pixels, middle grey at 0; the values of one picture share one scale. What is no number is
     left open, and shows the ground. */
  function paint(canvas, values, width, limit, height = width) {
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    values.forEach((value, k) => {
      const grey = Math.round(127.5 + 127.5 * clamp(value / limit, -1, 1));
      image.data.set([grey, grey, grey, Number.isNaN(value) ? 0 : 255], 4 * k);
    });
    context.putImageData(image, 0, 0);
  }

  function unpack({ bytes, scale }) {
    const raw = Int8Array.from(atob(bytes), (c) => c.charCodeAt(0));
    const n = raw.length / scale.length;
    return scale.map((s, i) => Array.from(raw.subarray(i * n, (i + 1) * n), (v) => (v * s) / 127));
  }

  /* Data that only some readers want, as a script, since a page that was opened from a folder may
     load scripts but not fetch files. Each is loaded once; a failure may be tried again. */
  const here = document.currentScript.src, loaded = {};
  function load(file, name) {
    loaded[file] ??= new Promise((resolve, reject) => {
      const script = element("script", { src: new URL(file, here) });
      script.addEventListener("load", () => resolve(window[name]));
      script.addEventListener("error", () => {
        delete loaded[file];
        reject(new Error("The data could not be loaded. Are you offline? Try again."));
      });
      document.head.append(script);
    });
    return loaded[file];
  }

  /* Let a shape be dragged: `grab` is told where, and returns what is to be done at every move. The
     end counts as a move, since browsers hand on the last ones late. */
  function drag(shape, grab) {
    // Or else the page is scrolled: browsers do not heed touch-action on the shapes of a drawing.
    shape.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    shape.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      shape.setPointerCapture(event.pointerId);
      const move = grab(event);
      shape.onpointermove = move;
      shape.onpointerup = (last) => { move(last); shape.onpointermove = shape.onpointerup = null; };
      shape.onpointercancel = () => { shape.onpointermove = shape.onpointerup = null; };
    });
  }

  /* A box to tick with its label. */
  function tick(label, checked, onInput) {
    const input = element("input", { type: "checkbox", id: `explore-${++serial}` });
    input.checked = checked;
    input.addEventListener("input", onInput);
    return { row: element("div", { class: "explore-row" }, element("label", { for: input.id }, label), input), get value() { return input.checked; } };
  }

  /* Weights as tiles side by side, each scaled on its own, with a line of the ground between them. */
  function mosaic(W, side, across) {
    const width = across * (side + 1) - 1, height = Math.ceil(W.length / across) * (side + 1) - 1;
    const grid = new Array(width * height).fill(NaN);
    W.forEach((w, j) => {
      const most = w.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-12);
      w.forEach((v, k) => { grid[(Math.floor(j / across) * (side + 1) + Math.floor(k / side)) * width + (j % across) * (side + 1) + k % side] = v / most; });
    });
    return { grid, width, height };
  }

  /* Each figure is made when its place comes near, and only then: computing takes a moment. Whoever
     comes back to a page finds the room of the figures that were there, so that the place in the
     text is kept; none is made before the browser has found that place again. */
  const waiting = new Map(), made = new Map(), rooms = new Map();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) show(target);
  }, { rootMargin: "1200px" });
  function show(place) {
    const build = waiting.get(place);
    if (!build) return;
    waiting.delete(place);
    observer.unobserve(place);
    build(place);
    made.set(place, place.nextElementSibling);
    rooms.get(place)?.remove();
    rooms.delete(place);
  }

  const key = (place) => `room of ${location.pathname} ${innerWidth} ${(place.querySelector("[id]") ?? place).id}`;
  const found = (action) => { try { return action(); } catch { return null; } }; // where nothing may be stored
  function register(figures) {
    for (const [id, build] of Object.entries(figures)) {
      const figure = document.getElementById(id);
      if (!figure) continue;
      const place = figure.closest("div.cell") ?? figure;
      waiting.set(place, build);
      const height = found(() => sessionStorage.getItem(key(place)));
      if (height) {
        rooms.set(place, element("div", { class: "explore-room", style: `height: ${height}px` }));
        place.after(rooms.get(place));
      }
      if (document.readyState === "complete") observer.observe(place);
    }
  }
  addEventListener("load", () => requestAnimationFrame(() => requestAnimationFrame(() => {
    for (const place of waiting.keys()) observer.observe(place);
  })));
  addEventListener("pagehide", () => found(() => {
    for (const [place, node] of made) sessionStorage.setItem(key(place), node.getBoundingClientRect().height);
  }));
  const freshId = () => `explore-${++serial}`;
  // `show` is for the tests, which need not scroll.
  window.explore = {
    COLOURS, sigmoid, kl, klSlope, clamp, short, element, draw, slider, box, paint, unpack, freshId, load, drag, tick,
    mosaic, register, show: () => [...waiting.keys()].forEach(show),
  };
})();
