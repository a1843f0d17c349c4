/* The network of chapter 1, forwards and back: every number of it can be moved, and each step
   shows where its number comes from. */
(() => {
  "use strict";

  const { COLOURS, sigmoid, clamp, element, draw, slider, box, drag, freshId, register } = window.explore;

  const START = { x: [0.8, 0.2], W1: [[2, -1], [1, 1]], W2: [[1, 2], [-1, 1]], b1: [-0.4, -1], b2: [-1, 0] };
  const BOTH = [0, 1];

  /* Forward pass, cost and gradient of one example whose target is itself, Eq. (1.4) to (1.7). */
  function compute({ x, W1, W2, b1, b2 }) {
    const layer = (W, b, from) => BOTH.map((j) => W[j][0] * from[0] + W[j][1] * from[1] + b[j]);
    const z2 = layer(W1, b1, x), a = z2.map(sigmoid), z3 = layer(W2, b2, a), xHat = z3.map(sigmoid);
    const cost = ((xHat[0] - x[0]) ** 2 + (xHat[1] - x[1]) ** 2) / 2;
    const delta3 = BOTH.map((k) => (xHat[k] - x[k]) * xHat[k] * (1 - xHat[k]));
    const delta2 = BOTH.map((j) => (delta3[0] * W2[0][j] + delta3[1] * W2[1][j]) * a[j] * (1 - a[j]));
    const gradient = {
      W1: BOTH.map((j) => BOTH.map((k) => delta2[j] * x[k])),
      W2: BOTH.map((k) => BOTH.map((j) => delta3[k] * a[j])),
      b1: delta2, b2: delta3,
    };
    return { z2, a, z3, xHat, cost, delta3, delta2, gradient };
  }
  const copy = (network) => JSON.parse(JSON.stringify(network));
  /* The difference quotient of the cost for one weight or bias. */
  function wiggle(network, { name, row, column }, step) {
    const [up, down] = [1, -1].map((sign) => {
      const moved = copy(network);
      if (column === undefined) moved[name][row] += sign * step;
      else moved[name][row][column] += sign * step;
      return compute(moved).cost;
    });
    return { up, down, slope: (up - down) / (2 * step) };
  }

  const SUB = ["₁", "₂"];
  const fixed = (v, digits) => v.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
  const two = (v) => fixed(v, 2), four = (v) => fixed(v, 4);
  const signed = (v) => (v < 0 ? `− ${two(-v)}` : `+ ${two(v)}`);
  const wrapped = (v, say) => (v < 0 ? `(${say(v)})` : say(v));

  /* The numbers that move: inputs, weights, biases, each with its place in the drawing. */
  const X = [34, 170, 306], Y = [84, 216], R = 27;
  const movers = [];
  for (const k of BOTH) movers.push({ name: "x", row: k, say: `input x${SUB[k]}`, at: [X[0], Y[k] + 5], low: 0, high: 1 });
  for (const [name, layer] of [["W1", 1], ["W2", 2]]) for (const to of BOTH) for (const from of BOTH) {
    const t = from === to ? 0.5 : 0.38; // off the middle, where two lines cross
    movers.push({
      name, row: to, column: from, say: `weight W⁽${"¹²"[layer - 1]}⁾${SUB[to]}${SUB[from]}`, low: -4, high: 4,
      at: [X[layer - 1] + t * (X[1] - X[0]), Y[from] + (from === to ? -8 : t * (Y[to] - Y[from]) + 5)],
    });
  }
  for (const [name, layer] of [["b1", 1], ["b2", 2]]) for (const j of BOTH)
    movers.push({ name, row: j, say: `bias b⁽${"¹²"[layer - 1]}⁾${SUB[j]}`, at: [X[layer], Y[j] - R - 9], low: -4, high: 4 });

  /* What each step computes: its number, its words, and what it is made of. A line of the drawing
     is called like its weight, a unit by its layer and row. */
  const weight = (name, row, column) => `${name}${row}${column}`;
  function stepsOf(n, c) {
    const forward = (layer, j) => {
      const [W, b, from, z, a] = layer === 1 ? [n.W1, n.b1, n.x, c.z2, c.a] : [n.W2, n.b2, c.a, c.z3, c.xHat];
      const say = layer === 1 ? two : four, [mark, out] = layer === 1 ? ["⁽²⁾", `a${SUB[j]}`] : ["⁽³⁾", `x̂${SUB[j]}`];
      return {
        unit: `u${layer}${j}`, of: [`u${layer - 1}0`, `u${layer - 1}1`, weight(`W${layer}`, j, 0), weight(`W${layer}`, j, 1), `b${layer}${j}`],
        words: `Forwards: z${mark}${SUB[j]} = ${two(W[j][0])} · ${say(from[0])} ${signed(W[j][1])} · ${say(from[1])} ${signed(b[j])} = ${four(z[j])}, and ${out} = f(${four(z[j])}) = ${four(a[j])}.`,
      };
    };
    const back2 = (k) => ({
      unit: `u2${k}`, of: [`u2${k}`, `u0${k}`],
      words: `Back: δ⁽³⁾${SUB[k]} = (${four(c.xHat[k])} − ${two(n.x[k])}) · ${four(c.xHat[k])} · (1 − ${four(c.xHat[k])}) = ${four(c.delta3[k])}: what it says less what it should say, times the slope.`,
    });
    const back1 = (j) => ({
      unit: `u1${j}`, of: ["u20", "u21", weight("W2", 0, j), weight("W2", 1, j)],
      words: `Back: δ⁽²⁾${SUB[j]} = (${two(n.W2[0][j])} · ${wrapped(c.delta3[0], four)} ${signed(n.W2[1][j])} · ${wrapped(c.delta3[1], four)}) · ${four(c.a[j])} · (1 − ${four(c.a[j])}) = ${four(c.delta2[j])}: the errors come back through the same weights.`,
    });
    return [
      { unit: "", of: [], words: `The input is (${two(n.x[0])}, ${two(n.x[1])}), and so is the target. Press Step.` },
      forward(1, 0), forward(1, 1), forward(2, 0), forward(2, 1),
      { unit: "", of: ["u20", "u21", "u00", "u01"], words: `The cost: J = ½ (${four(c.xHat[0] - n.x[0])})² + ½ (${four(c.xHat[1] - n.x[1])})² = ${four(c.cost)}.` },
      back2(0), back2(1), back1(0), back1(1),
      { unit: "", of: [], words: "The gradients stand on the lines: for each weight, the error term it leads to, times the activation it comes from. Those of the biases are the error terms." },
    ];
  }

  function networkFigure(figure) {
    const node = box(figure, "Move it: forwards and back",
      "Step forwards, then back: where does each number come from? Drag any input, weight or bias, or choose one below. Which of them, raised a little, would lower the cost? Wiggle it: is its gradient right?");
    const svg = draw(node, "svg", { viewBox: "0 0 340 268", role: "img", class: "explore-plot explore-network" });
    const network = copy(START), lines = {}, units = {}, values = {}, deltas = {}, labels = {};
    let step = 0, chosen = movers[2];
    for (const layer of BOTH) for (const to of BOTH) for (const from of BOTH)
      lines[weight(`W${layer + 1}`, to, from)] = draw(svg, "line", { x1: X[layer] + R, y1: Y[from], x2: X[layer + 1] - R, y2: Y[to] });
    ["input", "hidden", "output"].forEach((name, layer) => {
      draw(svg, "text", { x: X[layer], y: 16, "text-anchor": "middle" }, name);
      for (const j of BOTH) {
        const id = `u${layer}${j}`;
        units[id] = draw(svg, "circle", { cx: X[layer], cy: Y[j], r: R, fill: COLOURS.ground, stroke: COLOURS[name] });
        if (layer) values[id] = draw(svg, "text", { x: X[layer], y: Y[j] + 5, "text-anchor": "middle" });
        if (layer) deltas[id] = draw(svg, "text", { x: X[layer], y: Y[j] + R + 17, "text-anchor": "middle", class: "explore-delta" });
      }
    });
    movers.forEach((mover) => {
      const [x, y] = mover.at;
      const handle = draw(svg, "g", { class: "explore-handle" });
      mover.ground = draw(handle, "rect", { x: x - 21, y: y - 16, width: 42, height: 22, rx: 4 });
      mover.text = draw(handle, "text", { x, y, "text-anchor": "middle" });
      // A drag upwards raises the number; 120 pixels are its whole range.
      drag(handle, (event) => {
        choose(mover);
        const [from, at] = [get(mover), event.clientY];
        return (moved) => set(from + (at - moved.clientY) / 120 * (mover.high - mover.low));
      });
    });
    const get = ({ name, row, column }) => (column === undefined ? network[name][row] : network[name][row][column]);
    function set(value) {
      const v = Math.round(clamp(value, chosen.low, chosen.high) * 20) / 20;
      if (chosen.column === undefined) network[chosen.name][chosen.row] = v;
      else network[chosen.name][chosen.row][chosen.column] = v;
      update();
    }
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const buttons = Object.fromEntries([["step", "Step"], ["back", "Back"], ["all", "All"], ["anew", "Anew"]]
      .map(([key, text]) => [key, element("button", { type: "button" }, text)]));
    const pick = element("select", { id: freshId() }, ...movers.map((m, k) => element("option", { value: k }, m.say)));
    const table = element("dl", { class: "explore-numbers" });
    const cells = {};
    for (const name of ["J at +ε", "J at −ε", "measured", "cost J", "gradient", "apart by"]) {
      cells[name] = element("dd", {});
      table.append(element("div", {}, element("dt", {}, name), cells[name]));
    }
    const amount = slider("its value", { min: -4, max: 4, step: 0.05, value: 0, say: two }, () => set(amount.value));
    const epsilon = slider("wiggle ε", { min: -4, max: 0, step: 0.5, value: -2, say: (v) => String(Number((10 ** v).toPrecision(2))) }, () => update());
    function choose(mover) {
      chosen = mover;
      pick.value = movers.indexOf(mover);
      const input = amount.row.querySelector("input");
      [input.min, input.max] = [mover.low, mover.high];
      update();
    }
    function update() {
      const c = compute(network), steps = stepsOf(network, c), last = steps.length - 1, now = steps[step];
      amount.value = get(chosen);
      const lit = new Set([now.unit, ...now.of]);
      for (const [id, line] of Object.entries(lines)) {
        line.setAttribute("stroke", lit.has(id) ? COLOURS.ink : COLOURS.faint);
        line.setAttribute("stroke-width", lit.has(id) ? 3 : 1.5);
      }
      for (const [id, circle] of Object.entries(units)) {
        const [layer, j] = [Number(id[1]), Number(id[2])], at = layer === 1 ? 1 + j : 3 + j, late = layer === 1 ? 8 + j : 6 + j;
        circle.setAttribute("stroke-width", id === now.unit ? 5 : lit.has(id) ? 3.5 : 1.8);
        circle.setAttribute("fill", id === now.unit ? COLOURS.chosen : COLOURS.ground);
        if (!layer) continue;
        values[id].textContent = step >= at ? four((layer === 1 ? c.a : c.xHat)[j]) : "?";
        deltas[id].textContent = step >= late ? `δ ${four((layer === 1 ? c.delta2 : c.delta3)[j])}` : "";
      }
      for (const mover of movers) {
        const { name, row, column } = mover, isWeight = column !== undefined;
        const shown = step === last && isWeight;
        mover.text.textContent = shown ? four(c.gradient[name][row][column]) : two(get(mover));
        mover.text.style.fill = shown ? COLOURS.penalty : "var(--explore-text)";
        mover.text.setAttribute("font-weight", lit.has(isWeight ? weight(name, row, column) : name + row) ? 700 : 400);
        const wide = shown ? 52 : 42;
        mover.ground.setAttribute("width", wide);
        mover.ground.setAttribute("x", mover.at[0] - wide / 2);
        mover.ground.setAttribute("class", mover === chosen ? "explore-chosen" : "");
      }
      words.textContent = now.words;
      svg.setAttribute("aria-label", `Two inputs, two hidden units, two outputs, with their weights. Step ${step} of ${last}.`);
      const input = chosen.name === "x";
      const small = 10 ** epsilon.value, w = input ? null : wiggle(network, chosen, small);
      const g = input ? null : chosen.column === undefined ? c.gradient[chosen.name][chosen.row] : c.gradient[chosen.name][chosen.row][chosen.column];
      const six = (v) => fixed(v, 6);
      cells["cost J"].textContent = six(c.cost);
      cells["J at +ε"].textContent = input ? "–" : six(w.up);
      cells["J at −ε"].textContent = input ? "–" : six(w.down);
      cells["measured"].textContent = input ? "–" : six(w.slope);
      cells.gradient.textContent = input ? "–" : six(g);
      cells["apart by"].textContent = input ? "–" : Math.abs(w.slope - g).toExponential(0).replace("-", "−");
      buttons.step.disabled = buttons.all.disabled = step === last;
      buttons.back.disabled = step === 0;
    }
    const act = { step: () => { step++; }, back: () => { step--; }, all: () => { step = 10; }, anew: () => { step = 0; Object.assign(network, copy(START)); } };
    for (const [key, button] of Object.entries(buttons)) button.addEventListener("click", () => { act[key](); update(); });
    pick.addEventListener("change", () => choose(movers[pick.value]));
    node.append(element("div", { class: "explore-buttons" }, ...Object.values(buttons)), words,
      element("div", { class: "explore-row explore-pick" }, element("label", { for: pick.id }, "move and wiggle"), pick), amount.row, epsilon.row, table);
    choose(chosen);
  }
  register({ "fig-worked-backward": networkFigure });
  window.exploreNetwork = { compute, wiggle }; // for the tests, which compare them with saelib
})();
