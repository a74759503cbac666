// pages.mjs: every page there is. Everybody follows every link that they see; a page of the table of
// routes that nobody comes to is a fault. What looks different is judged in both languages, in
// light, dark, more contrast and forced colours, at 320 px, with letters twice as large, and with
// Tab alone.
import { measure } from "./contrast.mjs";
import { STAYS, leftovers, written } from "./english.mjs";
import { fits } from "./fit.mjs";
import { tabThrough } from "./focus.mjs";
import { CONTRAST, Person } from "./people.mjs";

/** Who looks, in this order: whoever may most comes first. */
const PEOPLE = ["publisher", "branch", "author", "reviewer", "operator", "administrator", "auditor"];

/** Files, redirections, and what is not ours: no pages. */
const NO_PAGE = /^\/api\/|\/static\/|\/language\/|\/oidc\/|\/outputs\/|\/zip$|\/file\/|\/small\/|\/audit\/export$|\/tables\/\{table\}$|\/tables\/\{register\}$/;
const NO_LINK = /\/console\/(outputs|static|language|oidc)\/|\/(zip|file\/|small\/)|\/audit\/export|[?&]format=|^\/api\//;

const patternOf = (route) => new RegExp(`^${route.split("/").map((part) => (part.startsWith("{*") ? ".+" : part.startsWith("{") ? "[^/]+" : part.replace(/[.*+?^$()|[\]\\]/g, "\\$&"))).join("/")}$`);

/** What a page looks like, so that the same page with other numbers is looked at once. */
function shape() {
  const kinds = new Set();
  for (const element of document.querySelectorAll("main *")) {
    if (["form", "table", "h2", "fieldset", "iframe", "svg", "nav", "button", "select", "textarea"].includes(element.localName)) {
      const action = (element.getAttribute("action") ?? "").split("?")[0].replace(/\/[^/]*\d[^/]*/g, "/*").replace(/\/(?:b\d+|[a-z-]+@.*)(?=\/|$)/g, "/*");
      const words = element.localName === "button" ? element.textContent.replace(/[\d\s]+/g, "") : "";
      kinds.add(`${element.localName}.${element.className} ${element.name ?? ""} ${action} ${words}`);
    }
  }
  return [...kinds].sort().join("\n");
}

function links() {
  return [...document.querySelectorAll("a[href]")].map((a) => new URL(a.href)).filter((url) => url.origin === location.origin)
    .map((url) => url.pathname + url.search);
}

