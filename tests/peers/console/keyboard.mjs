// keyboard.mjs: somebody who has nothing but a keyboard. No mouse, no clicks, no fields filled from
// outside: Tab, Shift+Tab, Enter, Space, arrows and letters, as fingers would press them.
import { Person, PASSWORD } from "./people.mjs";

export class Typist extends Person {
  static async of(walk, name, options = {}) {
    const person = await this.stranger(walk, name, options);
    await person.page.goto(walk.want.invitations[name]);
    await person.look("invitation");
    await person.fill("[name=password]", PASSWORD);
    await person.fill("[name=again]", PASSWORD);
    await person.choose("main button.main", "first");
    return person;
  }

  async again() {
    await this.page.goto(`${this.walk.want.url}/console`);
    await this.fill("[name=person]", this.name);
    await this.fill("[name=password]", PASSWORD);
    await this.choose("main button.main", "signed-in");
  }

  /** What has the focus, if it fits: whether the focus is seen on it. */
  async here(selector, text) {
    return this.page.evaluate(([selector, text]) => {
      const element = document.activeElement;
      const words = `${element?.innerText ?? ""} ${element?.getAttribute("aria-label") ?? ""}`;
      if (!element?.matches(selector) || (text && !words.includes(text))) return "";
      const style = getComputedStyle(element);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 ? "seen" : "unseen";
    }, [selector, text ?? ""]);
  }

  /** Moves with Tab alone until an element that fits has the focus. */
  async tab(selector, text, key = "Tab") {
    for (let i = 0; i < 400; i++) {
      const here = await this.here(selector, text);
      if (here === "unseen") this.walk.fault(this.where(selector), "has the focus and does not show it");
      if (here) return;
      await this.page.keyboard.press(key);
    }
    throw new Error(`${this.name}: no way to ${selector} ${text ?? ""} by keyboard on ${this.page.url()}`);
  }

  /** Presses a key that leads to another page. */
  async leads(key, label) {
    await Promise.all([this.page.waitForEvent("load"), this.page.keyboard.press(key)]);
    if (label) await this.look(label);
  }

  /** Goes to a link or button and presses Enter. */
  async choose(selector, label, text) {
    await this.tab(selector, text);
    await this.leads("Enter", label);
  }

  /** Past the navigation, as the skip link promises. */
  async skip() {
    await this.tab("a.skip");
    await this.page.keyboard.press("Enter");
    const inside = await this.page.evaluate(() => document.activeElement?.id === "main");
    if (!inside) this.walk.fault(this.where("skip"), "the skip link does not lead into the page");
  }

  /** Goes to a field and types, in place of what stands there. */
  async fill(selector, text) {
    await this.tab(selector);
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.type(text);
    const value = await this.page.evaluate(() => document.activeElement.value);
    if (value !== text) this.walk.fault(this.where(selector), `typed “${text}” and it has “${value}”`);
  }

  /** A day or a time, part by part, in the order in which this browser shows them. */
  async date(selector, value) {
    await this.tab(selector);
    const [year, month, day] = value.split(/[-:]/);
    const orders = day ? [`${month}${day}${year}`, `${year}${month}${day}`, `${day}${month}${year}`] : [`${year}${month}`];
    let got = "";
    for (const keys of orders) {
      for (let i = 0; i < 3; i++) await this.page.keyboard.press("ArrowLeft");
      await this.page.keyboard.type(keys);
      got = await this.page.evaluate(() => document.activeElement.value);
      if (got === value) return;
    }
    this.walk.fault(this.where(selector), `typed ${value} and it has “${got}”`);
  }

  /** Ticks or unticks. */
  async tick(selector) {
    await this.tab(selector);
    const before = await this.page.evaluate(() => document.activeElement.checked);
    await this.page.keyboard.press("Space");
    const after = await this.page.evaluate(() => document.activeElement.checked);
    if (before === after) this.walk.fault(this.where(selector), "Space does not tick it");
  }

  /** Down to the choice with this value. */
  async select(selector, value) {
    await this.tab(selector);
    for (let i = 0; i < 60; i++) {
      if (await this.page.evaluate(() => document.activeElement.value) === value) return;
      await this.page.keyboard.press("ArrowDown");
    }
    this.walk.fault(this.where(selector), `the arrows do not come to “${value}”`);
  }

  /** Opens what is folded. */
  async unfold(text) {
    await this.tab("summary", text);
    if (await this.page.evaluate(() => document.activeElement.parentElement.open)) return;
    await this.page.keyboard.press("Enter");
    const open = await this.page.evaluate(() => document.activeElement.parentElement.open);
    if (!open) this.walk.fault(this.where(text), "Enter does not open it");
  }

  /** A file by the browser's own dialogue, which the system draws. A browser under load drops a
      stroke now and then; a person presses again, and the walk does so twice. */
  async file(selector, name, bytes) {
    for (let attempt = 1; attempt <= 3; attempt++) {
      await this.tab(selector);
      const opened = this.page.waitForEvent("filechooser", { timeout: 10000 }).catch(() => null);
      await this.page.keyboard.press("Enter", { delay: 50 });
      const chooser = await opened;
      if (chooser) return chooser.setFiles({ name, mimeType: "text/csv", buffer: Buffer.from(bytes) });
    }
    this.walk.fault(this.where(selector), "Enter does not open the choice of a file");
  }

  /** The form was refused: what is wrong has the focus, or the field that is wrong; and Tab comes to
      `field` from there. */
  async refused(said, field, label) {
    const where = this.where(label);
    if (this.status < 400) this.walk.fault(where, `was not refused: ${this.status}`);
    await this.look(label);
    await this.sees(said);
    const place = await this.page.evaluate(() => {
      const element = document.activeElement;
      if (element?.closest("[role=alert]")) return "summary";
      return element?.getAttribute("aria-invalid") === "true" ? "field" : `${element?.localName}`;
    });
    if (!["summary", "field"].includes(place)) this.walk.fault(where, `the focus is on ${place}, not on what is wrong`);
    if (field) {
      await this.tab(field);
    }
  }

  /** Until the work in the background is over; its page is loaded again with the browser's key. */
  async reloaded(pattern, label) {
    return this.until(pattern, label);
  }
}
