/* One Python for one page. Nothing is asked for that does not lie beside this file. */
"use strict";

const here = new URL("./", self.location.href).href;
let pyodide, runner, packageOf, hasPhotographs;
let current = null;
const post = (message) => self.postMessage(message);

async function bytes(name) {
  const response = await fetch(here + name);
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status})`);
  return response.arrayBuffer();
}

async function boot({ runtime, packages, modules, wheel }) {
  const began = performance.now();
  const times = {};
  const mark = (name) => (times[name] = Math.round(performance.now() - began));
  post({ type: "progress", text: "Loading Python" });
  importScripts(`${here + runtime}pyodide.js`);
  const files = [...modules, "fontlist.json"].map(async (name) => [name, await bytes(name)]);
  pyodide = await self.loadPyodide({
    indexURL: here + runtime,
    checkIntegrity: true,
    env: { HOME: "/home/pyodide", MPLBACKEND: "Agg", OPENBLAS_NUM_THREADS: "1" },
  });
  mark("python");
  const lock = JSON.parse(new TextDecoder().decode(await bytes(`${runtime}pyodide-lock.json`)));
  packageOf = new Map();
  for (const [name, entry] of Object.entries(lock.packages))
    for (const module of entry.imports) packageOf.set(module.split(".")[0], name);
  post({ type: "progress", text: "Loading numpy, scipy and matplotlib" });
  await pyodide.loadPackage(packages, { messageCallback: () => {} });
  mark("packages");
  post({ type: "progress", text: "Loading saelib" });
  const target = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
  pyodide.unpackArchive(await bytes(wheel), "zip", { extractDir: target });
  pyodide.FS.mkdirTree("/live");
  for (const [name, content] of await Promise.all(files)) {
    const where = name === "fontlist.json" ? `${target}/matplotlib/` : "/live/";
    pyodide.FS.writeFile(where + name, new Uint8Array(content));
  }
  pyodide.runPython("import sys; sys.path.insert(0, '/live'); import faster; faster.install()");
  runner = pyodide.pyimport("runner");
  runner.emit = (kind, text) => post({ type: "output", cell: current, kind, text });
  runner.start();
  mark("ready");
  post({ type: "ready", times, heap: pyodide._module.HEAP8.length });
}

async function photographs() {
  if (hasPhotographs) return;
  post({ type: "progress", text: "Loading the photographs" });
  pyodide.unpackArchive(await bytes("photographs.zip"), "zip", { extractDir: "/photographs" });
  hasPhotographs = true;
}

function plan({ target, sources, skip }) {
  const given = [pyodide.toPy(sources), pyodide.toPy(skip)];
  const result = runner.plan(target, ...given);
  const order = result.toJs();
  for (const proxy of [...given, result]) proxy.destroy();
  return order;
}

async function run({ cell, source, name, stored }) {
  if (source.includes("natural_images")) await photographs();
  current = cell;
  const began = performance.now();
  const kept = stored ? pyodide.toPy(new Uint8Array(await bytes(stored))) : undefined;
  const content = kept ? kept.tobytes() : undefined;
  let outcome = runner.run(cell, source, name, content, pyodide.toPy([...packageOf.keys()]));
  // A package that only some cells need is loaded when the first of them asks for it.
  while (outcome.startsWith("missing ")) {
    const module = outcome.slice("missing ".length);
    const wanted = packageOf.get(module);
    packageOf.delete(module);
    post({ type: "progress", text: `Loading ${wanted}` });
    await pyodide.loadPackage(wanted, { messageCallback: () => {} });
    outcome = runner.run(cell, source, name, content, pyodide.toPy([...packageOf.keys()]));
  }
  kept?.destroy();
  content?.destroy?.();
  const ms = Math.round(performance.now() - began);
  return { outcome, ms, heap: pyodide._module.HEAP8.length };
}

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "boot") await boot(data);
    if (data.type === "plan") post({ type: "answer", id: data.id, order: plan(data) });
    if (data.type === "run") post({ type: "answer", id: data.id, ...(await run(data)) });
  } catch (error) {
    post({ type: "broken", id: data.id, text: String(error.message ?? error) });
  }
};
