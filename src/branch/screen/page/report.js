// Tells the server what stood on the screen: painted, not merely loaded.

const screen = document.documentElement.dataset.screen;
const page = crypto.randomUUID();
const CUT_MS = 30_000;
const pending = new Map(); // By poster; bounded by the number of posters.
let open = null;           // What stands there: { sha256, fromMs, told }.
let standing = null;
let told = '';             // What the server was last told that stands there.
let number = 0;
let flying = null;         // The report that is under way or was lost on it.
let busy = false;

function add(sha256, fromMs, untilMs, count) {
  const span = pending.get(sha256);
  if (span) {
    span.until_ms = Math.max(span.until_ms, untilMs);
    span.count += count;
    span.shown_ms += untilMs - fromMs;
  } else {
    pending.set(sha256, { sha256, from_ms: fromMs, until_ms: untilMs, count, shown_ms: untilMs - fromMs });
  }
}

function close(nowMs) {
  if (open && nowMs > open.fromMs) add(open.sha256, open.fromMs, nowMs, open.told ? 0 : 1);
}

// A poster was painted, or `null`: the card.
export function painted(sha256, at) {
  const nowMs = Math.round(at);
  close(nowMs);
  open = sha256 === null ? null : { sha256, fromMs: nowMs, told: false };
  standing = sha256;
  send();
}

// Called now and again: a poster that stays for hours is told of in pieces.
export function tick(at) {
  const nowMs = Math.round(at);
  if (open && nowMs - open.fromMs > CUT_MS) {
    close(nowMs);
    open = { sha256: open.sha256, fromMs: nowMs, told: true };
  }
  if (pending.size > 0 || told !== String(standing) || flying) send();
}

async function send() {
  if (busy) return;
  busy = true;
  try {
    if (!flying) {
      number += 1;
      flying = { screen, page, number, standing, spans: [...pending.values()] };
      pending.clear();
    }
    const answer = await fetch('/displayed', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(flying),
      signal: AbortSignal.timeout(5_000),
    });
    // What the server refuses for good would be refused again.
    if (answer.ok || answer.status === 400 || answer.status === 422) {
      told = String(flying.standing);
      flying = null;
    }
  } catch {
    // It is told again, under the same number.
  } finally {
    busy = false;
  }
}