const short = (address) => address.replace(/^\/console\/?|^\//, "").replace(/[^\w.-]+/g, "_").slice(0, 40) || "overview";

/** Light, dark, more contrast, forced colours; small; large letters. */
async function dresses(person, label, faults) {
  const { page } = person;
  const say = (dress, list) => list.forEach((one) => faults(`${label} (${dress})`, one));
  for (const [dress, media, want] of [
    ["light", { colorScheme: "light" }, CONTRAST], ["dark", { colorScheme: "dark" }, CONTRAST],
    ["more contrast", { colorScheme: "light", contrast: "more" }, { text: 10, shapes: 4.5 }],
    ["more contrast, dark", { colorScheme: "dark", contrast: "more" }, { text: 10, shapes: 4.5 }],
    ["forced colours", { colorScheme: "dark", contrast: null, forcedColors: "active" }, { text: 7, shapes: 3 }],
  ]) {
    await page.emulateMedia(media);
    say(dress, (await page.evaluate(measure, want)).faults);
  }
  await page.emulateMedia({ forcedColors: "none", contrast: "no-preference", colorScheme: person.scheme });
  for (const [dress, width] of [["320 px", 320], ["390 px", 390], ["640 px: twice as near", 640], ["1104 px", 1104], ["1280 px", 1280]]) {
    await page.setViewportSize({ width, height: 900 });
    say(dress, await page.evaluate(fits));
  }
  // The letters of the browser's own settings, twice as large.
  const session = await person.context.newCDPSession(page);
  for (const [dress, width] of [["letters 200 %", 1280], ["letters 200 %, 390 px", 390]]) {
    await page.setViewportSize({ width, height: 900 });
    await session.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
    say(dress, await page.evaluate(fits));
    if (width === 390 && person.name === "branch") {
      // A picture of the whole page would measure it anew, with the letters as they were.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height });
      await session.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
      await person.walk.photograph({ ...person, page, width }, `${label}-large`, false);
    }
  }
  await session.send("Page.setFontSizes", { fontSizes: { standard: 16, fixed: 13 } });
  await session.detach();
  await page.setViewportSize({ width: person.width, height: person.height });
}

/** Everybody's links, as far as they lead. */
export async function pages(walk) {
  const { want } = walk;
  const routes = want.routes.filter((route) => !NO_PAGE.test(route)).map((route) => ({ route, pattern: patternOf(route), reached: 0 }));
  // The more a pattern says, the sooner it is asked.
  routes.sort((x, y) => (x.route.match(/\{/g) ?? []).length - (y.route.match(/\{/g) ?? []).length || y.route.length - x.route.length);
  const shapes = new Set();
  const values = [...written(want.folder), "请改短", "见批注", "数字有误", "讲座", "广场宣传", "总行公告"];
  const faults = (where, what) => walk.fault(where, what);
  let judged = 0, addresses = 0;

  const strange = await Person.stranger(walk, "stranger", { language: "en" });
  await visit(strange, "/console/sign-in");
  await visit(strange, want.invitations[PEOPLE[0]].slice(want.url.length), "invitation");
  for (const name of PEOPLE) {
    // By Accept-Language; the switch leads to the other one.
    const person = await Person.stranger(walk, name, { language: "en" });
    await person.page.goto(want.invitations[name]);
    await person.page.fill("[name=password]", "four quiet rivers");
    await person.page.fill("[name=again]", "four quiet rivers");
    await person.page.click("button.main");
    const todo = ["/console", ...(want.further[name] ?? [])], seen = new Set(todo), visits = new Map();
    while (todo.length) {
      const address = todo.shift();
      const route = routes.find(({ pattern }) => pattern.test(decodeURI(address.split("?")[0])));
      if (!route) { faults(`${name} ${address}`, "is in no table of routes"); continue; }
      // A few of each kind are enough: the tenth lesson looks like the first.
      const kind = `${route.route}?${[...new URLSearchParams(address.split("?")[1] ?? "").keys()].sort()}`;
      visits.set(kind, (visits.get(kind) ?? 0) + 1);
      if (visits.get(kind) > 3 && !(want.further[name] ?? []).includes(address)) continue;
      addresses += 1;
      for (const link of await visit(person, address, null, route)) {
        if (!seen.has(link) && !NO_LINK.test(link)) { seen.add(link); todo.push(link); }
      }
    }
    await person.context.close();
  }
  for (const { route, reached } of routes) if (!reached) faults(route, "nobody comes to this page: no link leads there");
  return { judged, addresses, routes: routes.length };

  async function visit(person, address, label, route) {
    const { page } = person;
    await page.goto(want.url + address);
    // A page may lead on to another one: branches' people begin at their branch.
    const there = new URL(page.url()).pathname;
    if (route && !route.pattern.test(decodeURI(there))) route = routes.find(({ pattern }) => pattern.test(decodeURI(there))) ?? route;
    if (route) route.reached += 1;
    else routes.filter(({ pattern }) => pattern.test(address)).forEach((one) => { one.reached += 1; });
    const missing = route?.route.includes("{*");
    if (!missing && person.status !== 200) faults(`${person.name} ${address}`, `status ${person.status}`);
    const found = await page.evaluate(links);
    const looks = `${route?.route ?? address}\n${await page.evaluate(shape)}`;
    if (shapes.has(looks)) return found;
    shapes.add(looks);
    judged += 1;
    const stop = label ?? short(route?.route.includes("{") ? `${route.route}${address.includes("?") ? `_${address.split("?")[1]}` : ""}` : address);
    await page.emulateMedia({ colorScheme: person.scheme });
    await person.look(`${stop}`);
    for (const one of await page.evaluate(leftovers, { stays: [...STAYS[""], ...(STAYS[route?.route] ?? [])], values })) faults(`${person.name} ${stop} (en)`, one);
    await dresses(person, stop, (where, what) => faults(`${person.name} ${where}`, what));
    for (const one of (await tabThrough(page)).faults) faults(`${person.name} ${stop} (Tab)`, one);
    if (person.name !== "stranger") {
      await inChinese(person, address, stop);
    }
    return found;
  }

  /** The same page in Chinese, by the switch's cookie, in the dark: its fit and its letters. */
  async function inChinese(person, address, stop) {
    const { page, context } = person;
    await context.addCookies([{ name: "caishi-language", value: "zh", url: want.url }]);
    await page.goto(want.url + address);
    const lang = await page.evaluate(() => document.documentElement.lang);
    if (lang !== "zh-CN") faults(`${person.name} ${stop}`, `in Chinese its language is ${lang}`);
    await dresses(Object.assign(Object.create(Object.getPrototypeOf(person)), person, { language: "zh" }), `${stop} zh`, (where, what) => faults(`${person.name} ${where}`, what));
    await page.emulateMedia({ colorScheme: "dark" });
    await walk.photograph({ ...person, page, language: "zh", scheme: "dark" }, stop);
    await page.emulateMedia({ colorScheme: person.scheme });
    await context.clearCookies({ name: "caishi-language" });
  }
}
