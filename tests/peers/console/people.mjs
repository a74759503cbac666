// people.mjs: the people of a walk. Everybody has a browser of their own, and every page they come
// to is photographed and judged: by axe-core, by its contrast, by whether it fits, by its weight.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { measure } from "./contrast.mjs";
import { fits, weight } from "./fit.mjs";

const require = createRequire(path.join(process.env.CAISHI_NODE_MODULES, "x.js"));
const { chromium } = require("playwright-core");
const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const PASSWORD = "four quiet rivers";
/** What text and shapes need. The palette promises 7:1, on every page, not only for the elderly. */
export const CONTRAST = { text: 7, shapes: 3 };
/** A page with its style sheet and script weighs less. */
export const HEAVIEST = 100 * 1024;

/** One walk: its browser, its photographs, what was wrong. */
export class Walk {
  static async begin(want, ask) {
    const walk = new Walk();
    Object.assign(walk, { want, ask, faults: [], photos: [], taken: 0 });
    walk.folder = path.join(want.shots, want.name);
    fs.rmSync(walk.folder, { recursive: true, force: true });
    fs.mkdirSync(walk.folder, { recursive: true });
    walk.browser = await chromium.launch({
      executablePath: process.env.CAISHI_CHROMIUM || "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    });
    return walk;
  }

  fault(where, what) {
    const line = `${where}: ${what}`;
    if (!this.faults.includes(line)) this.faults.push(line);
  }

  /** Keeps a picture of the whole page. */
  async photograph(person, label, fullPage = true) {
    this.taken += 1;
    const { width, scheme, language } = person;
    const file = `${String(this.taken).padStart(3, "0")}-${person.name}-${label.replaceAll(" ", "-")}.png`;
    await person.page.screenshot({ path: path.join(this.folder, file), fullPage });
    this.photos.push({ file: `${this.want.name}/${file}`, person: person.name, label, width, scheme, language, url: person.page.url().slice(this.want.url.length) });
  }
}

/** A person with a browser of their own. */
export class Person {
  /** Somebody who comes with an invitation and chooses a password. */
  static async of(walk, name, options = {}) {
    const person = await this.stranger(walk, name, options);
    await person.page.goto(walk.want.invitations[name]);
    await person.look("invitation");
    await person.page.fill("[name=password]", PASSWORD);
    await person.page.fill("[name=again]", PASSWORD);
    await person.page.click("button.main");
    await person.look("first");
    return person;
  }

  static async stranger(walk, name, options = {}) {
    const person = new this();
    const { width, height, scheme, scripts } = walk.want;
    Object.assign(person, { walk, name, width, height, scheme, scripts, language: "zh", status: 0, tags: {} }, options);
    person.context = await walk.browser.newContext({
      viewport: { width: person.width, height: person.height },
      colorScheme: person.scheme, locale: person.language === "en" ? "en-GB" : "zh-CN", javaScriptEnabled: person.scripts,
      reducedMotion: "reduce",
    });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(20_000);
    person.page.on("console", (message) => {
      if (message.type() === "error" && !/status of (4\d\d)/.test(message.text())) walk.fault(name, message.text());
    });
    person.page.on("pageerror", (error) => walk.fault(name, String(error)));
    person.page.on("response", (answer) => {
      if (answer.request().isNavigationRequest() && answer.frame() === person.page.mainFrame()) person.status = answer.status();
    });
    person.page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(walk.want.url) && !/^(data|about|blob):/.test(url)) walk.fault(name, `asked ${url}`);
    });
    return person;
  }

  where(label) {
    return `${this.name} ${label} (${this.width} ${this.scheme} ${this.language})`;
  }

  /** Signs in with name and password: days have passed, and the session with them. */
  async again() {
    await this.page.goto(`${this.walk.want.url}/console`);
    await this.look("sign-in");
    await this.page.fill("[name=person]", this.name);
    await this.page.fill("[name=password]", PASSWORD);
    await this.page.click("button.main");
  }

  async go(where, label) {
    const answer = await this.page.goto(this.walk.want.url + where);
    if (!answer.ok()) this.walk.fault(this.where(where), `status ${answer.status()}`);
    await this.look(label);
  }

  /** A photograph and all that can be judged without doing anything. */
  async look(label) {
    await this.walk.photograph(this, label);
    await this.judge(label);
    if (this.scripts) await this.axe(label);
  }

  async judge(label) {
    const { page, walk } = this, where = this.where(label);
    for (const one of await page.evaluate(fits)) walk.fault(where, one);
    if ((await page.locator("h1").count()) !== 1) walk.fault(where, "not exactly one h1");
    for (const one of (await page.evaluate(measure, CONTRAST)).faults) walk.fault(where, one);
    const small = await page.evaluate(() => [...document.querySelectorAll("button, input:not([type=hidden]), select, textarea, a.button")]
      .filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()])
      .filter(([e, r]) => r.height > 0 && r.height < 24 && !["checkbox", "radio"].includes(e.type))
      .map(([e, r]) => `${e.outerHTML.slice(0, 60)} ${Math.round(r.height)} px`));
    for (const one of small) walk.fault(where, `hard to hit: ${one}`);
    // Without scripts, no clock runs that could be waited for.
    if (!this.scripts) return;
    const { bytes, shifted } = await page.evaluate(weight);
    if (bytes >= HEAVIEST) walk.fault(where, `weighs ${bytes} bytes`);
    if (shifted >= 0.1) walk.fault(where, `the layout shifts by ${shifted.toFixed(3)}`);
  }

  /** axe needs scripts of its own. */
  async axe(label) {
    await this.page.evaluate(axeSource);
    const result = await this.page.evaluate(() => axe.run(document, { iframes: false, resultTypes: ["violations"] }));
    for (const one of result.violations) {
      this.walk.fault(this.where(label), `${one.id}: ${one.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`);
    }
  }

  async press(selector, label) {
    const target = this.page.locator(selector).first();
    if ((await target.count()) === 0) throw new Error(`${this.name}: nothing to press at ${selector} on ${this.page.url()}`);
    await Promise.all([this.page.waitForLoadState("load"), target.click()]);
    await this.page.waitForLoadState("load");
    await this.look(label);
  }

  async sees(text) {
    const body = await this.page.locator("body").innerText();
    if (!body.includes(text)) this.walk.fault(`${this.name} ${this.page.url()}`, `does not say “${text}”`);
  }

  /** Loads the page again until it says so. */
  async until(pattern, label) {
    for (let i = 0; i < 150; i++) {
      const text = await this.page.locator("main").innerText();
      if (pattern.test(text)) return this.look(label);
      if (/没有做成/.test(text)) throw new Error(text);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await this.page.reload();
    }
    throw new Error(`${this.name}: ${this.page.url()} never says ${pattern}`);
  }
}
