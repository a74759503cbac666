// walk.mjs: the day of everybody who uses the console, in Chromium, as domain stories tell it.
//
// Reads one JSON object from standard input: { url, shots, width, height, scheme, scripts, invitations:
// {person: url}, lesson }. Asks its starter for what no browser can do by writing a line “@ …” and
// waiting for a line back: “@edit” (the author mends the text), “@monday” (the slot fires and is
// delivered). Every page that is visited is photographed, judged by axe-core, and must neither
// scroll sideways nor complain to the console. Ends with one JSON object; exit 0 without faults.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";

const modules = process.env.CAISHI_NODE_MODULES;
const require = createRequire(path.join(modules, "x.js"));
const { chromium } = require("playwright-core");
const axeSource = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const want = JSON.parse((await lines.next()).value);
const ask = async (what) => {
  process.stdout.write(`@ ${what}\n`);
  const { value } = await lines.next();
  if (value !== "done") throw new Error(`${what}: ${value}`);
};

const PASSWORD = "four quiet rivers";
const faults = [], visited = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);
const browser = await chromium.launch({
  executablePath: process.env.CAISHI_CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

/** A person with a browser of their own. */
class Person {
  static async of(name) {
    const person = new Person();
    person.name = name;
    person.context = await browser.newContext({
      viewport: { width: want.width, height: want.height },
      colorScheme: want.scheme, locale: "zh-CN", javaScriptEnabled: want.scripts,
    });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(20_000);
    person.page.on("console", (message) => {
      if (message.type() === "error" && !/status of (4\d\d)/.test(message.text())) fault(name, message.text());
    });
    person.page.on("pageerror", (error) => fault(name, String(error)));
    person.page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(want.url) && !url.startsWith("data:") && !url.startsWith("about:")) fault(name, `asked ${url}`);
    });
    await person.page.goto(want.invitations[name]);
    await person.look("invitation");
    await person.page.fill("[name=password]", PASSWORD);
    await person.page.fill("[name=again]", PASSWORD);
    await person.page.click("button.main");
    await person.look("first");
    return person;
  }

  /** Signs in with name and password: days have passed, and the session with them. */
  async again() {
    await this.page.goto(`${want.url}/console`);
    await this.look("sign-in");
    await this.page.fill("[name=person]", this.name);
    await this.page.fill("[name=password]", PASSWORD);
    await this.page.click("button.main");
  }

  async go(where, label) {
    const answer = await this.page.goto(want.url + where);
    if (!answer.ok()) fault(`${this.name} ${where}`, `status ${answer.status()}`);
    await this.look(label);
  }

  /** Photograph, axe, width. axe needs scripts of its own: they run whatever the page's may. */
  async look(label) {
    const where = `${this.name} ${label} (${want.width} ${want.scheme})`;
    const page = this.page;
    visited.push(where);
    const file = `${this.name}-${label}-${want.width}-${want.scheme}.png`;
    await page.screenshot({ path: path.join(want.shots, file), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) fault(where, `scrolls sideways by ${wide} px`);
    if ((await page.locator("h1").count()) !== 1) fault(where, "not exactly one h1");
    const small = await page.evaluate(() => [...document.querySelectorAll("button, input:not([type=hidden]), select, textarea, a.button")]
      .filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()])
      .filter(([e, r]) => r.height > 0 && r.height < 24 && !["checkbox", "radio"].includes(e.type))
      .map(([e, r]) => `${e.outerHTML.slice(0, 60)} ${Math.round(r.height)} px`));
    for (const one of small) fault(where, `hard to hit: ${one}`);
    if (!want.scripts) return;
    await page.evaluate(axeSource);
    const result = await page.evaluate(() => axe.run(document, { iframes: false }));
    for (const one of result.violations) {
      fault(where, `${one.id}: ${one.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`);
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
    if (!body.includes(text)) fault(`${this.name} ${this.page.url()}`, `does not say “${text}”`);
  }

  /** Moves with Tab alone until an element that fits has the focus, then presses Enter. */
  async keys(selector, limit = 400) {
    for (let i = 0; i < limit; i++) {
      await this.page.keyboard.press("Tab");
      const here = await this.page.evaluate((s) => {
        const e = document.activeElement;
        return e?.matches(s) ? (getComputedStyle(e).outlineStyle !== "none" ? "seen" : "unseen") : "";
      }, selector);
      if (here === "unseen") fault(`${this.name} ${selector}`, "has the focus and does not show it");
      if (here) return;
    }
    throw new Error(`${this.name}: no way to ${selector} by keyboard on ${this.page.url()}`);
  }
}

