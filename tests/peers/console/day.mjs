// day.mjs: the day of everybody who uses the console, end to end: written, returned, mended, signed,
// sent, posted, recalled, asked about.
import { Person } from "./people.mjs";

/** The author hands the next slot in and comes to its number. */
async function submit(author) {
  await author.go("/console/submit", "submit");
  await author.press("form[action='/console/submit'] button.main", "job");
  await author.until(/做完了/, "job-done");
  const link = author.page.locator("main a[href^='/console/reviews/']").first();
  return decodeURIComponent((await link.getAttribute("href")).split("/").pop());
}

const review = (number) => `/console/reviews/${encodeURIComponent(number)}`;

/** Walks it. */
export async function day(walk) {
  const { want, ask } = walk;
  // 5a. The author looks at the week and submits.
  const author = await Person.of(walk, "author");
  for (const [where, label] of [["/console", "overview"], ["/console/week", "week"], ["/console/week?view=month", "month"],
    ["/console/lessons", "lessons"], [`/console/lessons/${want.lesson}`, "lesson"], ["/console/campaigns", "campaigns"],
    ["/console/campaigns/edit", "campaign-new"], ["/console/account", "account"]]) await author.go(where, label);
  const first = await submit(author);

  // 5b. The reviewer comments on a line and returns it.
  const reviewer = await Person.of(walk, "reviewer");
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
  if (second === first) walk.fault("author", "the mended text has the number of the returned one");

  // Two people sign.
  await reviewer.go(review(second), "review-again");
  await reviewer.sees("还没了结的批注");
  await reviewer.press("#remarks form[action$='/settle'] button", "settled");
  await reviewer.press("button[value=approve]", "approved");
  const coReviewer = await Person.of(walk, "co-reviewer");
  await coReviewer.go(review(second), "review");
  await coReviewer.press("button[value=approve]", "approved");
  await coReviewer.sees("已批准");

  // Monday: the slot fires and goes out by itself.
  const publisher = await Person.of(walk, "publisher");
  await publisher.go("/console/week", "week-before");
  await ask("monday");
  await publisher.again();
  await publisher.go("/console/week", "week-after");
  await publisher.go("/console/deliveries", "board");
  await publisher.sees("已送达");
  await publisher.press("a[href^='/console/deliveries/d']", "delivery");

  // 5c. The branch posts, says so and reports an event.
  const branch = await Person.of(walk, "branch");
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
  await publisher.until(/做完了|没有净/, "recalled");
  await publisher.go("/console/branches", "branches");
  await publisher.go("/console/hotlines", "hotlines");
  await branch.go("/b/b001", "take-down");

  // 5d. The operator stops and resumes; 5e. the auditor asks.
  const operator = await Person.of(walk, "operator");
  await operator.go("/console/deliveries", "board");
  await operator.go("/console/settings/doctor", "doctor");
  const auditor = await Person.of(walk, "auditor");
  await auditor.go("/console/audit?branch=b001&day=2026-11-30", "day");
  await auditor.sees(second);
  await auditor.press("form[action$='/rendering'] button", "again");
  await auditor.sees("每个字节都和批准的一样");
  await auditor.go("/console/audit/verify", "chain");
  await auditor.sees("首尾相接");

  const administrator = await Person.of(walk, "administrator");
  await administrator.go("/console/settings", "settings");
  await administrator.go("/console/settings/people/branch", "person");
}
