/* Chapter 2: how much of noise and of photographs k numbers keep. */
(() => {
  "use strict";

  const { COLOURS, element, draw, slider, box, paint, unpack, load, register } = window.explore;

  /* The point of the best plane of k directions that is nearest to x; rows of V are directions. */
  function nearest(V, mean, x, k) {
    const y = mean.slice();
    for (let c = 0; c < k; c++) {
      const along = V[c].reduce((s, v, p) => s + v * (x[p] - mean[p]), 0);
      for (let p = 0; p < y.length; p++) y[p] += along * V[c][p];
    }
    return y;
  }

  const EXAMPLES = 5;

  function compressionFigure(figure) {
    const node = box(figure, "Move it: how many numbers are enough?",
      "Each example of 100 pixels is told in k numbers, those of PCA, the best that straight lines can do. How many do you need until you recognize a photograph? And until you recognize noise?");
    const words = element("p", { class: "explore-words", "aria-live": "polite" }, "With 10 of 100 numbers, unexplained in unseen examples: noise … %, whitened … %, photographs … %.");
    const rows = element("div", { class: "explore-strips" });
    const svg = draw(node, "svg", { viewBox: "0 0 360 210", role: "img", class: "explore-plot" });
    const [left, right, top, bottom] = [48, 280, 10, 168];
    const toX = (k) => left + k / 100 * (right - left), toY = (v) => bottom - v * (bottom - top);
    for (const v of [0, 0.5, 1]) {
      draw(svg, "line", { x1: left, x2: right, y1: toY(v), y2: toY(v), stroke: COLOURS.grid });
      draw(svg, "text", { x: left - 5, y: toY(v) + 4, "text-anchor": "end" }, `${100 * v} %`);
    }
    for (const k of [0, 50, 100]) draw(svg, "text", { x: toX(k), y: bottom + 18, "text-anchor": "middle" }, String(k));
    draw(svg, "text", { x: toX(50), y: bottom + 36, "text-anchor": "middle" }, "numbers kept, k");
    const mark = draw(svg, "line", { y1: top, y2: bottom, stroke: COLOURS.hidden, "stroke-width": 2 });
    let kinds = null;
    const LOOKS = { noise: [COLOURS.ink, "none"], whitened: [COLOURS.output, "7 3"], photographs: [COLOURS.input, "none"] };
    function update() {
      mark.setAttribute("x1", toX(kept.value));
      mark.setAttribute("x2", toX(kept.value));
      if (!kinds) return;
      for (const { V, mean, examples, canvases } of kinds) examples.forEach((x, i) => {
        const most = Math.max(...x.map(Math.abs));
        paint(canvases[i], nearest(V, mean, x, kept.value), 10, most);
      });
      const share = ({ unexplained }) => `${(100 * unexplained[kept.value]).toFixed(unexplained[kept.value] < 0.1 ? 1 : 0)} %`;
      words.textContent = `With ${kept.value} of 100 numbers, unexplained in unseen examples: ${kinds.map((kind) => `${kind.name} ${share(kind)}`).join(", ")}.`;
      svg.setAttribute("aria-label", `Unexplained variance over the numbers kept. ${words.textContent}`);
    }
    const kept = slider("kept, k", { min: 0, max: 100, step: 1, value: 10, say: String }, update);
    // The room is there before the numbers are, so that nothing moves when they come.
    const strip = (canvases) => element("div", { class: "explore-strip" }, ...canvases);
    const empty = () => Array.from({ length: EXAMPLES }, () => element("canvas", { width: 10, height: 10, "aria-hidden": "true" }));
    const places = Object.fromEntries(Object.keys(LOOKS).map((name) => [name, { originals: empty(), canvases: empty() }]));
    for (const [name, { originals, canvases }] of Object.entries(places))
      rows.append(element("p", {}, `${name}: above as it is, below what is kept`), strip(originals), strip(canvases));
    node.insertBefore(rows, svg);
    node.append(kept.row, words);
    load("explore-compression-data.js", "exploreCompressionData").then((data) => {
      kinds = data.map((kind) => ({ ...kind, V: unpack(kind.V), examples: unpack(kind.examples) }));
      for (const kind of kinds) {
        draw(svg, "polyline", { fill: "none", stroke: LOOKS[kind.name][0], "stroke-width": 2, "stroke-dasharray": LOOKS[kind.name][1], points: kind.unexplained.map((v, k) => `${toX(k).toFixed(1)},${toY(v).toFixed(1)}`).join(" ") });
        // The curves of pictures leave no room between them, so that their names stand in the corner
        // that stays empty, each behind a piece of its curve.
        const row = { whitened: 0, photographs: 1 }[kind.name];
        if (row === undefined) draw(svg, "text", { x: toX(45) + 10, y: toY(kind.unexplained[45]) - 5 }, kind.name);
        else {
          const [x, y] = [toX(62), toY(0.87) + 18 * row];
          draw(svg, "line", { x1: x - 26, x2: x - 6, y1: y, y2: y, stroke: LOOKS[kind.name][0], "stroke-width": 2, "stroke-dasharray": LOOKS[kind.name][1] });
          draw(svg, "text", { x, y: y + 4 }, kind.name);
        }
        kind.examples.forEach((x, i) => paint(places[kind.name].originals[i], x, 10, Math.max(...x.map(Math.abs))));
        kind.canvases = places[kind.name].canvases;
      }
      update();
    }).catch((error) => { words.textContent = error.message; });
    update();
  }
  register({ "fig-reconstructions-noise": compressionFigure });
  window.exploreCompression = { nearest };
})();
