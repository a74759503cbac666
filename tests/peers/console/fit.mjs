// fit.mjs: whether a page fits: nothing scrolls sideways, no text is cut off or lies outside, no
// word is broken, no column is squeezed to single characters; and what it cost to load it.

/** Faults of the layout as it is now. Runs inside the page. */
export function fits() {
  const faults = new Set();
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.add(`scrolls sideways by ${root.scrollWidth - root.clientWidth} px`);
  const name = (element) => `<${element.localName}${element.className ? `.${String(element.className).trim().replace(/\s+/g, ".")}` : ""}>`;
  const hidden = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== "none" || at.getBoundingClientRect().right <= 0) return true;
    }
    return !element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const scroller = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth + 1) return at;
    }
    return null;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, text = node.data;
    if (!text.trim() || element.closest("noscript, script, svg, option, title, textarea") || hidden(element)) continue;
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter((box) => box.width > 0);
    if (lines.length === 0) continue;
    const within = scroller(element);
    if (within) {
      if (!within.matches("pre, .scroll")) faults.add(`must be scrolled sideways: ${name(within)}`);
    } else if (lines.some((box) => box.right > root.clientWidth + 1)) {
      faults.add(`lies outside: “${text.trim().slice(0, 30)}”`);
    }
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      const cuts = ["hidden", "clip"];
      if (cuts.includes(style.overflowX) && at.scrollWidth > at.clientWidth + 1 || cuts.includes(style.overflowY) && at.scrollHeight > at.clientHeight + 1) {
        faults.add(`cut off in ${name(at)}: “${text.trim().slice(0, 30)}”`);
      }
    }
    // What is meant to be read as a word stays whole; digests, addresses and ids may break.
    if (lines.length > 1 && !element.closest(".mono, .long, pre, .code, .words, .aside")) {
      for (const { 0: word, index } of text.matchAll(/[A-Za-z][A-Za-z0-9]{1,11}(?![\w./:@-])|\d{2,8}(?![\w./:@-])/g)) {
        if (index > 0 && /[\w./:@-]/.test(text[index - 1])) continue;
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const tops = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => Math.round(box.top)));
        if (tops.size > 1) faults.add(`breaks “${word}” in ${name(element)} of “${(element.closest("td, th, li, p, dd") ?? element).textContent.trim().replace(/\s+/g, " ").slice(0, 50)}”`);
      }
      const characters = text.trim().length, tops = new Set(lines.map((box) => Math.round(box.top))).size;
      if (characters >= 4 && tops >= 3 && tops > characters / 2) faults.add(`is squeezed to ${tops} lines: “${text.trim().slice(0, 20)}” in ${name(element)}`);
    }
  }
  return [...faults];
}

/** What the page weighs, in bytes: the document, its style sheet, its script; and how much of the
    layout shifted since it came. Runs inside the page. */
export async function weight() {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const needed = entries.filter((one) => one.entryType === "navigation" || ["link", "css", "script"].includes(one.initiatorType));
  const shifted = await new Promise((resolve) => {
    let sum = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
    });
    observer.observe({ type: "layout-shift", buffered: true });
    setTimeout(() => { observer.disconnect(); resolve(sum); }, 30);
  });
  return { bytes: needed.reduce((sum, one) => sum + one.encodedBodySize, 0), shifted };
}
