/* Chapter 3: one unit of the two networks, with and without the penalty, and what is lost
   without it. */
(() => {
  "use strict";

  const { COLOURS, sigmoid, short, element, draw, slider, tick, box, paint, unpack, mosaic, load, register } = window.explore;

  const code = ({ W1, b1 }, x) => W1.map((w, j) => { let z = b1[j]; for (let k = 0; k < w.length; k++) z += w[k] * x[k]; return sigmoid(z); });
  /* The output for a code; `but` is a unit that is switched off. W2 holds a row per unit. */
  function output({ W2, b2 }, a, but = -1) {
    const z = b2.slice();
    W2.forEach((w, j) => { if (j !== but) for (let k = 0; k < z.length; k++) z[k] += a[j] * w[k]; });
    return z.map(sigmoid);
  }
  const error = (x, y) => x.reduce((s, v, k) => s + (v - y[k]) ** 2, 0) / 2;
  const network = (data) => ({ W1: unpack(data.W1), W2: unpack(data.W2), b1: data.b1, b2: data.b2 });
  /* The places of the largest values. */
  const largest = (values, count) => values.map((v, i) => [v, i]).sort((a, b) => b[0] - a[0]).slice(0, count).map(([, i]) => i);

  function sparsityFigure(figure) {
    const node = box(figure, "Move it: one unit of two hundred",
      "Choose a unit by a tap: what does it look for, how often does it answer, which patches excite it, and what does the network make of such a patch without it? Then switch the penalty off. Which code can do without any one unit?");
    const side = 10, across = 10, pitch = side + 1, wide = across * pitch - 1;
    // All have their size before the numbers are there, so that nothing moves when they come.
    const tiles = element("canvas", { "aria-hidden": "true", width: wide, height: wide });
    const map = element("div", { class: "explore-map explore-sharp" }, tiles);
    const svg = draw(map, "svg", { viewBox: `0 0 ${wide} ${wide}`, role: "img" });
    const frame = draw(svg, "rect", { width: side + 1, height: side + 1, fill: "none", stroke: COLOURS.output, "stroke-width": 1.4 });
    const histogram = draw(element("div", {}), "svg", { viewBox: "0 0 360 132", role: "img", class: "explore-plot" });
    const words = element("p", { class: "explore-words", "aria-live": "polite" }, "Unit 23, with the penalty: mean activation …, above 0.1 for … of 1000 patches. Here it says …; the cost of this patch is …, and … without the unit. The networks are on their way.");
    const named = (title, label) => { const canvas = element("canvas", { role: "img", "aria-label": label, width: side, height: side }); return { canvas, cell: element("div", {}, canvas, element("span", {}, title)) }; };
    const shown = [named("patch", "The patch"), named("network", "What the network makes of it"), named("without it", "The same without the unit"), named("difference", "What the unit adds")];
    const top = element("canvas", { role: "img", class: "explore-top", width: 8 * pitch - 1, height: side });
    let nets = null, X = null;
    const codes = {};
    function update() {
      const j = 2 * (unit.value - 1);
      frame.setAttribute("x", ((unit.value - 1) % across) * pitch - 0.5);
      frame.setAttribute("y", Math.floor((unit.value - 1) / across) * pitch - 0.5);
      if (!nets) return;
      const name = penalty.value ? "sparse" : "free", net = nets[name];
      codes[name] ??= X.map((x) => code(net, x));
      const { grid, width, height } = mosaic(net.W1.filter((_, i) => i % 2 === 0), side, across);
      paint(tiles, grid, width, 1, height);
      const a = codes[name].map((row) => row[j]), mean = a.reduce((s, v) => s + v, 0) / a.length;
      const best = largest(a, 8), i = best[patch.value - 1], x = X[i];
      const all = mosaic(best.map((k) => X[k].map((v) => v - 0.5)), side, 8);
      paint(top, all.grid, all.width, 1, all.height);
      const [y, less] = [output(net, codes[name][i]), output(net, codes[name][i], j)];
      const most = Math.max(...x.map((v) => Math.abs(v - 0.5)));
      [x, y, less].forEach((picture, k) => paint(shown[k].canvas, picture.map((v) => v - 0.5), side, most));
      paint(shown[3].canvas, y.map((v, k) => v - less[k]), side, most);
      const counts = new Array(20).fill(0);
      for (const v of a) counts[Math.min(19, Math.floor(20 * v))]++;
      histogram.replaceChildren();
      counts.forEach((count, bin) => {
        const size = count ? Math.max(2, Math.log10(count + 1) / 3 * 96) : 0; // up to a thousand
        draw(histogram, "rect", { x: 8 + bin * 17.2, y: 104 - size, width: 15.6, height: size, fill: COLOURS.hidden });
      });
      draw(histogram, "line", { x1: 8, x2: 352, y1: 104, y2: 104, stroke: COLOURS.ink });
      draw(histogram, "text", { x: 8, y: 122 }, "0");
      draw(histogram, "text", { x: 180, y: 122, "text-anchor": "middle" }, "activation (bars: log of the count)");
      draw(histogram, "text", { x: 352, y: 122, "text-anchor": "end" }, "1");
      const awake = a.filter((v) => v > 0.1).length;
      words.textContent = `Unit ${j + 1}, ${penalty.value ? "with" : "without"} the penalty: mean activation ${short(mean)}, above 0.1 for ${awake} of ${a.length} patches. Here it says ${short(codes[name][i][j])}; the cost of this patch is ${short(error(x, y))}, and ${short(error(x, less))} without the unit.`;
      histogram.setAttribute("aria-label", `Histogram of the activations of the unit. ${words.textContent}`);
      svg.setAttribute("aria-label", `Weights of 100 of the 200 units; unit ${j + 1} is framed.`);
      top.setAttribute("aria-label", "The eight patches that excite the unit most, the strongest first");
    }
    const unit = slider("unit", { min: 1, max: 100, step: 1, value: 12, say: (v) => String(2 * v - 1) }, update);
    const patch = slider("which patch", { min: 1, max: 8, step: 1, value: 1, say: String }, update);
    const penalty = tick("with penalty", true, update);
    svg.addEventListener("click", (event) => {
      const view = svg.getBoundingClientRect(), at = (v, size) => Math.min(across - 1, Math.floor(v / size * wide / pitch));
      unit.value = 1 + at(event.clientX - view.left, view.width) + across * at(event.clientY - view.top, view.height);
      update();
    });
    node.append(map, penalty.row, unit.row, histogram, element("p", {}, "The eight of 1,000 patches that excite it most:"), top, patch.row,
      element("div", { class: "explore-pair explore-four" }, ...shown.map(({ cell }) => cell)), words);
    load("explore-sparsity-data.js", "exploreSparsityData").then((data) => {
      nets = { free: network(data.free), sparse: network(data.sparse) };
      const bytes = atob(data.patches);
      X = Array.from({ length: bytes.length / 100 }, (_, i) => Array.from({ length: 100 }, (_, k) => 0.1 + 0.8 * bytes.charCodeAt(100 * i + k) / 255));
      update();
    }).catch((fault) => { words.textContent = fault.message; });
    update();
  }
  register({ "fig-histogram-sparse": sparsityFigure });
  window.exploreSparsity = { code, output, network, largest }; // for the tests
})();
