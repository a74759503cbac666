// Plays the posters of one screen.
//
// What is to be seen is a function of the playlist and the branch's time: which poster's turn it is,
// and which have ended. A tick compares that with what stands there and turns where they differ.
// Posters are kept in memory with the moment of their end, so playing goes on, and ends in time,
// when the server is gone.

import * as card from './card.js';
import * as report from './report.js';

const { screen, build } = document.documentElement.dataset;
const FADE_MS = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 600;
const TICK_MS = 100;
const AHEAD_MS = 2_000;     // The next poster is decoded this long before its turn.
const LEAVE_MS = FADE_MS + 2 * TICK_MS; // A poster leaves so early that it is gone at its end.
const GRACE_MS = 1_000;     // How long what left the playlist may stand while its successor loads.
const STUCK_MS = 15_000;    // A turn that takes longer will not come.
const SILENCE_MS = 25_000;  // The server gives a sign of life every ten seconds.

// What has passed since a moment. performance.now() cannot be set back; Date.now() goes on while the
// machine sleeps. The larger of the two never lets a poster stand too long.
const mark = () => ({ tick: performance.now(), wall: Date.now() });
const passed = (since) => Math.max(performance.now() - since.tick, Date.now() - since.wall);

let since = mark();         // When the playlist was told.
let told = null;            // The playlist; `null` before the first.
let changed = 0;            // performance.now() when the playlist last became another one.
const posters = new Map();  // By digest: { url, retryAt, faults, loading }.

const nowMs = () => (told ? told.now_ms + passed(since) : Date.now());
const left = (item) => item.remaining_ms - passed(since);

// --- Posters -----------------------------------------------------------------------------------

const ready = (item) => Boolean(posters.get(item.sha256)?.url);