/** The author hands the next slot in and comes to its number. */
async function submit(author) {
  await author.go("/console/submit", "submit");
  await author.press("form[action='/console/submit'] button.main", "job");
  for (let i = 0; i < 120; i++) {
    const link = author.page.locator("main a[href^='/console/reviews/']").first();
    if (await link.count()) {
      await author.look("job-done");
      return decodeURIComponent((await link.getAttribute("href")).split("/").pop());
    }
    if (/没有做成/.test(await author.page.locator("main").innerText())) {
      throw new Error(await author.page.locator("main").innerText());
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    await author.page.reload();
  }
  throw new Error("the submission did not come to an end");
}

const review = (number) => `/console/reviews/${encodeURIComponent(number)}`;

async function story() {
  // 5a. The author looks at the week and submits.
  const author = await Person.of("author");
  for (const [where, label] of [["/console", "overview"], ["/console/week", "week"], ["/console/week?view=month", "month"],
    ["/console/lessons", "lessons"], [`/console/lessons/${want.lesson}`, "lesson"], ["/console/campaigns", "campaigns"],
    ["/console/campaigns/edit", "campaign-new"], ["/console/account", "account"]]) await author.go(where, label);
  const first = await submit(author);

  // 5b. The reviewer comments on a line and returns it.
  const reviewer = await Person.of("reviewer");
  await reviewer.go("/console/reviews", "queue");
  await reviewer.sees("等你签");
  await reviewer.go(review(first), "review");
  await reviewer.press(".code .l:nth-of-type(3) > a", "line");
  await reviewer.page.fill("form.aside textarea", "这一行请改短");
  await reviewer.press("form.aside button.main", "commented");
  await reviewer.page.fill("textarea[name=note]", "见批注：第 3 行请改短");
  await reviewer.press("button[value=return]", "returned");
  await reviewer.sees("退回");

  // The author sees why, mends it and submits again.
  await author.go(review(first), "returned");
  await author.sees("这一行请改短");
  await author.press("#remarks form[action$='/answer'] button", "answered");
  await author.sees("改好了");
  await ask("edit");
  const second = await submit(author);
  if (second === first) fault("author", "the mended text has the number of the returned one");

  // Two people sign; the reviewer by keyboard alone.
  await reviewer.go(review(second), "review-again");
  await reviewer.sees("还没了结的批注");
  await reviewer.press("#remarks form[action$='/settle'] button", "settled");
  await reviewer.keys("button[value=approve]");
  await reviewer.page.keyboard.press("Enter");
  await reviewer.page.waitForURL(/done=approved/);
  await reviewer.look("approved");
  const coReviewer = await Person.of("co-reviewer");
  await coReviewer.go(review(second), "review");
  await coReviewer.press("button[value=approve]", "approved");
  await coReviewer.sees("已批准");

  // Monday: the slot fires and goes out by itself.
  const publisher = await Person.of("publisher");
  await publisher.go("/console/week", "week-before");
  await ask("monday");
  await publisher.again();
  await publisher.go("/console/week", "week-after");
  await publisher.go("/console/deliveries", "board");
  await publisher.sees("已送达");
  await publisher.press("a[href^='/console/deliveries/d']", "delivery");

  // 5c. The branch posts, says so and reports an event.
  const branch = await Person.of("branch");
  await branch.go("/b/b001", "today");
  await branch.press("form[action='/b/b001/confirm'] button", "posted");
  await branch.sees("已上墙");
  await branch.go("/b/b001/print", "print");
  await branch.go("/b/b001/events", "events");
  for (const [name, value] of [["title", "广场反诈宣传"], ["staff", "4"], ["audience", "120"], ["priority_audience", "60"],
    ["leaflets", "100"], ["consultations", "15"], ["online", "0"]]) {
    const field = branch.page.locator(`form[method=post] [name=${name}]`).first();
    if (await field.count()) await field.fill(value);
  }
  await branch.press("form[action^='/b/b001/events'] button.main", "reported");
  await branch.sees("广场反诈宣传");

  // Something is wrong with the lesson: it comes down everywhere.
  await publisher.go(`/console/recall?name=${want.lesson}`, "recall");
  await publisher.page.fill("textarea[name=reason]", "数字有误");
  await publisher.page.fill("input[name=confirm]", want.lesson);
  await publisher.press("form[action='/console/recall'] button.danger", "recalling");
  for (let i = 0; i < 60 && !/做完了|没有净/.test(await publisher.page.locator("main").innerText()); i++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await publisher.page.reload();
  }
  await publisher.look("recalled");
  await publisher.go("/console/branches", "branches");
  await publisher.go("/console/hotlines", "hotlines");
  await branch.go("/b/b001", "take-down");

  // 5d. The operator stops and resumes; 5e. the auditor asks.
  const operator = await Person.of("operator");
  await operator.go("/console/deliveries", "board");
  await operator.go("/console/settings/doctor", "doctor");
  const auditor = await Person.of("auditor");
  await auditor.go("/console/audit?branch=b001&day=2026-11-30", "day");
  await auditor.sees(second);
  await auditor.press("form[action$='/rendering'] button", "again");
  await auditor.sees("每个字节都和批准的一样");
  await auditor.go("/console/audit/verify", "chain");
  await auditor.sees("首尾相接");

  const administrator = await Person.of("administrator");
  await administrator.go("/console/settings", "settings");
  await administrator.go("/console/settings/people/branch", "person");
  await administrator.page.goto(`${want.url}/console/language/en?back=/console/settings`);
  await administrator.look("settings-english");
  await administrator.sees("Settings");
  await administrator.go("/console/nothing-here", "missing").catch(() => {});
}

try {
  await story();
} catch (error) {
  fault("story", error.stack || String(error));
}
await browser.close();
const missing = faults.filter((one) => !one.includes("/console/nothing-here: status 404"));
process.stdout.write(`${JSON.stringify({ visited: visited.length, faults: missing })}\n`);
process.exit(missing.length ? 1 : 0);
