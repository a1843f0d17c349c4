/* Two bell curves of chapter 4, whose means and widths are dragged, and what their divergence is
   made of. */
(() => {
  "use strict";

  const { COLOURS, clamp, short, element, draw, slider, drag, tick, box, register } = window.explore;

  const log = (x, mean, sd) => -(((x - mean) / sd) ** 2) / 2 - Math.log(2 * Math.PI) / 2 - Math.log(sd);
  const bell = (x, mean, sd) => Math.exp(log(x, mean, sd));
  /* KL(p ‖ q) of two Gaussians in closed form. */
  const divergence = (p, q) => Math.log(q.sd / p.sd) + (p.sd ** 2 + (p.mean - q.mean) ** 2) / (2 * q.sd ** 2) - 0.5;
  /* What is integrated, and how much of it lies above and below 0. */
  const integrand = (x, p, q) => bell(x, p.mean, p.sd) * (log(x, p.mean, p.sd) - log(x, q.mean, q.sd));
  function areas(p, q) {
    const step = 0.01;
    let [above, below] = [0, 0];
    for (let x = p.mean - 10 * p.sd; x < p.mean + 10 * p.sd; x += step) {
      const v = integrand(x, p, q) * step;
      if (v > 0) above += v;
      else below += v;
    }
    return { above, below };
  }

  function gaussiansFigure(figure) {
    const node = box(figure, "Move it: two bell curves",
      "Drag the tops to move the curves, the dots on their flanks to widen them. When is the divergence 0? Is it the same when p and q change places? What costs more: a q that is too narrow, or one that is too wide?");
    const svg = draw(node, "svg", { viewBox: "0 0 360 260", role: "img", class: "explore-plot explore-drag" });
    const [left, right, top, bottom] = [6, 354, 14, 236];
    let [low, high] = [0, 1]; // as much as the curves need
    const toX = (v) => left + (v + 4) / 8 * (right - left), toY = (v) => bottom - (v - low) / (high - low) * (bottom - top);
    const zero = draw(svg, "line", { x1: left, x2: right, stroke: COLOURS.ink, "stroke-width": 0.8 });
    for (const v of [-4, -2, 0, 2, 4]) draw(svg, "text", { x: clamp(toX(v), 14, 346), y: 254, "text-anchor": "middle" }, String(v).replace("-", "−"));
    const area = draw(svg, "path", { fill: COLOURS.penalty, "fill-opacity": 0.3, stroke: COLOURS.penalty, "stroke-width": 1.5 });
    const curves = { p: draw(svg, "path", { fill: "none", stroke: COLOURS.ink, "stroke-width": 2 }), q: draw(svg, "path", { fill: "none", stroke: COLOURS.ink, "stroke-width": 2, "stroke-dasharray": "6 4" }) };
    const names = { p: draw(svg, "text", { "text-anchor": "middle" }, "p"), q: draw(svg, "text", { "text-anchor": "middle" }, "q") };
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const at = {};
    const curve = (name) => ({ mean: at[`${name} mean`].value, sd: at[`${name} sd`].value });
    const points = (f) => Array.from({ length: 161 }, (_, k) => { const x = -4 + k / 20; return `${toX(x).toFixed(1)} ${clamp(toY(f(x)), -300, 600).toFixed(1)}`; });
    const handles = [];
    for (const name of ["p", "q"]) for (const part of ["mean", "sd"]) {
      const handle = draw(svg, "circle", { r: 8, fill: part === "mean" ? COLOURS.ink : COLOURS.ground, stroke: COLOURS.ink, "stroke-width": 2, class: "explore-grip" });
      handles.push({ handle, name, part });
      drag(handle, () => ({ clientX }) => {
        const view = svg.getBoundingClientRect();
        const x = ((clientX - view.left) / view.width * 360 - left) / (right - left) * 8 - 4;
        at[`${name} ${part}`].value = part === "mean" ? clamp(x, -3, 3) : clamp(x - curve(name).mean, 0.5, 3);
        update();
      });
    }
    function update() {
      const [p, q] = turned.value ? [curve("q"), curve("p")] : [curve("p"), curve("q")];
      const heights = Array.from({ length: 161 }, (_, k) => integrand(-4 + k / 20, p, q)), tops = [bell(0, 0, p.sd), bell(0, 0, q.sd)];
      [low, high] = [1.1 * Math.min(-0.1, ...heights), 1.1 * Math.max(0.4, ...tops, Math.min(0.8, Math.max(...heights)))];
      for (const end of ["y1", "y2"]) zero.setAttribute(end, toY(0));
      for (const name of ["p", "q"]) {
        const { mean, sd } = curve(name);
        curves[name].setAttribute("d", `M${points((x) => bell(x, mean, sd)).join("L")}`);
        names[name].setAttribute("x", toX(mean) + (name === "p" ? -16 : 16));
        names[name].setAttribute("y", toY(bell(mean, mean, sd)) - 4);
      }
      for (const { handle, name, part } of handles) {
        const { mean, sd } = curve(name), x = part === "mean" ? mean : mean + sd;
        handle.setAttribute("cx", toX(x));
        handle.setAttribute("cy", toY(bell(x, mean, sd)));
      }
      area.setAttribute("d", `M${toX(-4)} ${toY(0)}L${points((x) => integrand(x, p, q)).join("L")}L${toX(4)} ${toY(0)}Z`);
      const { above, below } = areas(p, q), value = divergence(p, q);
      const [first, second] = turned.value ? ["q", "p"] : ["p", "q"];
      words.textContent = `KL(${first} ‖ ${second}) = ${short(value)} nats: ${short(above)} above the line, less ${short(-below)} below it. The other way round it is ${short(divergence(q, p))}.`;
      svg.setAttribute("aria-label", `Two bell curves and ${first} log(${first}/${second}), shaded. ${words.textContent}`);
    }
    for (const [name, mean, sd] of [["p", 0, 1], ["q", 0.8, 1]]) {
      at[`${name} mean`] = slider(`mean of ${name}`, { min: -3, max: 3, step: 0.05, value: mean, say: (v) => v.toFixed(2).replace("-", "−") }, update);
      at[`${name} sd`] = slider(`width of ${name}`, { min: 0.5, max: 3, step: 0.05, value: sd, say: (v) => v.toFixed(2) }, update);
    }
    const turned = tick("q comes first", false, update);
    node.append(...Object.values(at).map(({ row }) => row), turned.row, words);
    update();
  }
  register({ "fig-gaussians-wide": gaussiansFigure });
  window.exploreGaussians = { divergence, areas, integrand };
})();
