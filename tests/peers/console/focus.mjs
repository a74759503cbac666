// focus.mjs: a page with nothing but Tab. Whether the skip link comes first, every control is
// reached, in the order in which it is read, shows that it has the focus, is not hidden behind
// something when it has it, and lets it go again.

/** Watches where the focus goes. Runs inside the page. */
function watch() {
  const colour = (text) => {
    const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return { r: numbers[0], g: numbers[1], b: numbers[2], a: numbers[3] ?? 1 };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const own = colour(getComputedStyle(at).backgroundColor);
      if (own.a === 1) return own;
    }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  const radios = new Set();
  const reachable = (element) => {
    if (element.tabIndex < 0 || element.disabled || element.type === "hidden" || !element.checkVisibility({ visibilityProperty: true })) return false;
    if (element.type === "radio") {
      const group = document.querySelector(`input[type=radio][name="${CSS.escape(element.name)}"]:checked`);
      if (group ? group !== element : radios.has(element.name)) return false;
      radios.add(element.name);
    }
    return true;
  };
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, iframe:not([sandbox]), [tabindex]")].filter(reachable);
  const place = new Map(all.map((element, index) => [element, index]));
  const name = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 90);
  const state = { count: all.length, order: [], faults: [], left: 0 };
  for (const element of document.querySelectorAll("[tabindex]")) {
    if (element.tabIndex > 0) state.faults.push(`positive tabindex: ${name(element)}`);
  }
  // From the very beginning, whatever took the focus when the page came.
  document.body.tabIndex = -1;
  document.body.focus({ preventScroll: true });
  document.body.removeAttribute("tabindex");
  window.scrollTo(0, 0);
  const bare = new Map(all.map((element) => {
    const { outlineStyle, outlineColor, boxShadow } = getComputedStyle(element);
    return [element, `${outlineStyle} ${outlineColor} ${boxShadow}`];
  }));
  const came = (element) => {
    if (state.order.length && !place.has(element)) return;
    state.order.push(place.get(element) ?? -1);
    const style = getComputedStyle(element);
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    if (!ring || bare.get(element) === `${style.outlineStyle} ${style.outlineColor} ${style.boxShadow}`) {
      state.faults.push(`does not show the focus: ${name(element)}`);
    } else {
      // A ring with a distance lies on what is around; one without, on the edge of both.
      const got = contrast(colour(style.outlineColor), ground(parseFloat(style.outlineOffset) < 0 ? element : element.parentElement));
      if (got < 3) state.faults.push(`the ring has ${got.toFixed(2)}:1: ${name(element)}`);
    }
    const box = element.getBoundingClientRect();
    const [x, y] = [box.left + Math.min(box.width, innerWidth - box.left) / 2, box.top + Math.min(box.height / 2, 20)];
    const over = document.elementFromPoint(x, y);
    if (!over) state.faults.push(`outside the window with the focus: ${name(element)}`);
    else if (!element.contains(over) && !over.contains(element) && !over.closest("label")?.contains(element)) {
      state.faults.push(`covered with the focus by ${name(over)}: ${name(element)}`);
    }
  };
  // A pass before this one stops watching.
  window.__focus?.ended.abort();
  const ended = new AbortController();
  document.addEventListener("focusin", (event) => came(event.target), { signal: ended.signal });
  window.addEventListener("blur", () => { if (document.activeElement?.localName === "iframe") came(document.activeElement); }, { signal: ended.signal });
  window.__focus = { state, all, name, ended };
  return all.length;
}

/** What was seen. Runs inside the page. */
function seen() {
  const { state, all, name } = window.__focus;
  const faults = [...state.faults];
  const again = state.order.indexOf(state.order[0], 1);
  const order = [...new Set(again > 0 ? state.order.slice(0, again) : state.order)];
  if (!all[order[0]]?.matches(".skip")) faults.push(`the skip link is not the first, but ${all[order[0]] ? name(all[order[0]]) : "nothing"}`);
  const missed = all.filter((_, index) => !order.includes(index));
  for (const element of missed.slice(0, 3)) faults.push(`not reached with Tab: ${name(element)} (${missed.length} of ${all.length}; the last reached: ${all[order.at(-1)] ? name(all[order.at(-1)]) : "nothing"})`);
  for (let at = 1; at < order.length; at++) {
    if (order[at] < order[at - 1]) faults.push(`the focus goes back from ${name(all[order[at - 1]])} to ${name(all[order[at]])}`);
  }
  return { faults, reached: order.length };
}

/** How far it went: whether the first one has it again, or nobody. Runs inside the page. */
function through() {
  const { state } = window.__focus;
  return state.order.indexOf(state.order[0], 1) > 0 || (state.order.length > 0 && document.activeElement === document.body);
}

/**
 * Tabs once through the page. What strokes in quick succession do not reach is tried again at a
 * person's speed, and that is what counts: a frame in a process of its own, or one that is just
 * arriving, takes or gives back the focus some moments later, and strokes in between are lost.
 */
export async function tabThrough(page) {
  await framesArrived(page);
  const quick = await pass(page, 0);
  return quick.faults.length ? pass(page, 40) : quick;
}

/** Frames that are loaded late: brings each into view and waits for it. */
async function framesArrived(page) {
  for (const frame of await page.locator("iframe").all()) {
    if (!await frame.isVisible()) continue;
    await frame.scrollIntoViewIfNeeded();
    const content = await (await frame.elementHandle()).contentFrame();
    await content?.waitForURL((url) => url.href !== "about:blank");
  }
}

/** One pass; `pause`: milliseconds after each stroke, 0 for several strokes at once. */
async function pass(page, pause) {
  const count = await page.evaluate(watch);
  // Fields for days and times take several strokes each; frames hold controls of their own.
  const most = count * 2 + 120;
  const together = pause ? 1 : Math.max(8, Math.min(count, 40));
  let strokes = 0;
  while (strokes < most) {
    for (const end = strokes + together; strokes < end; strokes++) await page.keyboard.press("Tab");
    await page.waitForTimeout(pause);
    // Between two processes nobody has the focus for a moment; at the end nobody keeps it.
    if (await page.evaluate(through)) {
      await page.waitForTimeout(pause * 5);
      if (await page.evaluate(through)) break;
    }
  }
  const result = await page.evaluate(seen);
  if (strokes >= most) result.faults.push(`the focus does not leave after ${strokes} strokes`);
  return result;
}
