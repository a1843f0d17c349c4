/* What trains in chapter 6: the sparse autoencoder in plain JavaScript, without anything to see. */
(() => {
  "use strict";

  /* All that computes, in one function, since its text is what the worker is made of: a page that
     was opened from a folder may not load a worker from a file. */
  function engine() {
    const sigmoid = (z) => 1 / (1 + Math.exp(-z));

    /* The cost and its gradient, Eq. (4.6) and (5.5), for X with m rows of n numbers and h units.
       theta holds W1 (h × n), W2 (n × h), b1, b2, as in saelib. Four examples at a time, so that
       each weight is read once for the four. */
    function sparseObjective(X, n, h, { rho, beta, lambda }) {
      const m = X.length / n;
      const size = 2 * n * h + h + n;
      const atW2 = n * h, atB1 = 2 * n * h, atB2 = atB1 + h;
      const A = new Float64Array(m * h), mean = new Float64Array(h), push = new Float64Array(h);
      const d3 = new Float64Array(4 * n), turned = new Float64Array(n * h);

      function encode(theta) {
        mean.fill(0);
        for (let i = 0; i < m; i += 4) {
          const last = Math.min(4, m - i);
          const x0 = i * n, x1 = (last > 1 ? i + 1 : i) * n, x2 = (last > 2 ? i + 2 : i) * n, x3 = (last > 3 ? i + 3 : i) * n;
          for (let j = 0; j < h; j++) {
            const b = theta[atB1 + j], w = j * n;
            let z0 = b, z1 = b, z2 = b, z3 = b;
            for (let k = 0; k < n; k++) {
              const v = theta[w + k];
              z0 += v * X[x0 + k]; z1 += v * X[x1 + k]; z2 += v * X[x2 + k]; z3 += v * X[x3 + k];
            }
            mean[j] += A[i * h + j] = sigmoid(z0);
            if (last > 1) mean[j] += A[(i + 1) * h + j] = sigmoid(z1);
            if (last > 2) mean[j] += A[(i + 2) * h + j] = sigmoid(z2);
            if (last > 3) mean[j] += A[(i + 3) * h + j] = sigmoid(z3);
          }
        }
        for (let j = 0; j < h; j++) mean[j] /= m;
      }

      /* Writes the gradient into g and returns the three terms of the cost and their sum. */
      function evaluate(theta, g) {
        encode(theta);
        let sparsity = 0, decay = 0, squares = 0;
        for (let j = 0; j < h; j++) {
          const q = mean[j];
          sparsity += rho * Math.log(rho / q) + (1 - rho) * Math.log((1 - rho) / (1 - q));
          push[j] = beta * (-rho / q + (1 - rho) / (1 - q));
        }
        g.fill(0);
        for (let k = 0; k < n; k++) for (let j = 0; j < h; j++) turned[j * n + k] = theta[atW2 + k * h + j];
        for (let i = 0; i < m; i += 4) {
          const last = Math.min(4, m - i);
          const [r1, r2, r3] = [last > 1 ? 1 : 0, last > 2 ? 1 : 0, last > 3 ? 1 : 0]; // rows that there are
          const a0 = i * h, a1 = a0 + r1 * h, a2 = a0 + (r2 ? 2 * h : 0), a3 = a0 + (r3 ? 3 * h : 0);
          const x0 = i * n, x1 = x0 + r1 * n, x2 = x0 + (r2 ? 2 * n : 0), x3 = x0 + (r3 ? 3 * n : 0);
          for (let k = 0; k < n; k++) {
            const b = theta[atB2 + k], w = atW2 + k * h;
            let z0 = b, z1 = b, z2 = b, z3 = b;
            for (let j = 0; j < h; j++) {
              const v = theta[w + j];
              z0 += v * A[a0 + j]; z1 += v * A[a1 + j]; z2 += v * A[a2 + j]; z3 += v * A[a3 + j];
            }
            const y0 = sigmoid(z0), y1 = sigmoid(z1), y2 = sigmoid(z2), y3 = sigmoid(z3);
            const e0 = y0 - X[x0 + k], e1 = r1 * (y1 - X[x1 + k]), e2 = r2 * (y2 - X[x2 + k]), e3 = r3 * (y3 - X[x3 + k]);
            squares += e0 * e0 + e1 * e1 + e2 * e2 + e3 * e3;
            const p0 = e0 * y0 * (1 - y0), p1 = e1 * y1 * (1 - y1), p2 = e2 * y2 * (1 - y2), p3 = e3 * y3 * (1 - y3);
            d3[k] = p0; d3[n + k] = p1; d3[2 * n + k] = p2; d3[3 * n + k] = p3;
            g[atB2 + k] += p0 + p1 + p2 + p3;
            for (let j = 0; j < h; j++) g[w + j] += p0 * A[a0 + j] + p1 * A[a1 + j] + p2 * A[a2 + j] + p3 * A[a3 + j];
          }
          for (let j = 0; j < h; j++) {
            const w = j * n, p = push[j];
            let s0 = p, s1 = p, s2 = p, s3 = p;
            for (let k = 0; k < n; k++) {
              const v = turned[w + k];
              s0 += v * d3[k]; s1 += v * d3[n + k]; s2 += v * d3[2 * n + k]; s3 += v * d3[3 * n + k];
            }
            s0 *= A[a0 + j] * (1 - A[a0 + j]);
            s1 *= r1 * A[a1 + j] * (1 - A[a1 + j]);
            s2 *= r2 * A[a2 + j] * (1 - A[a2 + j]);
            s3 *= r3 * A[a3 + j] * (1 - A[a3 + j]);
            g[atB1 + j] += s0 + s1 + s2 + s3;
            for (let k = 0; k < n; k++) g[w + k] += s0 * X[x0 + k] + s1 * X[x1 + k] + s2 * X[x2 + k] + s3 * X[x3 + k];
          }
        }
        for (let k = 0; k < size; k++) {
          g[k] /= m;
          if (k < atB1) { decay += theta[k] * theta[k]; g[k] += lambda * theta[k]; }
        }
        const terms = { reconstruction: squares / (2 * m), decay: lambda / 2 * decay, sparsity: beta * sparsity };
        terms.cost = terms.reconstruction + terms.decay + (beta ? terms.sparsity : 0);
        return terms;
      }
      return { size, evaluate, mean };
    }

    /* Random numbers from a seed, uniform in [0, 1): mulberry32. */
    function uniform(seed) {
      let state = seed >>> 0;
      return () => {
        state = (state + 0x6D2B79F5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
      };
    }

    /* Eq. (6.3): weights uniform in ±sqrt(6 / (n + h + 1)), biases 0. */
    function start(n, h, seed) {
      const theta = new Float64Array(2 * n * h + h + n), random = uniform(seed), r = Math.sqrt(6 / (n + h + 1));
      for (let k = 0; k < 2 * n * h; k++) theta[k] = r * (2 * random() - 1);
      return theta;
    }

    const dot = (a, b) => { let s = 0; for (let k = 0; k < a.length; k++) s += a[k] * b[k]; return s; };

    /* L-BFGS with twenty pairs, one iteration at a time; ends where no step lowers the cost. */
    function* lbfgs(objective, theta) {
      const { size } = objective, pairs = [];
      let g = new Float64Array(size), terms = objective.evaluate(theta, g);
      for (let iteration = 1; ; iteration++) {
        const d = g.map((v) => -v), alphas = [];
        for (let p = pairs.length - 1; p >= 0; p--) {
          const { s, y, sy } = pairs[p], alpha = dot(s, d) / sy;
          alphas[p] = alpha;
          for (let k = 0; k < size; k++) d[k] -= alpha * y[k];
        }
        if (pairs.length) {
          const { y, sy } = pairs.at(-1), scale = sy / dot(y, y);
          for (let k = 0; k < size; k++) d[k] *= scale;
        }
        pairs.forEach(({ s, y, sy }, p) => {
          const shift = alphas[p] - dot(y, d) / sy;
          for (let k = 0; k < size; k++) d[k] += shift * s[k];
        });
        const slope = dot(g, d);
        if (!(slope < 0) || dot(g, g) < 1e-14) return;
        // A step that lowers the cost enough and leaves less of the slope: the conditions of Wolfe.
        let step = pairs.length ? 1 : Math.min(1, 1 / Math.sqrt(dot(g, g))), low = 0, high = Infinity, found = null;
        for (let trial = 0; trial < 30; trial++) {
          const next = theta.map((v, k) => v + step * d[k]), after = new Float64Array(size);
          const t = objective.evaluate(next, after), along = dot(after, d);
          if (!(t.cost <= terms.cost + 1e-3 * step * slope)) {
            high = step; // a parabola through both costs and the slope, kept away from the ends
            const bend = 2 * (t.cost - terms.cost - step * slope);
            const best = low === 0 && bend > 0 ? -slope * step * step / bend : (low + high) / 2;
            step = Math.min(Math.max(best, low + 0.1 * (high - low)), low + 0.5 * (high - low));
          } else {
            found = { next, after, t };
            if (along >= 0.9 * slope) break;
            low = step;
            step = high < Infinity ? (low + high) / 2 : 2 * step;
          }
        }
        if (!found) {
          if (!pairs.length) return;
          pairs.length = 0; // forget the curvature and try the plain gradient
          continue;
        }
        const s = found.next.map((v, k) => v - theta[k]), y = found.after.map((v, k) => v - g[k]), sy = dot(s, y);
        const gain = terms.cost - found.t.cost;
        ({ next: theta, after: g, t: terms } = found);
        if (sy > 1e-12 * dot(y, y)) pairs.push({ s, y, sy });
        if (pairs.length > 20) pairs.shift();
        yield { iteration, theta, terms };
        if (gain <= 1e-12 * Math.abs(terms.cost)) return;
      }
    }

    /* Which filters a Gabor function fits so well that they count as edges: `saelib.edge_like`. */
    function edgeCounter(side, edgeR2) {
      const n = side * side;
      function shape([x, y, turn, f, logWidth, logLength], even, odd) {
        const c = Math.cos(turn), s = Math.sin(turn), w = -0.5 * Math.exp(-2 * logWidth), l = -0.5 * Math.exp(-2 * logLength);
        let me = 0, mo = 0;
        for (let k = 0; k < n; k++) {
          const q = k % side - x, p = (k - k % side) / side - y, u = q * c + p * s, v = p * c - q * s;
          const window = Math.exp(w * u * u + l * v * v), angle = 2 * Math.PI * f * u;
          me += even[k] = window * Math.cos(angle);
          mo += odd[k] = window * Math.sin(angle);
        }
        for (let k = 0; k < n; k++) { even[k] -= me / n; odd[k] -= mo / n; }
        const length = Math.sqrt(dot(even, even)) || 1, whole = Math.sqrt(dot(odd, odd));
        for (let k = 0; k < n; k++) even[k] /= length;
        const along = dot(even, odd);
        for (let k = 0; k < n; k++) odd[k] -= along * even[k];
        const rest = Math.sqrt(dot(odd, odd)), usable = rest > 1e-9 * Math.max(1, whole);
        for (let k = 0; k < n; k++) odd[k] = usable ? odd[k] / rest : 0;
      }
      const even = new Float64Array(n), odd = new Float64Array(n);
      const shapes = [], pairs = [];
      for (let o = 0; o < 8; o++) for (const f of [0.06, 0.1, 0.16, 0.24, 0.34]) for (const d of [8, 5, 3]) for (const aspect of [1, 1.8])
        for (let x = 0; x < side; x++) for (let y = 0; y < side; y++)
          shapes.push([x, y, o * Math.PI / 8, f, Math.log(side / d), Math.log(aspect * side / d)]);
      for (const each of shapes) {
        shape(each, even, odd);
        pairs.push(Float32Array.from([...even, ...odd]));
      }
      const residual = (w, p, r) => {
        shape(p, even, odd);
        const a = dot(even, w), b = dot(odd, w);
        let left = 0;
        for (let k = 0; k < n; k++) { r[k] = w[k] - a * even[k] - b * odd[k]; left += r[k] * r[k]; }
        return left;
      };
      const low = [-1, -1, -Infinity, 0.01, Math.log(0.5), Math.log(0.5)];
      const high = [side, side, Infinity, 0.5, Math.log(2 * side), Math.log(2 * side)];
      const within = (p) => p.map((v, q) => Math.min(high[q], Math.max(low[q], v)));

      /* Levenberg-Marquardt from the best shape of the grid; what the fit explains. */
      function explained(w) {
        let best = 0, most = -1;
        for (let p = 0; p < pairs.length; p++) {
          const pair = pairs[p];
          let a = 0, b = 0;
          for (let k = 0; k < n; k++) { a += pair[k] * w[k]; b += pair[n + k] * w[k]; }
          if (a * a + b * b > most) { most = a * a + b * b; best = p; }
        }
        const r = new Float64Array(n), moved = new Float64Array(n), J = shapes[0].map(() => new Float64Array(n));
        let p = within(shapes[best]), left = residual(w, p, r), damp = 1;
        for (let round = 0; round < 60; round++) {
          for (let q = 0; q < 6; q++) {
            const aside = p.slice(), h = p[q] + 1e-6 > high[q] ? -1e-6 : 1e-6;
            aside[q] += h;
            residual(w, aside, moved);
            for (let k = 0; k < n; k++) J[q][k] = (moved[k] - r[k]) / h;
          }
          // A number at its bound that would go beyond it stays where it is.
          const slope = J.map((column) => dot(column, r));
          const free = [0, 1, 2, 3, 4, 5].filter((q) => !(p[q] >= high[q] && slope[q] < 0) && !(p[q] <= low[q] && slope[q] > 0));
          let better = false;
          for (let trial = 0; trial < 8 && !better; trial++) {
            const M = free.map((a) => [...free.map((b) => dot(J[a], J[b]) * (a === b ? 1 + damp : 1) + (a === b ? 1e-12 : 0)), -slope[a]]);
            const change = solve(M), next = p.slice();
            free.forEach((q, at) => { next[q] += change[at]; });
            const there = within(next), rest = residual(w, there, moved);
            if (rest < left) {
              better = left - rest > 1e-8 * left;
              p = there; left = rest; r.set(moved); damp = Math.max(damp / 5, 1e-9);
              if (!better) return 1 - left;
            } else damp *= 5;
          }
          if (!better) break;
        }
        return 1 - left;
      }
      function solve(M) {
        const s = M.length;
        for (let c = 0; c < s; c++) {
          for (let r = c + 1; r < s; r++) {
            const f = M[r][c] / M[c][c];
            for (let k = c; k <= s; k++) M[r][k] -= f * M[c][k];
          }
        }
        for (let c = s - 1; c >= 0; c--) {
          for (let k = c + 1; k < s; k++) M[c][s] -= M[c][k] * M[k][s];
          M[c][s] /= M[c][c];
        }
        return M.map((row) => row[s]);
      }

      // How much less the unit answers to gratings at right angles to the best ones.
      const waves = [];
      for (let o = 0; o < 36; o++) for (let f = 0; f < 24; f++) {
        const turn = o * Math.PI / 36, nu = 0.02 + 0.48 * f / 23, re = new Float64Array(n), im = new Float64Array(n);
        for (let k = 0; k < n; k++) {
          const angle = 2 * Math.PI * nu * (Math.cos(turn) * (k % side) + Math.sin(turn) * Math.floor(k / side));
          re[k] = Math.cos(angle); im[k] = Math.sin(angle);
        }
        waves.push([re, im]);
      }
      function selectivity(w) {
        const answers = waves.map(([re, im]) => Math.hypot(dot(re, w), dot(im, w)));
        const best = answers.indexOf(Math.max(...answers));
        return answers[best] > 0 ? 1 - answers[(best + 18 * 24) % (36 * 24)] / answers[best] : 0;
      }
      function flat(filter) {
        let mean = 0;
        for (let k = 0; k < n; k++) mean += filter[k] / n;
        const w = Float64Array.from(filter, (v) => v - mean), length = Math.sqrt(dot(w, w));
        return length <= 1e-12 * Math.sqrt(dot(filter, filter)) ? null : w.map((v) => v / length);
      }
      const r2 = (filter) => { const w = flat(filter); return w ? explained(w) : 0; };
      const isEdge = (filter) => { const w = flat(filter); return Boolean(w) && selectivity(w) >= 0.5 && explained(w) >= edgeR2; };
      return { r2, isEdge, count: (W1, h) => { let edges = 0; for (let j = 0; j < h; j++) edges += isEdge(W1.subarray(j * n, (j + 1) * n)); return edges; } };
    }

    /* A cosine transform of the columns, or back; then the other side by turning the picture. */
    function cosines(image, height, width, back) {
      const table = new Float64Array(height * height), result = new Float64Array(height * width);
      for (let f = 0; f < height; f++) for (let i = 0; i < height; i++)
        table[back ? i * height + f : f * height + i] = Math.sqrt((f ? 2 : 1) / height) * Math.cos(Math.PI * (i + 0.5) * f / height);
      for (let r = 0; r < height; r++) for (let i = 0; i < height; i++) {
        const t = table[r * height + i], to = r * width, from = i * width;
        for (let c = 0; c < width; c++) result[to + c] += t * image[from + c];
      }
      return result;
    }
    const turn = (image, height, width) => image.map((_, k) => image[(k % height) * width + Math.floor(k / height)]);

    /* Eq. (6.1), with the mirror image beyond the border, as `saelib.whiten`. */
    function whiten(image, height, width) {
      const mean = image.reduce((s, v) => s + v, 0) / image.length;
      const both = (picture, back) => turn(cosines(turn(cosines(picture, height, width, back), height, width), width, height, back), width, height);
      const waves = both(image.map((v) => v - mean), false);
      for (let k = 0; k < waves.length; k++) {
        const f = Math.hypot(Math.floor(k / width) / (2 * height), (k % width) / (2 * width));
        waves[k] *= f * Math.exp(-((f / 0.4) ** 4));
      }
      const white = both(waves, true), centre = white.reduce((s, v) => s + v, 0) / white.length;
      const sd = Math.sqrt(white.reduce((s, v) => s + (v - centre) ** 2, 0) / white.length);
      return white.map((v) => v / sd);
    }

    /* Eq. (6.2): own mean away, clipped at three standard deviations, brought to 0.1 to 0.9. */
    function normalize(patches, n) {
      const X = Float64Array.from(patches);
      for (let i = 0; i < X.length; i += n) {
        let mean = 0;
        for (let k = 0; k < n; k++) mean += X[i + k] / n;
        for (let k = 0; k < n; k++) X[i + k] -= mean;
      }
      const limit = 3 * Math.sqrt(dot(X, X) / X.length);
      return X.map((v) => 0.1 + 0.4 * (1 + Math.min(limit, Math.max(-limit, v)) / limit));
    }

    function cut(image, height, width, side, count, seed) {
      const random = uniform(seed), patches = new Float64Array(count * side * side);
      for (let i = 0; i < count; i++) {
        const top = Math.floor(random() * (height - side + 1)), left = Math.floor(random() * (width - side + 1));
        for (let k = 0; k < side * side; k++)
          patches[i * side * side + k] = image[(top + Math.floor(k / side)) * width + left + k % side];
      }
      return patches;
    }
    return { sparseObjective, start, lbfgs, edgeCounter, whiten, normalize, cut };
  }

  /* What the worker does with it: a run in slices of a few hundredths of a second, so that it
     hears the page between two of them. */
  function work(post, tools) {
    let run = null, data = null, counter = null, going = false;
    const every = 20; // iterations between two counts of edges
    function tell(state, done) {
      const W1 = Float32Array.from(state.theta.subarray(0, run.n * run.h));
      const message = { id: run.id, iteration: state.iteration, terms: state.terms, W1, done };
      if (done || state.iteration % every === 0 || state.iteration === 0) {
        counter ??= tools.edgeCounter(run.side, run.edgeR2);
        message.edges = counter.count(W1, run.h);
        message.mean = run.objective.mean.reduce((s, v) => s + v, 0) / run.h;
      }
      post(message);
    }
    function slice() {
      if (!going) return;
      const end = performance.now() + 60;
      do {
        const { value, done } = run.steps.next();
        if (done) { going = false; tell(run.state, "converged"); return; }
        run.state = value;
        if (value.iteration >= run.until) { going = false; tell(value, "until"); return; }
        if (value.iteration % every === 0) break;
      } while (performance.now() < end);
      tell(run.state, "");
      setTimeout(slice, 0);
    }
    return (message) => {
      if (message.image) {
        const { grey, height, width, side, count } = message.image;
        data = tools.normalize(tools.cut(tools.whiten(grey, height, width), height, width, side, count, 1), side * side);
      }
      if (message.X) data = message.X;
      if (message.pause) going = false;
      if (message.start) {
        const { id, side, h, settings, seed, until, edgeR2 } = message.start, n = side * side;
        const objective = tools.sparseObjective(data, n, h, settings), theta = tools.start(n, h, seed);
        const terms = objective.evaluate(theta, new Float64Array(objective.size));
        run = { id, side, n, h, edgeR2, objective, until, state: { iteration: 0, theta, terms }, steps: tools.lbfgs(objective, theta) };
        tell(run.state, "");
        going = true;
      }
      if (message.until) { run.until = message.until; going = true; }
      if (going) setTimeout(slice, 0);
    };
  }

  window.exploreEngine = { engine, work };
})();
