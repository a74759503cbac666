// english.mjs: what a page in English still says in Chinese.
//
// All that belongs to the console itself must be English. Chinese stays, and only there: what people
// wrote (every value of the content folder and of channels.toml, and what this walk wrote itself);
// the numbers of approvals; and the places of STAYS, where the check, the channels and the ledger
// speak, whose messages have one language.
import fs from "node:fs";
import path from "node:path";

/** Where messages stand that have one language: `route`: selectors, each with who speaks there. */
export const STAYS = {
  // The bank; the other language; whoever is signed in.
  "": [".brand span", ".me a", "textarea", "pre", ".code"],
  // Who still has to sign, by the names of the steps; why a slot is held; the calendar's warning.
  "/console": ["#overview .mute", "#overview .list"],
  "/console/week": [".banner.wait", "td[data-label=State] .small", "td[data-label=Why]", "td[data-label=Lessons] .small", ".tag.wait", "th .tag"],
  "/console/week/move": [".facts dd", ".banner.alarm li"],
  "/console/submit": [".check .small", ".check .mute"],
  "/console/jobs/{id}": ["td[data-label=Detail]", "td[data-label=What]", ".list"],
  // What channels answered.
  "/console/deliveries": ["td[data-label=Next] .mute", ".banner.alarm li"],
  "/console/deliveries/{id}": ["td[data-label=What]", ".facts dd", "ul > li", "section > p", ".banner.alarm", ".next"],
  "/console/recall": ["td[data-label='What happens']", ".banner.wait li", ".banner.alarm li"],
  // Why branches must take something down; what their machines say.
  "/console/branches": ["td[data-label=State] span", ".list .mute"],
  "/console/branches/tables/{register}/preview": ["td"],
  "/b/{branch}": [".take-down p", ".list .mute", ".lesson h3"],
  "/b/{branch}/print": [".ticks", ".codes p"],
  "/b/{branch}/events": [".list p", ".fault", ".banner.alarm li"],
  "/b/{branch}/confirm/{code}": [".take-down p", ".loud"],
  "/b/{branch}/posted/{lesson}": [".take-down p", ".loud"],
  "/console/hotlines/{hotline}": [".fault", ".banner.alarm li"],
  "/console/hotlines/changes/{change}": [".list .mute"],
  // Steps, decisions, waivers, the check's findings, outputs by their names.
  "/console/reviews": ["td[data-label=Standing]", "td[data-label=Submitted]", ".list .mute"],
  "/console/reviews/{number}": ["main > .spread p", "#sign", "#looks", "#findings", "#texts", "#claims", "main > p", "nav a"],
  "/console/lessons": ["td[data-label=State] a", "td[data-label='Where it is out']"],
  "/console/lessons/{id}": ["p.mute", ".list"],
  "/console/campaigns": ["details"],
  // The campaign's name and people's, with their ids.
  "/console/campaigns/past": ["h1", "td[data-label=Who]"],
  "/console/campaigns/edit": [".small", "#plan li", ".banner.alarm li"],
  // The doctor's findings; faults of channels; what the chain keeps.
  "/console/settings/doctor": ["h2", "li"],
  "/console/settings": ["td[data-label=State]", "td[data-label=Outputs]"],
  "/console/audit": [".chain"],
  "/console/audit/chain": ["td"],
  "/console/audit/verify": ["td"],
};

/** Every value that people wrote: cells, strings, front matter. */
export function written(folder) {
  const values = new Set();
  const add = (text) => {
    const value = text.trim();
    if (value.length > 1 && /[\u3400-\u9fff]/.test(value)) values.add(value);
  };
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    if (!/^channels\.toml$|^content\/.*\.(toml|csv|md)$/.test(name)) continue;
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    for (const [, one] of text.matchAll(/"([^"\n]*)"/g)) add(one);
    for (const line of text.split("\n")) {
      if (name.endsWith(".csv")) line.split(",").forEach((cell) => cell.split(";").forEach(add));
      if (name.endsWith(".md")) add(line.replace(/^[\w-]+:\s*/, "").replace(/^["']|["']$/g, ""));
    }
  }
  return [...values].sort((x, y) => y.length - x.length);
}

/** Places of the console's own that are left in Chinese, as lines. Runs inside the page. */
export function leftovers({ stays, values }) {
  const chinese = /[\u3400-\u9fff\u3001-\u301f\uff08\uff09\uff0c\uff1a\uff1b]/;
  const faults = new Map();
  const told = (what, element, text) => {
    const key = `${what} ${text.trim().slice(0, 60)}`;
    if (!faults.has(key)) faults.set(key, `in Chinese: ${what} “${text.trim().replace(/\s+/g, " ").slice(0, 80)}” (${element.outerHTML.slice(0, 60).replace(/\s+/g, " ")})`);
  };
  const left = (text) => {
    let rest = text.replace(/宣教审〔\d+〕\d+号/g, "");
    for (const value of values) {
      if (!chinese.test(rest)) return false;
      rest = rest.replaceAll(value, "");
    }
    return chinese.test(rest);
  };
  if (document.documentElement.lang !== "en") told("lang", document.documentElement, document.documentElement.lang);
  const spared = (element) => element.closest(stays.join(", "));
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: element } = walker.currentNode;
    if (!chinese.test(data) || !element || element.closest("script")) continue;
    // Whatever stays in Chinese says so, for whoever listens to the page (WCAG 2.2, 3.1.2).
    if (/[\u3400-\u9fff]/.test(data) && !element.closest("[lang]").lang.startsWith("zh")) told("without lang", element, data);
    if (!spared(element) && left(data)) told(element.localName, element, data);
  }
  for (const element of document.querySelectorAll("[aria-label], [placeholder], [title], [alt], [data-label], [data-done]")) {
    if (spared(element)) continue;
    for (const attribute of ["aria-label", "placeholder", "title", "alt", "data-label", "data-done"]) {
      const text = element.getAttribute(attribute);
      if (text && chinese.test(text) && left(text)) told(attribute, element, text);
    }
  }
  return [...faults.values()];
}
