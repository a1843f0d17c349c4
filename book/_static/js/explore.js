/* The figures to move of chapters 4 to 7, with what explore-kit.js provides. */
(() => {
  "use strict";

  const { COLOURS, sigmoid, kl, klSlope, short, element, draw, slider, box, paint, unpack, mosaic, tick, freshId, register } = window.explore;

  /* 1. The KL curve. */
  function klFigure(figure) {
    const node = box(figure, "Move it: the penalty of one unit",
      "Set the target ρ, then move the mean activation. Where is the penalty zero, and which way does the slope push? The two walls, at 0 and at 1, have no width.");
    const svg = draw(node, "svg", { viewBox: "0 0 360 250", role: "img", class: "explore-plot" });
    const [left, right, top, bottom, most] = [38, 350, 12, 208, 2];
    const x = (q) => left + q * (right - left);
    const y = (v) => bottom - v / most * (bottom - top);
    // What rises above the frame is cut off, not bent, so that a tangent stays one.
    // The tangent ends at the axis, so that it strikes no number through.
    const [frame, above] = [freshId(), freshId()];
    for (const [id, below] of [[frame, 8], [above, 0]])
      draw(draw(svg, "clipPath", { id }), "rect", { x: left - 4, y: top, width: right - left + 8, height: bottom - top + below });
    for (const v of [0, 0.5, 1, 1.5, 2]) {
      draw(svg, "line", { x1: left, x2: right, y1: y(v), y2: y(v), stroke: COLOURS.grid });
      draw(svg, "text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, v.toString());
    }
    for (const q of [0, 0.25, 0.5, 0.75, 1]) draw(svg, "text", { x: x(q), y: bottom + 18, "text-anchor": "middle" }, q.toString());
    draw(svg, "text", { x: x(0.5), y: bottom + 36, "text-anchor": "middle" }, "mean activation ρ̂");
    const inside = draw(svg, "g", { "clip-path": `url(#${frame})` });
    const curve = draw(inside, "path", { fill: "none", stroke: COLOURS.penalty, "stroke-width": 2.5 });
    const turned = draw(inside, "path", { fill: "none", stroke: COLOURS.ink, "stroke-width": 1.8, "stroke-dasharray": "2 3" });
    const tangent = draw(draw(svg, "g", { "clip-path": `url(#${above})` }), "line", { stroke: COLOURS.ink, "stroke-width": 1.5, "stroke-dasharray": "5 4" });
    const target = draw(svg, "line", { y1: top, y2: bottom, stroke: COLOURS.hidden, "stroke-width": 1.5 });
    const point = draw(draw(svg, "g", { "clip-path": `url(#${frame})` }), "circle", { r: 6, fill: COLOURS.penalty });
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const update = () => {
      const [rho, q] = [target_.value, mean.value];
      // Both ends are walls, of no width: the divergence is infinite at 0 and at 1 themselves.
      let path = `M${x(0)} ${y(2 * most)}`;
      for (let k = -300; k <= 300; k++) {
        const mean_ = sigmoid(k / 20);
        path += `L${x(mean_).toFixed(2)} ${y(Math.min(kl(rho, mean_), 2 * most)).toFixed(2)}`;
      }
      curve.setAttribute("d", `${path}L${x(1)} ${y(2 * most)}`);
      turned.setAttribute("d", reverse.value ? `M${Array.from({ length: 199 }, (_, k) => `${x((k + 1) / 200).toFixed(2)} ${y(kl((k + 1) / 200, rho)).toFixed(2)}`).join("L")}` : "");
      const [value, slope] = [kl(rho, q), klSlope(rho, q)];
      const reach = 0.25 / Math.hypot(1, slope / most);
      for (const [end, sign] of [["1", -1], ["2", 1]]) {
        tangent.setAttribute(`x${end}`, x(q + sign * reach));
        tangent.setAttribute(`y${end}`, y(value + sign * reach * slope));
      }
      for (const end of ["x1", "x2"]) target.setAttribute(end, x(rho));
      point.setAttribute("cx", x(q));
      point.setAttribute("cy", y(value));
      const push = Math.abs(slope) < 0.02 ? "nothing to push" : slope < 0 ? "descent raises the unit's activation" : "descent lowers the unit's activation";
      const where = value > most ? ", above the picture" : "";
      words.textContent = `KL = ${short(value)} nats${where}, slope ${short(slope)}: ${push}.${reverse.value ? ` The mean first: ${short(kl(q, rho))} nats.` : ""}`;
      svg.setAttribute("aria-label", `Curve of KL over the mean activation for target ${short(rho)}. ${words.textContent}`);
    };
    const target_ = slider("target ρ", { min: 0.01, max: 0.99, step: 0.01, value: 0.2, say: (v) => v.toFixed(2) }, update);
    const mean = slider("mean activation ρ̂", { min: 0.005, max: 0.995, step: 0.005, value: 0.5 }, update);
    const reverse = tick("the mean first (dots)", false, () => update());
    node.append(target_.row, mean.row, reverse.row, words);
    update();
  }

  /* 2. What excites a hidden unit. */
  function unitFigure(figure) {
    const { side, steps, flat, length } = window.exploreData.assignment;
    const W1 = unpack(steps.at(-1).W1);
    const node = box(figure, "Move it: what excites a unit",
      "Choose one of the 25 units trained in the chapter Training. Turn the grating until the unit answers, then compare it with the input that excites it most.");
    const weights = element("canvas", { role: "img" });
    const stimulus = element("canvas", { role: "img" });
    const bar = element("meter", { min: 0, max: 1, "aria-label": "activation of the unit" });
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const pictures = element("div", { class: "explore-pair" },
      element("div", {}, weights, element("span", {}, "weights of the unit")),
      element("div", {}, stimulus, element("span", {}, "what it is shown")));
    const button = element("button", { type: "button" }, "Show it its maximal input");
    let maximal = false;
    const update = () => {
      const w = W1[unit.value - 1];
      const norm = Math.hypot(...w);
      let x = w.map((v) => v / norm);
      if (!maximal) {
        const [angle, f, p] = [turn.value * Math.PI / 180, frequency.value, phase.value * Math.PI / 180];
        x = w.map((_, k) => Math.sin(2 * Math.PI * f *
          (((k % side) - 3.5) * Math.cos(angle) + (Math.floor(k / side) - 3.5) * Math.sin(angle)) + p));
        const mean = x.reduce((a, b) => a + b) / x.length;
        x = x.map((v) => v - mean);
        const size = Math.hypot(...x) || 1;
        x = x.map((v) => v / size);
      }
      const z = flat[unit.value - 1] + length * w.reduce((sum, v, k) => sum + v * x[k], 0);
      const best = sigmoid(flat[unit.value - 1] + length * norm);
      bar.value = sigmoid(z);
      paint(weights, w, side, Math.max(...w.map(Math.abs)));
      paint(stimulus, x, side, Math.max(...x.map(Math.abs)));
      const shown = maximal ? "its maximal input" : `a grating at ${turn.value}°, ${frequency.value.toFixed(2)} cycles per pixel`;
      weights.setAttribute("aria-label", `Weights of unit ${unit.value}`);
      stimulus.setAttribute("aria-label", `The unit is shown ${shown}`);
      words.textContent = `Unit ${unit.value} is shown ${shown}: activation ${short(sigmoid(z))}. The most that any input of this length can reach is ${short(best)}.`;
    };
    const moved = () => { maximal = false; update(); };
    const unit = slider("unit", { min: 1, max: W1.length, step: 1, value: 1, say: String }, () => update());
    const turn = slider("orientation", { min: 0, max: 175, step: 5, value: 0, say: (v) => `${v}°` }, moved);
    const frequency = slider("frequency", { min: 0.03, max: 0.45, step: 0.01, value: 0.15, say: (v) => v.toFixed(2) }, moved);
    const phase = slider("phase", { min: 0, max: 345, step: 15, value: 0, say: (v) => `${v}°` }, moved);
    button.addEventListener("click", () => { maximal = true; update(); });
    node.append(pictures, bar, unit.row, turn.row, frequency.row, phase.row, button, words);
    update();
  }

  /* 3. The filters while they are trained. */
  function trainingFigure(figure) {
    const { side, steps } = window.exploreData.assignment;
    const W = steps.map((step) => unpack(step.W1));
    const node = box(figure, "Move it: twenty-five units while they learn",
      "Go through the iterations of L-BFGS. When do the first edges appear, and when do the last?");
    const canvas = element("canvas", { role: "img", class: "explore-tiles" });
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const update = () => {
      const step = steps[at.value];
      const { grid, width } = mosaic(W[at.value], side, 5);
      paint(canvas, grid, width, 1);
      words.textContent = `Iteration ${step.iteration}: cost ${short(step.cost)}, mean activation ${short(step.meanActivation)}, ${step.edges} of ${W[at.value].length} units are edge-like.`;
      canvas.setAttribute("aria-label", `Weights of 25 units. ${words.textContent}`);
    };
    const at = slider("iteration", { min: 0, max: steps.length - 1, step: 1, value: steps.length - 1, say: (k) => String(steps[k].iteration) }, update);
    node.append(canvas, at.row, words);
    update();
  }

  /* 4. Descent on a slice through the cost: W1[0][0] across, b1[0] up. */
  const slice = {
    range: { w: [-9, 9], b: [-7, 7] },
    hidden(w, b) {
      const { X, W1, b1 } = window.exploreData.slice;
      return X.map((x) => [
        sigmoid(x.reduce((z, v, k) => z + v * (k ? W1[0][k] : w), b)),
        sigmoid(x.reduce((z, v, k) => z + v * W1[1][k], b1[1])),
      ]);
    },
    output(a) {
      const { W2, b2 } = window.exploreData.slice;
      return W2.map((row, k) => sigmoid(row[0] * a[0] + row[1] * a[1] + b2[k]));
    },
    cost(w, b) {
      const d = window.exploreData.slice;
      const A = this.hidden(w, b);
      const m = A.length;
      let squares = 0;
      A.forEach((a, i) => this.output(a).forEach((y, k) => { squares += (y - d.X[i][k]) ** 2; }));
      let weights = w * w - d.W1[0][0] ** 2;
      for (const row of [...d.W1, ...d.W2]) for (const v of row) weights += v * v;
      const penalty = [0, 1].reduce((sum, j) => sum + kl(d.sparsityTarget, A.reduce((s, a) => s + a[j], 0) / m), 0);
      return squares / (2 * m) + d.weightDecay / 2 * weights + d.sparsityWeight * penalty;
    },
    gradient(w, b, withPenalty = true) {
      const d = window.exploreData.slice;
      const A = this.hidden(w, b);
      const m = A.length;
      const mean = A.reduce((s, a) => s + a[0], 0) / m;
      const push = withPenalty ? d.sparsityWeight * klSlope(d.sparsityTarget, mean) : 0;
      let [gw, gb] = [0, 0];
      A.forEach((a, i) => {
        const back = this.output(a).reduce((s, y, k) => s + (y - d.X[i][k]) * y * (1 - y) * d.W2[k][0], 0);
        const delta = (back + push) * a[0] * (1 - a[0]);
        gw += delta * d.X[i][0] / m;
        gb += delta / m;
      });
      return [gw + d.weightDecay * w, gb];
    },
  };

  /* The line on which a grid of values, row by row, has a level, as short pieces [x1, y1, x2, y2]. */
  function contour(values, across, level) {
    const pieces = [];
    for (let i = 0; (i + 2) * across <= values.length; i++) for (let j = 0; j + 1 < across; j++) {
      const corners = [[j, i], [j + 1, i], [j + 1, i + 1], [j, i + 1]].map(([x, y]) => [x, y, values[y * across + x] - level]);
      const ends = [];
      corners.forEach(([x, y, v], k) => {
        const [x2, y2, v2] = corners[(k + 1) % 4];
        if ((v < 0) !== (v2 < 0)) ends.push(x + v / (v - v2) * (x2 - x), y + v / (v - v2) * (y2 - y));
      });
      for (let k = 0; k + 3 < ends.length; k += 4) pieces.push(ends.slice(k, k + 4));
    }
    return pieces;
  }

  function descentFigure(figure) {
    const node = box(figure, "Move it: descent on a slice through the cost",
      "Another, smaller network than in the figure above: two hidden units on patches of 2×2 pixels, and one weight and one bias that move. Start anywhere, by the sliders or by a click. The shades and lines are the whole cost, computed by the forward pass alone; the path follows backpropagation, and leaves the line of its first cost at a right angle. What does it do without the sparsity term, or with steps that are too long?");
    const { w: [w0, w1], b: [b0, b1] } = slice.range;
    // One unit is as long across as up, or else right angles would not look right.
    const [across, up] = [90, Math.round(90 * (b1 - b0) / (w1 - w0))], tall = 100 * up / across;
    const canvas = element("canvas", { width: across, height: up, "aria-hidden": "true" });
    const frame = element("div", { class: "explore-map", style: `aspect-ratio: ${across} / ${up}` }, canvas);
    const svg = draw(frame, "svg", { viewBox: `0 0 100 ${tall}`, role: "img" });
    const lines = draw(svg, "path", { fill: "none", stroke: COLOURS.ink, "stroke-width": 0.25, "stroke-opacity": 0.7 });
    const level = draw(svg, "path", { fill: "none", stroke: COLOURS.ink, "stroke-width": 0.6 });
    const corner = draw(svg, "polyline", { fill: "none", stroke: COLOURS.ink, "stroke-width": 0.6, class: "explore-corner" });
    const path = draw(svg, "polyline", { fill: "none", "stroke-width": 0.9 });
    const dots = draw(svg, "g");
    draw(svg, "text", { x: 98, y: tall - 3, "text-anchor": "end" }, "weight W₁₁ →");
    draw(svg, "text", { x: 2, y: 6 }, "↑ bias b₁");
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const toX = (w) => (w - w0) / (w1 - w0) * 100;
    const toY = (b) => tall - (b - b0) / (b1 - b0) * tall;
    const values = [];
    for (let i = 0; i < up; i++) for (let j = 0; j < across; j++)
      values.push(slice.cost(w0 + (j + 0.5) / across * (w1 - w0), b1 - (i + 0.5) / up * (b1 - b0)));
    const low = Math.min(...values);
    const high = Math.max(...values);
    // The deeper, the more of the ground shines through, whichever it is.
    const context = canvas.getContext("2d");
    const image = context.createImageData(across, up);
    values.forEach((v, k) => image.data.set([70, 125, 180, 170 * Math.sqrt((v - low) / (high - low))], 4 * k));
    context.putImageData(image, 0, 0);
    const pitch = 100 / across;
    const lineOf = (v) => contour(values, across, v).map(([x1, y1, x2, y2]) => `M${[x1, y1].map((p) => ((p + 0.5) * pitch).toFixed(2))}L${[x2, y2].map((p) => ((p + 0.5) * pitch).toFixed(2))}`).join("");
    lines.setAttribute("d", Array.from({ length: 14 }, (_, k) => lineOf(low + (high - low) * ((k + 0.5) / 14) ** 2)).join(""));
    const update = () => {
      let [w, b] = [startW.value, startB.value];
      const first = slice.cost(w, b);
      const eta = 10 ** rate.value;
      const points = [[w, b]];
      for (let k = 0; k < 80; k++) {
        const [gw, gb] = slice.gradient(w, b, check.value);
        [w, b] = [w - eta * gw, b - eta * gb];
        points.push([w, b]);
      }
      level.setAttribute("d", lineOf(first));
      // A square between the line of the first cost and the way down, both as they leave the start.
      const [gw, gb] = slice.gradient(startW.value, startB.value), size = 4 / Math.hypot(gw, gb);
      const [x, y, dx, dy] = [toX(startW.value), toY(startB.value), -gw * size, gb * size];
      corner.setAttribute("points", [[x - dy, y + dx], [x - dy + dx, y + dx + dy], [x + dx, y + dy]].map((p) => p.map((v) => v.toFixed(2))).join(" "));
      corner.setAttribute("visibility", check.value ? "visible" : "hidden");
      // The colours of the figure above: purple with the penalty, ink without.
      const colour = check.value ? COLOURS.penalty : COLOURS.ink;
      path.setAttribute("stroke", colour);
      dots.setAttribute("fill", colour);
      path.setAttribute("points", points.map(([p, q]) => `${toX(p).toFixed(2)},${toY(q).toFixed(2)}`).join(" "));
      dots.replaceChildren();
      points.forEach(([p, q], k) => draw(dots, "circle", { cx: toX(p), cy: toY(q), r: k ? 0.9 : 2 }));
      const last = slice.cost(w, b);
      words.textContent = `80 steps: the cost goes from ${short(first)} to ${short(last)}; the lowest on this map is ${short(low)}.`;
      svg.setAttribute("aria-label", `Map of the cost over one weight and one bias, with the path of descent. ${words.textContent}`);
    };
    const check = tick("with the sparsity term", true, () => update());
    const startW = slider("weight W₁₁", { min: w0, max: w1, step: 0.1, value: 7, say: (v) => v.toFixed(1).replace("-", "−") }, update);
    const startB = slider("bias b₁", { min: b0, max: b1, step: 0.1, value: 5, say: (v) => v.toFixed(1).replace("-", "−") }, update);
    const rate = slider("step size η", { min: -1, max: 2.2, step: 0.1, value: 1, say: (v) => (10 ** v).toPrecision(2) }, update);
    svg.addEventListener("pointerdown", (event) => {
      const area = svg.getBoundingClientRect();
      startW.value = w0 + (event.clientX - area.left) / area.width * (w1 - w0);
      startB.value = b1 - (event.clientY - area.top) / area.height * (b1 - b0);
      update();
    });
    node.append(frame, startW.row, startB.row, rate.row,
      check.row, words);
    update();
  }

  register({
    "fig-kl-curve": klFigure,
    "fig-climb": unitFigure,
    "fig-snapshots": trainingFigure,
    "fig-cost-slice": descentFigure,
  });
  Object.assign(window.explore, { slice, contour }); // for the tests, which compare it with saelib
})();
