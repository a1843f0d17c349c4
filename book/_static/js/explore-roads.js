/* The two roads of chapter 5: one hidden activation is changed, and what comes back on each road is
   a slope that one sees. */
(() => {
  "use strict";

  const { COLOURS, sigmoid, kl, klSlope, short, element, draw, slider, box, register } = window.explore;

  /* A network of two hidden units: what one activation does, all others being kept. */
  const roads = {
    code() {
      const { X, W1, b1 } = window.exploreData.roads;
      return X.map((x) => W1.map((row, j) => sigmoid(row.reduce((z, w, k) => z + w * x[k], b1[j]))));
    },
    /* Both terms of the bracket in Eq. (5.4), with m times the parts of J that they are slopes of. */
    bracket(A, i, j, a, beta) {
      const { X, W2, b2, sparsityTarget } = window.exploreData.roads, m = X.length;
      const own = A[i].map((v, unit) => (unit === j ? a : v));
      const output = W2.map((row, k) => sigmoid(row.reduce((z, w, unit) => z + w * own[unit], b2[k])));
      const error = output.reduce((s, y, k) => s + (y - X[i][k]) ** 2, 0) / 2;
      const first = output.reduce((s, y, k) => s + (y - X[i][k]) * y * (1 - y) * W2[k][j], 0);
      const mean = (A.reduce((s, v) => s + v[j], 0) - A[i][j] + a) / m;
      return { error, penalty: m * beta * kl(sparsityTarget, mean), first, second: beta * klSlope(sparsityTarget, mean), mean };
    },
  };

  function roadsFigure(figure) {
    const node = box(figure, "Move it: one activation, two roads",
      "Change what one hidden unit answers to one of the 40 patches. On the left the cost of this patch's output, on the right m times the penalty; the slopes are the two terms of the bracket. Which one wins, and where do they cancel? The mean hardly moves: why does its road matter all the same?");
    const svg = draw(node, "svg", { viewBox: "0 0 360 268", role: "img", class: "explore-plot" });
    const colours = [COLOURS.output, COLOURS.penalty], titles = ["road 1: its output", "road 2: the mean"];
    const panels = [0, 1].map((side) => {
      const [left, right] = [10 + side * 182, 168 + side * 182];
      draw(svg, "text", { x: left, y: 16 }, titles[side]);
      draw(svg, "line", { x1: left, x2: right, y1: 140, y2: 140, stroke: COLOURS.grid });
      draw(svg, "text", { x: left, y: 156 }, "a = 0");
      draw(svg, "text", { x: right, y: 156, "text-anchor": "end" }, "1");
      return {
        left, right,
        curve: draw(svg, "path", { fill: "none", stroke: colours[side], "stroke-width": 2.2 }),
        tangent: draw(svg, "line", { stroke: COLOURS.ink, "stroke-width": 1.5, "stroke-dasharray": "5 4" }),
        dot: draw(svg, "circle", { r: 5, fill: colours[side] }),
      };
    });
    const bars = ["road 1", "road 2", "bracket"].map((name, row) => {
      const y = 176 + row * 30;
      draw(svg, "text", { x: 10, y: y + 14 }, name);
      return { y, bar: draw(svg, "rect", { y, height: 18, fill: [...colours, COLOURS.ink][row] }), text: draw(svg, "text", { y: y + 14 }) };
    });
    draw(svg, "line", { x1: 216, x2: 216, y1: 170, y2: 260, stroke: COLOURS.ink });
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const A = roads.code();
    const update = () => {
      const [i, j, a, beta] = [patch.value - 1, unit.value - 1, activation.value, weight.value];
      const now = roads.bracket(A, i, j, a, beta), m = A.length;
      const grid = Array.from({ length: 81 }, (_, k) => 0.01 + 0.98 * k / 80), all = grid.map((v) => roads.bracket(A, i, j, v, beta));
      for (const [side, part, slope] of [[0, "error", now.first], [1, "penalty", now.second]]) {
        const { left, right, curve, tangent, dot } = panels[side];
        const values = all.map((v) => v[part]), low = Math.min(...values);
        const size = Math.max(0.005, ...[0, 1].map((s) => { const of = all.map((v) => v[s ? "penalty" : "error"]); return Math.max(...of) - Math.min(...of); }));
        const x = (v) => left + v * (right - left), y = (v) => 136 - (v - low) / size * 106; // one scale for both
        curve.setAttribute("d", `M${grid.map((v, k) => `${x(v).toFixed(1)} ${y(values[k]).toFixed(1)}`).join("L")}`);
        dot.setAttribute("cx", x(a));
        dot.setAttribute("cy", y(now[part]));
        for (const [end, sign] of [["1", -1], ["2", 1]]) {
          const reach = 0.16 / Math.hypot(1, slope / size * 0.67) * sign;
          tangent.setAttribute(`x${end}`, x(a + reach));
          tangent.setAttribute(`y${end}`, y(now[part] + reach * slope));
        }
      }
      const sum = now.first + now.second, most = Math.max(0.05, Math.abs(now.first), Math.abs(now.second), Math.abs(sum));
      [now.first, now.second, sum].forEach((v, row) => {
        const { bar, text } = bars[row], width = Math.abs(v) / most * 86;
        bar.setAttribute("x", v < 0 ? 216 - width : 216);
        bar.setAttribute("width", width);
        text.textContent = short(v);
        text.setAttribute("x", v < 0 ? 222 : 210);
        text.setAttribute("text-anchor", v < 0 ? "start" : "end");
      });
      const push = Math.abs(sum) < 0.002 ? "The roads cancel." : sum > 0 ? "Descent lowers this activation." : "Descent raises this activation.";
      words.textContent = `Patch ${i + 1}, unit ${j + 1}: a = ${short(a)} (the network itself says ${short(A[i][j])}), mean ρ̂ = ${short(now.mean)} of ${m} patches. Bracket: ${short(now.first)} ${now.second < 0 ? "−" : "+"} ${short(Math.abs(now.second))} = ${short(sum)}. ${push}`;
      svg.setAttribute("aria-label", `Two curves over the activation with their tangents, and the two slopes as bars. ${words.textContent}`);
    };
    const own = () => { activation.value = A[patch.value - 1][unit.value - 1]; update(); };
    const patch = slider("patch", { min: 1, max: A.length, step: 1, value: 1, say: String }, own);
    const unit = slider("unit", { min: 1, max: 2, step: 1, value: 1, say: String }, own);
    const activation = slider("activation a", { min: 0.01, max: 0.99, step: "any", value: 0.5 }, update);
    const weight = slider("weight β", { min: 0, max: 0.1, step: 0.01, value: window.exploreData.roads.sparsityWeight, say: (v) => v.toFixed(2) }, update);
    node.append(svg, patch.row, unit.row, activation.row, weight.row, words);
    own();
  }
  register({ "fig-two-roads": roadsFigure });
  window.exploreRoads = roads; // for the tests, which compare them with saelib
})();
