/* What the reader has written and solved, kept on this device alone, and the ticks for it. */

const PREFIX = "sparse-autoencoders:";

export const store = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(PREFIX + key));
    } catch {
      return null; // a private window, or what another program has left
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(PREFIX + key);
      else localStorage.setItem(PREFIX + key, JSON.stringify(value));
    } catch {
      /* a private window: kept until the page is closed */
    }
  },
};

/* Write behind every chapter in the contents how many of its exercises are solved. */
export function tickChapters() {
  for (const link of document.querySelectorAll(".bd-sidebar-primary a.reference.internal")) {
    const page = (link.getAttribute("href") || "").replace(/\.html(#.*)?$/, "");
    const name = page === "#" || page === "" ? location.pathname.split("/").pop().replace(/\.html$/, "") : page;
    const known = store.get(`solved:${name}`);
    link.querySelector(".live-tick")?.remove();
    if (!known || !known.solved.length) continue;
    const tick = document.createElement("span");
    tick.className = "live-tick";
    tick.textContent = `✓ ${known.solved.length} of ${known.of}`;
    tick.title = "exercises solved on this device";
    link.append(" ", tick);
  }
}

tickChapters();