async function load(item) {
  const poster = posters.get(item.sha256) ?? { url: null, retryAt: 0, faults: 0, loading: false };
  posters.set(item.sha256, poster);
  if (poster.url || poster.loading || performance.now() < poster.retryAt) return;
  poster.loading = true;
  try {
    const answer = await fetch(`/poster/${item.sha256}`, { signal: AbortSignal.timeout(STUCK_MS) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    poster.url = URL.createObjectURL(await answer.blob());
    if (posters.get(item.sha256) !== poster) URL.revokeObjectURL(poster.url);
  } catch {
    spoil(item.sha256);
  } finally {
    poster.loading = false;
  }
  turn();
}

// Not to be had or not to be decoded: asked for again, later and later.
function spoil(sha256) {
  const poster = posters.get(sha256);
  if (!poster) return;
  if (poster.url) URL.revokeObjectURL(poster.url);
  poster.url = null;
  poster.faults += 1;
  poster.retryAt = performance.now() + Math.min(500 * 2 ** poster.faults, 30_000);
}

function forget() {
  const wanted = new Set(told.items.map((item) => item.sha256));
  for (const [sha256, poster] of posters) {
    if (wanted.has(sha256) || sha256 === front?.sha256) continue;
    if (poster.url) URL.revokeObjectURL(poster.url);
    posters.delete(sha256);
  }
}

// --- Whose turn it is --------------------------------------------------------------------------

// The item whose turn it is in so many milliseconds, wherever this page was started: the branch's
// time modulo the length of a round.
function due(aheadMs) {
  const items = (told?.items ?? []).filter((item) => left(item) - aheadMs > LEAVE_MS);
  const round = items.reduce((sum, item) => sum + item.dwell_ms, 0);
  let at = (nowMs() + aheadMs) % round;
  return { items, item: items.find((item) => (at -= item.dwell_ms) < 0) ?? null };
}

// What should stand there now; `null` is the card.
function wanted() {
  const { items, item } = due(0);
  if (!item || ready(item)) return item;
  load(item);
  const same = items.find((other) => other.sha256 === front?.sha256);
  return same ?? items.find(ready) ?? null;
}

// --- The two layers ----------------------------------------------------------------------------

const layers = [layer(), layer()];
let front = null;           // The layer that stands there; `null` is the card.
let turning = null;         // The turn under way: { sha256, since }.
let fading = 0;             // The timer at the end of a fade.

function layer() {
  const box = document.createElement('div');
  const image = document.createElement('img');
  box.className = 'layer';
  image.draggable = false;
  box.append(image);
  document.getElementById('stage').append(box);
  return { box, image, sha256: null, decoded: null, end: null };
}

const spare = () => layers.find((other) => other !== front);

function clear(layer) {
  layer.box.className = 'layer';
  layer.box.style.transition = 'none';
  layer.box.style.opacity = '0';
  layer.image.removeAttribute('src');
  layer.image.alt = '';
  layer.sha256 = layer.decoded = layer.end = null;
}

// Ends a fade at once: what came stands there alone.
function settle() {
  clearTimeout(fading);
  fading = 0;
  if (front) {
    front.box.style.transition = 'none';
    front.box.style.opacity = '1';
  }
  clear(spare());
}

// Puts a poster into the spare layer, unseen, and decodes it.
function prepare(item) {
  const into = spare();
  if (into.sha256 === item.sha256) return into.decoded;
  if (fading) settle();
  into.sha256 = item.sha256;
  into.image.alt = item.alt;
  into.image.src = posters.get(item.sha256).url;
  into.decoded = into.image.decode().then(() => {
    if (into.sha256 === item.sha256) into.box.style.backgroundColor = edge(into.image);
  });
  into.decoded.catch(() => {});
  return into.decoded;
}

// The colour along the poster's edges, for the bars beside one of another shape.
const pot = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
function edge(image) {
  const { naturalWidth: width, naturalHeight: height } = image;
  if (width * innerHeight === height * innerWidth) return '';
  pot.canvas.width = pot.canvas.height = 1;
  const beside = width * innerHeight < height * innerWidth;
  const [w, h] = beside ? [Math.max(1, width / 100), height] : [width, Math.max(1, height / 100)];
  pot.drawImage(image, 0, 0, w, h, 0, 0, 1, 1);
  const [red, green, blue] = pot.getImageData(0, 0, 1, 1).data;
  return `rgb(${red} ${green} ${blue})`;
}

async function show(item) {
  if (turning?.sha256 === item.sha256) return;
  const mine = { sha256: item.sha256, since: performance.now() };
  turning = mine;
  if (fading && spare().sha256 !== item.sha256) settle();
  const into = spare();
  try {
    await prepare(item);
  } catch {
    clear(into);
    spoil(item.sha256);
    if (turning === mine) turning = null;
    return;
  }
  if (turning !== mine) return;
  turning = null;
  const now = wanted();
  if (now?.sha256 !== item.sha256 || into.sha256 !== item.sha256) return turn();
  reveal(into, now);
}

function reveal(into, item) {
  const from = front;
  const fade = from && !item.takeover && left({ remaining_ms: from.end }) > 0 ? FADE_MS : 0;
  front = into;
  front.end = item.remaining_ms;
  if (from) from.box.className = 'layer shown';
  into.box.className = 'layer shown front';
  into.box.style.transition = 'none';
  into.box.style.opacity = '0';
  into.box.getBoundingClientRect(); // So that the fade begins at nothing.
  into.box.style.transition = `opacity ${fade}ms linear`;
  into.box.style.opacity = '1';
  fading = setTimeout(settle, fade + TICK_MS / 2);
  // Two frames later the first has been painted. A page that is not painted gets no frames.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (front === into) report.painted(into.sha256, nowMs());
  }));
}

function hide() {
  turning = null;
  clearTimeout(fading);
  fading = 0;
  front = null;
  layers.forEach(clear);
  report.painted(null, nowMs());
}

// --- The tick ----------------------------------------------------------------------------------

