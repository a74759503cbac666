// Keeps the page itself, so that a reload without the server shows the card and not the browser's
// error page. Posters are never kept here: they live in the page's memory, each with its end.

const SHELF = 'caishi-page';
const keeps = (url) => url.pathname.startsWith('/screen/') || url.pathname.startsWith('/page/') || url.pathname.startsWith('/font/');

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === 'GET' && url.origin === location.origin && keeps(url)) {
    event.respondWith(fresh(event.request, url));
  }
});

async function fresh(request, url) {
  const shelf = await caches.open(SHELF);
  const name = url.origin + url.pathname;
  try {
    const answer = await fetch(request);
    if (answer.ok) await shelf.put(name, answer.clone());
    return answer;
  } catch (error) {
    const kept = await shelf.match(name);
    if (kept) return kept;
    throw error;
  }
}
