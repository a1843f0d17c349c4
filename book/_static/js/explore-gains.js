/* The label curves of chapter 9, with rivals switched on and off. */
(() => {
  "use strict";

  const { COLOURS, clamp, element, draw, slider, tick, box, freshId, register } = window.explore;

  /* Mean and two standard errors of the differences between two contestants, split by split. */
  function ahead(gains, one, other, place) {
    const rows = (name) => gains[name]?.[place] ?? gains[Object.keys(gains)[0]][place].map(() => 0); // all are ahead of the pixels
    const differences = rows(one).map((v, split) => v - rows(other)[split]), n = differences.length;
    const mean = differences.reduce((a, b) => a + b) / n;
    const sd = Math.sqrt(differences.reduce((s, v) => s + (v - mean) ** 2, 0) / (n - 1));
    return { mean, error: 2 * sd / Math.sqrt(n) };
  }

  function gainsFigure(figure) {
    const node = box(figure, "Move it: rivals on and off",
      "Against whom do you compare? Switch rivals on and off, and choose who is the line at 0. Bars are two standard errors. Point at a name to follow its line. Is the autoencoder ahead of what you would have used, and with how many labels?");
    const svg = draw(node, "svg", { viewBox: "0 0 360 250", role: "img", class: "explore-plot" });
    const ticks = element("div", { class: "explore-ticks" });
    const words = element("p", { class: "explore-words", "aria-live": "polite" });
    const against = element("select", { id: freshId() });
    const data = window.exploreGainsData, shown = {}; // put before this script when the book is built
    const DASHES = ["none", "7 3", "2 3", "7 3 2 3", "10 4", "4 2", "1 2"];
    // Each rival has its own dashes and its own mark, since all but one share a colour.
    const MARKS = [
      "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0 -6.8 0Z", "M-3-3h6v6h-6Z", "M0-4.4 4.4 0 0 4.4-4.4 0Z", "M0-4.4 4.2 3.2H-4.2Z",
      "M-3.2-3.2 3.2 3.2M-3.2 3.2 3.2-3.2", "M0 4.4 4.2-3.2H-4.2Z", "M-3-3h6v6h-6Z", "M-4.2 0H4.2M0-4.2V4.2",
    ];
    const HOLLOW = ["PCA", "ICA", "neighbour"];
    const look = (name) => name === "autoencoder" ? { stroke: COLOURS.hidden, "stroke-width": 3 } : name === "pixels" ? { stroke: COLOURS.input, "stroke-width": 2 } : { stroke: COLOURS.ink, "stroke-width": 1.6, "stroke-dasharray": DASHES[data.names.indexOf(name) % DASHES.length] };
    const mark = (parent, name, x, y) => draw(parent, "path", { d: MARKS[data.names.indexOf(name) % MARKS.length], transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, stroke: look(name).stroke, "stroke-width": 1.5, fill: HOLLOW.includes(name) ? COLOURS.ground : look(name).stroke });
    // Whoever points at a name, or comes to its box by the keyboard, sees its line alone.
    let lit = null;
    const light = (name) => {
      lit = name;
      const there = [...svg.querySelectorAll("g")].some((group) => group.dataset.name === name);
      for (const group of svg.querySelectorAll("g")) group.style.opacity = there && group.dataset.name !== name ? 0.18 : 1;
    };
    const follow = (node, name) => {
      for (const kind of ["pointerenter", "focusin"]) node.addEventListener(kind, () => light(name));
      for (const kind of ["pointerleave", "focusout"]) node.addEventListener(kind, (event) => event.pointerType === "touch" || light(null));
    };
    const points = (v) => v.toFixed(1).replace("-0.0", "0.0").replace("-", "−");
    function update() {
      const names = data.names.filter((name) => name !== against.value && shown[name].value);
      const found = Object.fromEntries(names.map((name) => [name, data.labels.map((_, place) => ahead(data.gains, name, against.value, place))]));
      const ends = [0, ...Object.values(found).flat().flatMap(({ mean, error }) => [mean - error, mean + error])];
      const reach = Math.max(...ends) - Math.min(...ends), edge = 0.06 * reach; // no bar ends at the frame
      const [low, high] = [Math.min(-1, Math.min(...ends) - edge), Math.max(1, Math.max(...ends) + edge)];
      const [left, right, top, bottom] = [30, 244, 8, 208];
      const x = (n) => left + 22 + (Math.log(n) - Math.log(data.labels[0])) / Math.log(data.labels.at(-1) / data.labels[0]) * (right - left - 44);
      const y = (v) => bottom - (v - low) / (high - low) * (bottom - top);
      svg.replaceChildren();
      const step = high - low > 12 ? 5 : 2;
      for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
        draw(svg, "line", { x1: left, x2: right, y1: y(v), y2: y(v), stroke: COLOURS.grid });
        draw(svg, "text", { x: left - 5, y: y(v) + 4, "text-anchor": "end" }, String(v).replace("-", "−"));
      }
      data.labels.forEach((n, place) => {
        draw(svg, "text", { x: x(n), y: bottom + 18, "text-anchor": "middle", "font-weight": place === at.value ? 700 : 400 }, n.toLocaleString("en"));
        if (place === at.value) draw(svg, "line", { x1: x(n), x2: x(n), y1: top, y2: bottom, stroke: COLOURS.grid, "stroke-width": 6 });
      });
      draw(svg, "text", { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, "labelled examples");
      draw(svg, "line", { x1: left, x2: right, y1: y(0), y2: y(0), stroke: COLOURS.input, "stroke-width": 2 });
      const groups = Object.fromEntries([...names, against.value].map((name) => [name, draw(svg, "g", { "data-name": name })]));
      names.forEach((name, k) => {
        const shift = (k - (names.length - 1) / 2) * 5.4, group = groups[name]; // so that bars do not lie on each other
        draw(group, "polyline", { fill: "none", points: found[name].map(({ mean }, place) => `${x(data.labels[place]) + shift},${y(mean)}`).join(" "), ...look(name) });
        found[name].forEach(({ mean, error }, place) => {
          const px = x(data.labels[place]) + shift;
          draw(group, "line", { x1: px, x2: px, y1: y(mean - error), y2: y(mean + error), stroke: look(name).stroke, "stroke-width": 1.2 });
          mark(group, name, px, y(mean));
        });
      });
      // Names in the order of the ends of their curves, apart from each other, and joined to them.
      const places = [...names.map((name, k) => ({ name, y: y(found[name].at(-1).mean), from: x(data.labels.at(-1)) + (k - (names.length - 1) / 2) * 5.4 + 6 })), { name: against.value, y: y(0), from: right }].sort((a, b) => a.y - b.y);
      places.forEach((place, k) => { place.at = k ? Math.max(place.y, places[k - 1].at + 15) : Math.max(place.y, top + 4); });
      const late = places.reduce((sum, place) => sum + place.at - place.y, 0) / places.length;
      const up = clamp(late, Math.max(0, places.at(-1).at - bottom - 24), Math.max(0, places[0].at - top - 4));
      for (const place of places) {
        const group = groups[place.name], ink = place.name === "autoencoder" ? "hidden-text" : place.name === against.value ? "input-text" : "ink";
        const height = place.at - up, isLine = place.name === against.value;
        draw(group, "path", { fill: "none", d: `M${place.from} ${place.y}H${right + 6}L${right + 14} ${height}H${right + 28}`, ...(isLine ? { stroke: COLOURS.input, "stroke-width": 2 } : look(place.name)), "stroke-width": 1, class: "explore-leader" });
        if (!isLine) mark(group, place.name, right + 22, height);
        follow(draw(group, "text", { x: right + 32, y: height + 4, style: `fill: var(--explore-${ink})` }, place.name), place.name);
      }
      light(lit);
      const say = names.map((name) => ({ name, ...found[name][at.value] })).sort((a, b) => b.mean - a.mean)
        .map(({ name, mean, error }) => `${name} ${points(mean)} ± ${error.toFixed(1)}`);
      words.textContent = say.length ? `With ${data.labels[at.value].toLocaleString("en")} labels, in points ahead of ${against.value}: ${say.join(", ")}.` : "All rivals are switched off.";
      svg.setAttribute("aria-label", `Points ahead of ${against.value} over the number of labelled examples. ${words.textContent}`);
    }
    const at = slider("labels", { min: 0, max: 3, step: 1, value: 2, say: (k) => ["20", "100", "300", "1,000"][k] }, update);
    against.addEventListener("change", () => { lit = null; update(); });
    node.append(element("div", { class: "explore-row explore-pick" }, element("label", { for: against.id }, "the line at 0"), against), ticks, at.row, words);
    against.append(...data.names.map((name) => element("option", { value: name }, name)));
    against.value = "pixels";
    for (const name of data.names) {
      shown[name] = tick(name, true, update);
      follow(shown[name].row, name);
      ticks.append(shown[name].row);
    }
    update();
  }
  register({ "fig-label-gains": gainsFigure });
  window.exploreGains = { ahead };
})();
