/* Train it yourself: the sparse autoencoder of chapter 6 in plain JavaScript. The reader moves the
   knobs, and a worker trains, so that the page stays free. Nothing leaves the device. */
(() => {
  "use strict";

  const { COLOURS, element, draw, slider, box, paint, short, freshId, load, mosaic, register } = window.explore;
  const { engine, work } = window.exploreEngine, tools = engine();
  // For the tests, which compare what it computes with saelib.
  window.exploreTrain = { ...tools, patches: loadPatches };

  const CHOICES = {
    rho: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
    beta: [0, 0.1, 0.3, 1, 3, 10],
    lambda: [0, 1e-5, 1e-4, 1e-3, 1e-2],
    units: [9, 16, 25, 36, 49, 64],
  };
  const tenth = (k) => ["0", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²"][k];
  const SIDE = 8, COUNT = 2000, ITERATIONS = 400, LARGEST = 384;

  /* The patches of the book's photographs, loaded when somebody wants to train. */
  let unpacked = null;
  async function loadPatches() {
    const { bytes, edgeR2 } = await load("explore-patches.js", "explorePatches");
    unpacked ??= { edgeR2, X: Float64Array.from(atob(bytes), (c) => 0.1 + 0.8 * c.charCodeAt(0) / 255) };
    return unpacked;
  }

  /* The brightness of a picture of the reader's own, made small enough to whiten at once. */
  async function grey(file) {
    const picture = await createImageBitmap(file).catch(() => {
      throw new Error("Your browser cannot read this file as a picture. Try a JPEG or PNG.");
    });
    const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
    const width = Math.round(picture.width * scale), height = Math.round(picture.height * scale);
    if (Math.min(width, height) < 4 * SIDE) throw new Error(`This picture is too small or too narrow: give one of at least ${4 * SIDE} pixels on its shorter side.`);
    const canvas = element("canvas", { width, height });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#fff"; // what is transparent lies on white
    context.fillRect(0, 0, width, height);
    context.drawImage(picture, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    const image = Float64Array.from({ length: width * height }, (_, k) =>
      (0.2125 * data[4 * k] + 0.7154 * data[4 * k + 1] + 0.0721 * data[4 * k + 2]) / 255);
    if (image.every((v) => Math.abs(v - image[0]) < 1 / 255)) throw new Error("This picture has one colour only; there is nothing to learn in it.");
    return { grey: image, width, height, side: SIDE, count: COUNT };
  }

  /* Two curves over the iterations: the terms of the cost, and the number of edges. */
  function charts(node) {
    const [left, right] = [36, 312], high = 100, low = 0.0001;
    const frames = [
      { title: "terms of the cost", top: 22, bottom: 112, ticks: [0.01, 1, 100], y: (v) => (Math.log(high) - Math.log(Math.min(high, Math.max(low, v)))) / Math.log(high / low) },
      { title: "edge-like units", top: 146, bottom: 222, ticks: [], y: null },
    ];
    const svg = draw(node, "svg", { viewBox: "0 0 320 244", role: "img", class: "explore-plot" });
    const LINES = [["reconstruction", 0, COLOURS.output], ["decay", 0, COLOURS.ink], ["sparsity", 0, COLOURS.penalty], ["edges", 1, COLOURS.hidden]];
    return (history, units, until, earlier) => {
      svg.replaceChildren();
      frames[1].y = (v) => 1 - v / units;
      frames[1].ticks = [0, units];
      const x = (iteration) => left + iteration / until * (right - left);
      const place = (frame, v) => frame.top + frame.y(v) * (frame.bottom - frame.top);
      for (const frame of frames) {
        draw(svg, "text", { x: left, y: frame.top - 8 }, frame.title);
        for (const v of frame.ticks) {
          draw(svg, "line", { x1: left, x2: right, y1: place(frame, v), y2: place(frame, v), stroke: COLOURS.grid });
          draw(svg, "text", { x: left - 5, y: place(frame, v) + 4, "text-anchor": "end" }, String(v));
        }
      }
      draw(svg, "text", { x: left, y: 240 }, "0");
      draw(svg, "text", { x: right, y: 240, "text-anchor": "end" }, `iteration ${until}`);
      const line = (points, name, frame, attributes) => {
        const drawn = points.filter((p) => p[name] !== undefined && p[name] > (frame ? -1 : 0) && p.iteration <= until);
        if (drawn.length > 1) draw(svg, "polyline", { fill: "none", points: drawn.map((p) => `${x(p.iteration).toFixed(1)},${place(frames[frame], p[name]).toFixed(1)}`).join(" "), ...attributes });
      };
      for (const run of earlier) line(run.history.map((p) => ({ ...p, edges: p.edges && p.edges * units / run.units })), "edges", 1, { stroke: COLOURS.faint, "stroke-width": 1.5 });
      for (const [name, frame, colour] of LINES) line(history, name, frame, { stroke: colour, "stroke-width": 2.2 });
    };
  }

  function trainFigure(figure) {
    const node = box(figure, "Move it: train it yourself",
      "Which settings make edges? Choose them and press Train: your device learns from 2,000 patches of 8×8 pixels of the ten photographs credited above, with L-BFGS, and you watch. What does a larger ρ do? And none of β, or none of λ?");
    const canvas = element("canvas", { role: "img", class: "explore-tiles" });
    const numbers = element("dl", { class: "explore-numbers" });
    const cells = {};
    for (const [key, name, colour] of [["iteration", "iteration", ""], ["reconstruction", "reconstruction", COLOURS.output], ["decay", "decay", COLOURS.ink],
      ["sparsity", "sparsity", COLOURS.penalty], ["cost", "cost J", ""], ["edges", "edge-like", COLOURS.hidden]]) {
      cells[key] = element("dd", {});
      numbers.append(element("div", colour ? { style: `border-color: ${colour}` } : {}, element("dt", {}, name), cells[key]));
    }
    const plot = element("div", {});
    const drawCharts = charts(plot);
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const [go, again] = [element("button", { type: "button" }), element("button", { type: "button" }, "New start")];
    const fileId = freshId();
    const file = element("input", { type: "file", id: fileId, accept: "image/*" });
    const back = element("button", { type: "button" }, "Back to the photographs of the book");
    const runs = element("table", { class: "explore-runs" });

    let worker = null, state = "ready", seed = 1, run = 0, until = ITERATIONS, own = null, sent = null, edgeR2 = null;
    let history = [], filters = null, finished = [];
    const at = {};
    const setting = (name) => CHOICES[name][at[name].value];
    const settings = () => ({ rho: setting("rho"), beta: setting("beta"), lambda: setting("lambda") });
    const named = () => `ρ = ${setting("rho")}, β = ${setting("beta")}, λ = ${tenth(at.lambda.value)}, ${setting("units")} hidden units${own ? ", your picture" : ""}`;

    function tiles() {
      const units = setting("units"), n = SIDE * SIDE;
      const { grid, width, height } = mosaic(Array.from({ length: units }, (_, j) => filters.subarray(j * n, (j + 1) * n)), SIDE, Math.sqrt(units));
      paint(canvas, grid, width, 1, height);
    }
    function show() {
      const last = history.at(-1), counted = history.findLast((p) => p.edges !== undefined);
      for (const [key, cell] of Object.entries(cells)) cell.textContent = last ? (key === "iteration" ? String(last.iteration) : key === "edges" ? `${counted.edges} of ${setting("units")}` : short(last[key])) : "–";
      tiles();
      drawCharts(history, setting("units"), until, finished.filter((r) => r.history !== history));
      canvas.setAttribute("aria-label", `Weights of ${setting("units")} hidden units at iteration ${last ? last.iteration : 0}, each scaled on its own.`);
      plot.firstChild.setAttribute("aria-label", last ? `Terms of the cost and number of edge-like units up to iteration ${last.iteration}; the numbers stand above.` : "Empty axes: terms of the cost and number of edge-like units over the iterations.");
    }
    function label() {
      go.textContent = { ready: "Train", running: "Pause", paused: "Go on", until: `Go on for ${ITERATIONS} more`, converged: "Train" }[state];
      go.disabled = state === "converged" || state === "loading";
      if (state === "loading") go.textContent = "One moment";
      back.hidden = !own;
    }
    /* Back to the start, with other settings, another seed or another picture. */
    function reset(why = "") {
      worker?.postMessage({ pause: true });
      run++;
      [state, history, until] = ["ready", [], ITERATIONS];
      filters = tools.start(SIDE * SIDE, setting("units"), seed);
      words.textContent = `${why}${named()}. The weights are random numbers still.`;
      show();
      label();
    }
    function table() {
      const row = (kind, ...texts) => element("tr", {}, ...texts.map((text) => element(kind, kind === "th" ? { scope: "col" } : {}, text)));
      runs.replaceChildren(element("caption", {}, "Your runs, the newest first; the edges of earlier ones are grey in the figure"),
        row("th", "ρ", "β", "λ", "iterations", "J", "edges"),
        ...[...finished].reverse().map((r) => row("td", ...r.settings, String(r.iteration), short(r.cost), `${r.edges} of ${r.units}${r.own ? ", your picture" : ""}`)));
      runs.hidden = !finished.length;
    }
    function heard({ data }) {
      if (data.id !== run) return;
      filters = data.W1;
      const point = { iteration: data.iteration, ...data.terms, edges: data.edges };
      if (history.at(-1)?.iteration === point.iteration) history.pop();
      history.push(point);
      if (data.done) {
        state = data.done;
        finished = finished.filter((r) => r.history !== history);
        finished.push({ settings: [String(setting("rho")), String(setting("beta")), tenth(at.lambda.value)], own, units: setting("units"), history, iteration: data.iteration, cost: data.terms.cost, edges: data.edges });
        finished = finished.slice(-5);
        table();
        const end = data.done === "converged" ? " No step lowers the cost further." : "";
        words.textContent = `After ${data.iteration} iterations with ${named()}: cost ${short(data.terms.cost)}, mean activation ${short(data.mean)}, ${data.edges} of ${setting("units")} units are edge-like.${end}`;
      }
      show();
      label();
    }
    async function train() {
      if (state === "running") {
        worker.postMessage({ pause: true });
        state = "paused";
        words.textContent = `Paused at iteration ${history.at(-1)?.iteration ?? 0}.`;
      } else if (state === "paused" || state === "until") {
        if (state === "until") until += ITERATIONS;
        worker.postMessage({ until });
        state = "running";
        words.textContent = `Training goes on to iteration ${until}.`;
      } else {
        const mine = run;
        state = "loading";
        label();
        try {
          const patches = await loadPatches(), wanted = own || patches.X;
          if (mine !== run) return;
          edgeR2 = patches.edgeR2;
          if (!worker) {
            const source = `const go = (${work})(postMessage, (${engine})()); onmessage = (e) => go(e.data);`;
            worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
            worker.onmessage = heard;
            worker.onerror = () => { worker = null; sent = null; reset("The training broke off; try again. "); };
          }
          const start = { id: run, side: SIDE, h: setting("units"), settings: settings(), seed, until, edgeR2 };
          const data = sent === wanted ? {} : own ? { image: own } : { X: patches.X };
          worker.postMessage({ ...data, start });
          sent = wanted;
          state = "running";
          words.textContent = `Training with ${named()}.`;
        } catch (error) {
          state = "ready";
          words.textContent = error.message;
        }
      }
      label();
    }
    async function take() {
      if (!file.files[0]) return;
      try {
        own = await grey(file.files[0]);
        reset(`Your picture, ${own.width}×${own.height} pixels of grey; it stays on this device. `);
      } catch (error) {
        words.textContent = error.message;
      }
    }
    const changed = () => reset();
    at.rho = slider("target ρ", { min: 0, max: 6, step: 1, value: 1, say: (k) => String(CHOICES.rho[k]) }, changed);
    at.beta = slider("its weight β", { min: 0, max: 5, step: 1, value: 4, say: (k) => String(CHOICES.beta[k]) }, changed);
    at.lambda = slider("weight decay λ", { min: 0, max: 4, step: 1, value: 2, say: tenth }, changed);
    at.units = slider("hidden units", { min: 0, max: 5, step: 1, value: 2, say: (k) => String(CHOICES.units[k]) }, changed);
    go.addEventListener("click", train);
    again.addEventListener("click", () => { seed++; reset("Other random weights. "); });
    file.addEventListener("change", take);
    back.addEventListener("click", () => { own = null; file.value = ""; reset("The photographs of the book again. "); });
    node.append(at.rho.row, at.beta.row, at.lambda.row, at.units.row,
      element("div", { class: "explore-buttons" }, go, again), canvas, numbers, plot, words, runs,
      element("div", { class: "explore-file" }, element("label", { for: fileId }, "Or train on a picture of your own, which never leaves this device:"), file, back));
    table();
    reset();
  }
  register({ "fig-sweep": trainFigure });
})();
