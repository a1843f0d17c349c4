/* Keep what the reader has loaded, once the code of a page has been run: a service worker.

   Python itself never changes under its address and is taken from what was kept. Everything else
   is asked for as ever, and taken from there only when there is no network. */
"use strict";

const NAME = "sparse-autoencoders";
const FOREVER = /\/_static\/live\/runtime\//;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const own = (event.data.keep ?? []).filter((url) => new URL(url).origin === self.location.origin);
  event.waitUntil(
    caches.open(NAME).then((cache) =>
      Promise.all(own.map(async (url) => (await cache.match(url)) ?? cache.add(url).catch(() => {}))),
    ),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(NAME);
  if (FOREVER.test(request.url)) {
    const kept = await cache.match(request);
    if (kept) return kept;
  }
  try {
    const response = await fetch(request);
    if (response.status === 200) await cache.put(request, response.clone()).catch(() => {}); // no room
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
