// contrast.mjs: measures the contrast of everything that is seen on a page, from computed colours
// against what really lies behind it (WCAG 2.2, 1.4.6 and 1.4.11). Runs inside the page.

/** Faults as lines: text below `wanted.text`, shapes below `wanted.shapes`. */
export function measure(wanted) {
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = text.startsWith("color(") ? 255 : 1;
    return { r: numbers[0] * scale, g: numbers[1] * scale, b: numbers[2] * scale, a: numbers[3] ?? 1 };
  };
  const over = (top, bottom) => ({
    r: top.r * top.a + bottom.r * (1 - top.a), g: top.g * top.a + bottom.g * (1 - top.a),
    b: top.b * top.a + bottom.b * (1 - top.a), a: 1,
  });
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const canvas = parse(getComputedStyle(document.documentElement).backgroundColor);
  const grounds = new Map();
  const ground = (element) => {
    if (!element) return { r: 255, g: 255, b: 255, a: 1 };
    if (!grounds.has(element)) {
      const style = getComputedStyle(element);
      const own = element === document.documentElement ? canvas : parse(style.backgroundColor);
      grounds.set(element, own.a === 1 ? own : over(own, ground(element.parentElement)));
    }
    return grounds.get(element);
  };
  const seen = (element) => {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: false })) return false;
    const box = element.getBoundingClientRect();
    // Hidden from the eye, kept for those who listen; and the skip link while it waits.
    return box.width > 1 && box.height > 1 && box.right > 0 && getComputedStyle(element).clipPath === "none";
  };
  const name = (element) => {
    const text = (element.value || element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 30);
    const of = element.className ? `.${String(element.className).trim().replace(/\s+/g, ".")}` : "";
    return `<${element.localName}${of}> “${text}”`;
  };
  const faults = new Map();
  let least = Infinity, texts = 0;
  const judge = (what, front, back, least_wanted, element) => {
    const shown = over(front, back);
    const got = contrast(shown, back);
    if (what === "text") { least = Math.min(least, got); texts += 1; }
    if (got + 0.005 >= least_wanted) return;
    const key = `${what} ${getComputedStyle(element).color} on ${Object.values(back).map(Math.round)}`;
    if (!faults.has(key)) faults.set(key, `${what} ${got.toFixed(2)}:1, wanted ${least_wanted}: ${name(element)}`);
  };
  const idle = (element) => element.closest(":disabled, [aria-disabled=true]");

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const parents = new Set();
  while (walker.nextNode()) if (walker.currentNode.data.trim()) parents.add(walker.currentNode.parentElement);
  for (const element of parents) {
    if (element.closest("noscript, script, style, svg, select") || idle(element) || !seen(element)) continue;
    judge("text", parse(getComputedStyle(element).color), ground(element), wanted.text, element);
  }
  for (const element of document.querySelectorAll("td[data-label], .ticks > li, ol > li, ul:not(.list):not(.states):not(.tabs):not(.shots) > li")) {
    if (!seen(element)) continue;
    for (const part of ["::before", "::marker"]) {
      const style = getComputedStyle(element, part);
      if (part === "::before" && (style.content === "none" || style.content === "normal")) continue;
      judge("text", parse(style.color), ground(element), part === "::before" ? wanted.text : wanted.shapes, element);
    }
  }
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a.button, .tag")) {
    if (!seen(field) || idle(field)) continue;
    const style = getComputedStyle(field);
    const [own, around] = [ground(field), ground(field.parentElement)];
    const typed = !["checkbox", "radio", "file"].includes(field.type);
    if (typed && !field.matches("button, a, .tag")) {
      judge("text", parse(style.color), own, wanted.text, field);
      if (field.placeholder && !field.value) judge("text", parse(getComputedStyle(field, "::placeholder").color), own, wanted.text, field);
    }
    // What the browser draws is the browser's; a link-like button has its underline.
    if (!typed || field.matches("button.quiet")) continue;
    const edge = parse(style.borderTopColor);
    const drawn = parseFloat(style.borderTopWidth) > 0 && style.borderTopStyle !== "none";
    const filled = contrast(own, around);
    if (filled >= wanted.shapes) continue;
    judge("edge", drawn ? edge : own, around, wanted.shapes, field);
  }
  for (const here of document.querySelectorAll(".top [aria-current], .tabs [aria-current], [aria-current=step]")) {
    if (!seen(here)) continue;
    const style = getComputedStyle(here);
    const edges = ["Left", "Bottom"].filter((side) => parseFloat(style[`border${side}Width`]) > 0).map((side) => parse(style[`border${side}Color`]));
    const best = edges.sort((x, y) => contrast(over(y, ground(here)), ground(here)) - contrast(over(x, ground(here)), ground(here)))[0];
    if (best) judge("mark", best, ground(here.parentElement), wanted.shapes, here);
  }
  return { faults: [...faults.values()], least: Number(least.toFixed(2)), texts };
}
