/* All units of chapter 6 answer to one grating that the reader turns, scales and moves. */
(() => {
  "use strict";

  const { COLOURS, sigmoid, short, element, draw, slider, box, paint, unpack, mosaic, register } = window.explore;

  /* A grating of mean 0 and length 1, as numbers row by row. */
  function grating(side, degrees, frequency, phase) {
    const angle = degrees * Math.PI / 180, middle = (side - 1) / 2;
    const x = Array.from({ length: side * side }, (_, k) => Math.sin(2 * Math.PI * frequency *
      ((k % side - middle) * Math.cos(angle) + (Math.floor(k / side) - middle) * Math.sin(angle)) + phase * Math.PI / 180));
    const mean = x.reduce((a, b) => a + b) / x.length, centred = x.map((v) => v - mean), size = Math.hypot(...centred) || 1;
    return centred.map((v) => v / size);
  }
  /* What each unit answers to a flat patch with so much of x on it. */
  const answers = (W, flat, x, length) => W.map((w, j) => sigmoid(flat[j] + length * w.reduce((s, v, k) => s + v * x[k], 0)));
  /* The other units by the angle between their weights and those of one. */
  function neighbours(W, unit) {
    const norm = W.map((w) => Math.hypot(...w));
    return W.map((w, j) => ({ j, cos: w.reduce((s, v, k) => s + v * W[unit][k], 0) / norm[j] / norm[unit] }))
      .filter(({ j }) => j !== unit).sort((a, b) => b.cos - a.cos);
  }

  function unitsFigure(figure) {
    const { side, steps, flat, length } = window.exploreData.assignment;
    const W = unpack(steps.at(-1).W1), across = 5, pitch = side + 1;
    const node = box(figure, "Move it: all units answer",
      "Turn the grating and change its frequency: which of the 25 units of the chapter Training answer? How many at once? Tap a unit: the three whose weights are nearest to its own get a dashed frame. Do they answer to the same gratings?");
    const stimulus = element("canvas", { role: "img" });
    const tiles = element("canvas", { "aria-hidden": "true" });
    const { grid, width } = mosaic(W, side, across);
    paint(tiles, grid, width, 1);
    const map = element("div", { class: "explore-map explore-sharp" }, tiles);
    const svg = draw(map, "svg", { viewBox: `0 0 ${width} ${width}`, role: "img", class: "explore-units" });
    const marks = W.map((_, j) => {
      const [x, y] = [(j % across) * pitch, Math.floor(j / across) * pitch];
      return {
        back: draw(svg, "rect", { x, y: y + side - 1.3, width: side, height: 1.3, fill: COLOURS.ground, "fill-opacity": 0.85 }),
        bar: draw(svg, "rect", { x, y: y + side - 1.3, height: 1.3, fill: COLOURS.hidden }),
        // Within its tile, or else it would be cut at the border, and lie on the frames beside it.
        frame: draw(svg, "rect", { x: x + 0.4, y: y + 0.4, width: side - 0.8, height: side - 0.8, fill: "none" }),
      };
    });
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const update = () => {
      const x = grating(side, turn.value, frequency.value, phase.value);
      const a = answers(W, flat, x, length * contrast.value), chosen = unit.value - 1, near = neighbours(W, chosen).slice(0, 3);
      const most = Math.max(...x.map(Math.abs)) / Math.max(contrast.value, 0.05);
      paint(stimulus, x, side, most);
      marks.forEach(({ frame, bar }, j) => {
        bar.setAttribute("width", side * a[j]);
        const isNear = near.some((n) => n.j === j);
        frame.setAttribute("stroke", j === chosen || isNear ? COLOURS.output : "none");
        frame.setAttribute("stroke-width", j === chosen ? 0.8 : 0.6);
        frame.setAttribute("stroke-dasharray", isNear ? "1.2 0.8" : "none");
      });
      const awake = a.filter((v) => v > 0.1).length, best = a.indexOf(Math.max(...a));
      words.textContent = `${awake} of ${W.length} units answer with more than 0.1; the most, ${short(a[best])}, says unit ${best + 1}. Unit ${chosen + 1} says ${short(a[chosen])}; its nearest are ${near.map(({ j, cos }) => `unit ${j + 1} (cosine ${cos.toFixed(2).replace("-", "−")}, says ${short(a[j])})`).join(", ")}.`;
      stimulus.setAttribute("aria-label", `Grating at ${turn.value} degrees, ${frequency.value.toFixed(2)} cycles per pixel`);
      svg.setAttribute("aria-label", `Weights of ${W.length} units, each with a bar for its answer. ${words.textContent}`);
    };
    const turn = slider("orientation", { min: 0, max: 175, step: 5, value: 45, say: (v) => `${v}°` }, update);
    const frequency = slider("frequency", { min: 0.03, max: 0.45, step: 0.01, value: 0.15, say: (v) => v.toFixed(2) }, update);
    const phase = slider("phase", { min: 0, max: 345, step: 15, value: 0, say: (v) => `${v}°` }, update);
    const contrast = slider("contrast", { min: 0, max: 2, step: 0.1, value: 1, say: (v) => v.toFixed(1) }, update);
    const unit = slider("unit", { min: 1, max: W.length, step: 1, value: 1, say: String }, update);
    svg.addEventListener("click", (event) => {
      const view = svg.getBoundingClientRect(), at = (v, size) => Math.min(across - 1, Math.floor(v / size * width / pitch));
      unit.value = 1 + at(event.clientX - view.left, view.width) + across * at(event.clientY - view.top, view.height);
      update();
    });
    node.append(element("div", { class: "explore-pair explore-small" }, element("div", {}, stimulus, element("span", {}, "what all are shown"))), map,
      turn.row, frequency.row, phase.row, contrast.row, unit.row, words);
    update();
  }
  register({ "fig-tuning": unitsFigure });
  window.exploreUnits = { grating, answers, neighbours }; // for the tests
})();