function turn() {
  const item = wanted();
  if (front) {
    // Its end as the playlist of now says it, where it is still in there.
    const listed = told.items.find((other) => other.sha256 === front.sha256);
    const over = left({ remaining_ms: listed ? listed.remaining_ms : front.end }) <= 0;
    const waiting = !listed && performance.now() - changed < GRACE_MS && told.items.length > 0;
    if (over || (!item && !waiting)) hide();
    if (listed && front) front.end = listed.remaining_ms;
  }
  if (item && item.sha256 !== front?.sha256) return void show(item);
  turning = null;
  if (!fading) {
    const next = due(AHEAD_MS).item;
    if (next && ready(next) && next.sha256 !== front?.sha256) prepare(next);
  }
}

let lastTick = performance.now();
let lastFrame = performance.now();
let faults = 0;

function tick() {
  const now = performance.now();
  try {
    turn();
    told?.items.forEach(load);
    card.time(nowMs());
  } catch {
    faults += 1;
  }
  if (turning && now - turning.since > STUCK_MS) {
    spoil(turning.sha256);
    turning = null;
    faults += 1;
  }
  // After a sleep or a freeze nothing is known of the connection.
  if (now - lastTick > 10_000) connect();
  lastTick = now;
}

setInterval(tick, TICK_MS);
setInterval(() => report.tick(nowMs()), 1_000);

// --- The connection ----------------------------------------------------------------------------

let events = null;
let heard = performance.now();

function connect() {
  events?.close();
  heard = performance.now();
  events = new EventSource(`/events?screen=${encodeURIComponent(screen)}`);
  events.addEventListener('playlist', (event) => {
    heard = performance.now();
    take(JSON.parse(event.data));
  });
}

function take(playlist) {
  const names = (list) => JSON.stringify(list?.items.map((item) => [item.sha256, item.takeover]));
  if (names(playlist) !== names(told)) changed = performance.now();
  // What stands there but is no longer listed keeps its own end, counted on.
  if (front) front.end = left({ remaining_ms: front.end });
  told = playlist;
  since = mark();
  card.words(playlist);
  forget();
  turn();
  // Another edition of this page is there.
  if (playlist.build !== build) reload();
}

setInterval(() => {
  if (performance.now() - heard > SILENCE_MS || events.readyState === EventSource.CLOSED) connect();
}, 3_000);

// --- Stuck -------------------------------------------------------------------------------------

let reloading = false;
async function reload() {
  if (reloading) return;
  reloading = true;
  try {
    // Without its server a page would lose its posters.
    const answer = await fetch(location.href, { cache: 'no-store', headers: { 'x-caishi': 'alive' }, signal: AbortSignal.timeout(5_000) });
    if (answer.ok) location.reload();
  } catch {
    // Tried again when next asked.
  }
  setTimeout(() => { reloading = false; }, 30_000);
}

requestAnimationFrame(function frame() {
  lastFrame = performance.now();
  requestAnimationFrame(frame);
});
addEventListener('error', () => { faults += 1; });
addEventListener('unhandledrejection', () => { faults += 1; });
setInterval(() => {
  const unpainted = document.visibilityState === 'visible' && performance.now() - lastFrame > 60_000;
  if (unpainted || faults > 10) reload();
  faults = 0;
}, 60_000);

// --- The machine -------------------------------------------------------------------------------

async function awake() {
  try {
    await navigator.wakeLock?.request('screen');
  } catch {
    // Not granted: the system's settings decide then.
  }
}
document.addEventListener('visibilitychange', () => {
  const visible = document.visibilityState === 'visible';
  if (visible) awake();
  // What nobody can see is not displayed.
  report.painted(visible && front ? front.sha256 : null, nowMs());
});
addEventListener('contextmenu', (event) => event.preventDefault());

async function keep() {
  await navigator.serviceWorker?.register('/worker.js');
  const shelf = await caches.open('caishi-page');
  const files = ['player.css', 'card.css', 'player.js', 'card.js', 'report.js'].map((file) => `/page/${file}`);
  await shelf.addAll([location.pathname, ...files, '/font/regular.woff2', '/font/bold.woff2']);
}

awake();
connect();
tick();
addEventListener('load', () => keep().catch(() => {}));
