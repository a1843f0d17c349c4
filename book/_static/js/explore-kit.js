/* What all figures share that the reader moves. Each is put below the static figure whose id it
   names, so that the page is complete without scripts and in print. Sliders and buttons are the
   browser's own: they work by keyboard and touch as they are. */
(() => {
  "use strict";

  const COLOURS = { input: "#0072B2", hidden: "#009E73", output: "#D55E00", penalty: "#A0527D", ink: "#404040" };
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

  function box(figure, title, task) {
    const heading = element("p", { class: "explore-title" }, title);
    const words = element("p", { class: "explore-task" }, task);
    const node = element("div", { class: "explore", role: "group", "aria-label": title }, heading, words);
    figure.after(node);
    return node;
  }

  /* Grey pixels, middle grey at 0; the values of one picture share one scale. */
  function paint(canvas, values, side, limit) {
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    values.forEach((value, k) => {
      const grey = Math.round(127.5 + 127.5 * clamp(value / limit, -1, 1));
      image.data.set([grey, grey, grey, 255], 4 * k);
    });
    context.putImageData(image, 0, 0);
  }

  function unpack({ bytes, scale }) {
    const raw = Int8Array.from(atob(bytes), (c) => c.charCodeAt(0));
    const n = raw.length / scale.length;
    return scale.map((s, i) => Array.from(raw.subarray(i * n, (i + 1) * n), (v) => (v * s) / 127));
  }

  /* Each figure is made when its still figure comes near, and only then: computing takes a moment. */
  const waiting = new Map();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) show(target);
  }, { rootMargin: "1200px" });
  function show(figure) {
    const build = waiting.get(figure);
    waiting.delete(figure);
    observer.unobserve(figure);
    if (build) build(figure);
  }
  function register(figures) {
    for (const [id, build] of Object.entries(figures)) {
      const figure = document.getElementById(id);
      if (!figure) continue;
      waiting.set(figure, build);
      observer.observe(figure);
    }
  }
  const freshId = () => `explore-${++serial}`;
  // `show` is for the tests, which need not scroll.
  window.explore = {
    COLOURS, sigmoid, kl, klSlope, clamp, short, element, draw, slider, box, paint, unpack, freshId,
    register, show: () => [...waiting.keys()].forEach(show),
  };
})();
