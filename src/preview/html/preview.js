// Keeps a page as it is on disk: whenever the server says that something is new, the page is fetched
// again and the parts that differ are swapped. Nothing else moves: scroll positions, open folds and
// the focus stay. Without this script the page works all the same, read anew by hand.
"use strict";
(() => {
  const link = document.getElementById("link");
  let busy = false, again = false, shown = "";

  const say = (text) => { if (link && shown !== text) { link.textContent = text; shown = text; } };

  // A frame's own page has our origin and no scripts, so its position can be read and put back.
  const keep = (root) => {
    const kept = new Map();
    for (const frame of root.querySelectorAll("iframe[data-keep]")) {
      try { kept.set(frame.dataset.keep, frame.contentWindow.scrollY); } catch { /* Gone already. */ }
    }
    return kept;
  };
  const putBack = (root, kept) => {
    for (const frame of root.querySelectorAll("iframe[data-keep]")) {
      const top = kept.get(frame.dataset.keep);
      if (top) frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), { once: true });
    }
  };

  const swap = (old, fresh) => {
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const kept = keep(old);
    const folds = new Map([...old.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]));
    const scrolled = [...old.querySelectorAll(".scroll, .bezel, .strip, .led")].map((box) => [box.scrollLeft, box.scrollTop]);
    const now = document.importNode(fresh, true);
    for (const fold of now.querySelectorAll("details[id]")) if (folds.has(fold.id)) fold.open = folds.get(fold.id);
    putBack(now, kept);
    const top = old.scrollTop;
    old.replaceWith(now);
    now.scrollTop = top;
    now.querySelectorAll(".scroll, .bezel, .strip, .led").forEach((box, index) => {
      if (scrolled[index]) [box.scrollLeft, box.scrollTop] = scrolled[index];
    });
    if (!focus) return;
    const same = focus.id ? document.getElementById(focus.id)
      : [...now.querySelectorAll(focus.tagName)].find((one) => one.textContent === focus.textContent);
    if (same) same.focus({ preventScroll: true });
  };

  const regions = (root) => [...root.querySelectorAll("[data-region]")];
  const names = (root) => regions(root).map((region) => region.id).join(" ");

  // What the eye is on stays there, whatever grows above it.
  const still = (change) => {
    const seen = scrollY > 0 && regions(document).find((region) =>
      region.closest("#outputs, #after") && region.getBoundingClientRect().bottom > 0);
    const top = seen ? seen.getBoundingClientRect().top : 0;
    change();
    const same = seen && document.getElementById(seen.id);
    if (same) scrollBy(0, same.getBoundingClientRect().top - top);
  };

  const renew = (page) => {
    document.title = page.title;
    if (page.body.dataset.events !== document.body.dataset.events) {
      document.body.dataset.events = page.body.dataset.events ?? "";
      listen();
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      const fresh = page.getElementById(group.id);
      // Parts that come or go: their group is swapped whole.
      if (fresh && names(group) !== names(fresh)) swap(group, fresh);
    }
    for (const region of regions(document)) {
      const fresh = page.getElementById(region.id);
      if (fresh && fresh.dataset.version !== region.dataset.version) swap(region, fresh);
    }
  };

  const fetchAgain = async (address) => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(address ?? location.href, { headers: { accept: "text/html" } });
      if (answer.status < 500) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        still(() => renew(page));
      }
    } catch {
      say("预览停了：请重新运行 caishi preview");
    }
    busy = false;
    if (again) { again = false; await fetchAgain(); }
  };

  let events = null;
  const listen = () => {
    if (events) events.close();
    if (!document.body.dataset.events) return;
    events = new EventSource(document.body.dataset.events);
    let first = true;
    events.addEventListener("hello", () => {
      say("已连上，保存就更新");
      if (!first) fetchAgain();
      first = false;
    });
    events.addEventListener("new", (message) => {
      const what = JSON.parse(message.data);
      if (what.is_broken) say("保存了，但这一课读不了");
      else if (what.pending > 0) say(`文字已更新，还有 ${what.pending} 件在生成`);
      else say("已是最新");
      fetchAgain();
    });
    events.addEventListener("error", () => say("断开了，正在重连；预览停了的话请重新运行 caishi preview"));
  };

  document.addEventListener("click", (event) => {
    const anchor = event.target.closest("a[data-swap]");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    history.pushState(null, "", anchor.href);
    fetchAgain();
  });
  addEventListener("popstate", () => fetchAgain());
  document.addEventListener("change", (event) => {
    const form = event.target.closest("#look-form");
    if (!form) return;
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    history.pushState(null, "", `${form.getAttribute("action")}?${new URLSearchParams(fields)}`);
    fetchAgain();
  });

  document.documentElement.classList.add("live");
  listen();
  // What became new between the page and the first event.
  if (document.body.dataset.events) setTimeout(fetchAgain, 300);
})();
