// keys.mjs: the main deeds of every role, with nothing but the keyboard, each refused once where it
// can be: what is wrong must have the focus then.
import { Typist } from "./keyboard.mjs";

/** From the overview to the review's number, through the navigation. */
async function submit(author) {
  await author.choose("nav a", "week", "排期");
  await author.skip();
  await author.choose("main a.button.main", "submit", "送审");
  await author.skip();
  await author.choose("form[action='/console/submit'] button.main", "job");
  await author.until(/做完了/, "job-done");
  await author.choose("main a[href^='/console/reviews/']", "submitted");
  return decodeURIComponent(author.page.url().split("/").pop());
}

/** From the queue to a review. */
async function review(person, number, label) {
  await person.choose("nav a", "queue", "审批");
  await person.skip();
  await person.choose("main a[href^='/console/reviews/']", label, number);
}

async function reviewing(walk) {
  const author = await Typist.of(walk, "author");
  await author.choose(".me a", "english", "English");
  await author.sees("Overview");
  await author.choose(".me a", "chinese", "中文");
  const first = await submit(author);

  const reviewer = await Typist.of(walk, "reviewer");
  await review(reviewer, first, "review");
  await reviewer.tab("button[value=return]");
  await reviewer.leads("Enter");
  await reviewer.refused("退回要写明原因", null, "returned-without-reason");
  await reviewer.choose(".code .l > a", "line", "3");
  await reviewer.fill("form.aside textarea", "这一行请改短");
  await reviewer.choose("form.aside button.main", "commented");
  await reviewer.fill("textarea[name=note]", "见批注：第 3 行请改短");
  await reviewer.choose("button[value=return]", "returned");
  await reviewer.sees("退回");

  await review(author, first, "returned");
  await author.choose("#remarks form[action$='/answer'] button", "answered");
  await walk.ask("edit");
  await author.choose("nav a", "overview", "总览");
  const second = await submit(author);
  await review(reviewer, second, "review-again");
  await reviewer.choose("#remarks form[action$='/settle'] button", "settled");
  await reviewer.choose("button[value=approve]", "approved");
  const coReviewer = await Typist.of(walk, "co-reviewer");
  await review(coReviewer, second, "review");
  await coReviewer.tab("button[value=return]");
  await coReviewer.tab("button[value=approve]", "", "Shift+Tab");
  await coReviewer.leads("Enter", "approved");
  await coReviewer.sees("已批准");
  await author.choose("button.quiet", "signed-out", "退出");
  await author.sees("登录");
}

async function moving(publisher) {
  await publisher.choose("nav a", "week", "排期");
  await publisher.choose("main a.button", "next-week", "后");
  await publisher.choose("main a[href*='/week/move']", "move");
  await publisher.date("[name=day]", "2020-01-01");
  await publisher.fill("[name=reason]", "盘点");
  await publisher.choose("form[action='/console/week/move'] button.main");
  await publisher.refused("2020-01-01", "[name=day]", "moved-into-the-past");
  await publisher.date("[name=day]", "2026-12-01");
  await publisher.date("[name=time]", "10:00");
  await publisher.choose("form[action='/console/week/move'] button.main", "moved");
  await publisher.sees("改到这里");
  await publisher.choose("main a[href*='/week/move']", "move-back");
  await publisher.fill("[name=reason]", "不用改了");
  await publisher.choose("button[value=back]", "moved-back");
}

async function settling(operator) {
  for (const [channel, button, label] of [["intranet", "published", "settled-out"], ["branches", "not-published", "settled-not-out"]]) {
    await operator.choose("nav a", "board", "投递");
    await operator.select("[name=channel]", channel);
    await operator.select("[name=state]", "unknown");
    await operator.choose("form[action='/console/deliveries'] button.main", "unknown");
    await operator.choose("#board a[href^='/console/deliveries/d']", "delivery");
    await operator.fill("textarea[name=note]", " ");
    await operator.choose(`button[value=${button}]`);
    await operator.refused("没有写", "textarea[name=note]", "settled-without-reason");
    await operator.fill("textarea[name=note]", "公告栏里看过");
    await operator.choose(`button[value=${button}]`, label);
  }
}

async function switching(publisher, operator) {
  await publisher.choose("nav a", "board", "投递");
  await publisher.fill("[name=reason]", "全国哀悼日");
  await publisher.fill("[name=confirm]", "停止");
  await publisher.choose("form[action='/console/switch/hold'] button");
  await publisher.refused("停发", "[name=confirm]", "held-with-wrong-word");
  await publisher.fill("[name=confirm]", "停发");
  await publisher.choose("form[action='/console/switch/hold'] button", "held");
  await publisher.sees("全国哀悼日");
  await operator.choose("nav a", "board-held", "投递");
  await operator.fill("form[action='/console/switch/release'] [name=confirm]", "恢复");
  await operator.choose("form[action='/console/switch/release'] button", "released");
}

async function branchDay(branch) {
  await branch.choose("nav a", "today", "本网点");
  await branch.skip();
  await branch.tab("main a.button", "全部下载");
  await branch.choose("form[action='/b/b001/confirm'] button", "posted");
  await branch.sees("已上墙");
  await branch.choose("main a.button", "events", "填活动数字");
  await branch.fill("[name=title]", "广场反诈宣传");
  const numbers = { staff: "4", audience: "many", priority_audience: "60", leaflets: "100", consultations: "15", online: "0" };
  for (const [name, value] of Object.entries(numbers)) await branch.fill(`[name=${name}]`, value);
  await branch.choose("form[action^='/b/b001/events'] button.main");
  await branch.refused("many", "[name=audience]", "event-refused");
  await branch.fill("[name=audience]", "120");
  await branch.choose("form[action^='/b/b001/events'] button.main", "reported");
  await branch.sees("广场反诈宣传");
}

async function recalling(walk, publisher, branch) {
  await publisher.choose("nav a", "board", "投递");
  await publisher.fill("form[action='/console/recall'] [name=name]", walk.want.lesson);
  await publisher.choose("form[action='/console/recall'] button", "recall");
  await publisher.fill("[name=reason]", "数字有误");
  await publisher.fill("[name=confirm]", "yes");
  await publisher.choose("form[action='/console/recall'] button.danger");
  await publisher.refused("照样打", "[name=confirm]", "recall-refused");
  await publisher.fill("[name=confirm]", walk.want.lesson);
  await publisher.choose("form[action='/console/recall'] button.danger", "recalling");
  await publisher.until(/做完了|没有净/, "recalled");
  await branch.choose("nav a", "take-down", "本网点");
  await branch.choose("form[action='/b/b001/confirm'] button.danger", "taken-down", "已撤下");
  await branch.sees("已经撤下的");
}

async function tables(publisher) {
  await publisher.choose("nav a", "branches", "网点");
  await publisher.choose("main a.button", "tables", "导入、导出");
  await publisher.file("input[type=file]", "网点.csv", "id,name\nB,\n");
  await publisher.choose("form[action*='/tables/branches/preview'] button");
  await publisher.refused("处要改", "main a.button.main", "import-refused");
  await publisher.leads("Enter", "tables-again");
  const header = "id,name,district,tags,address,hotline,hours,gateway\n";
  await publisher.file("input[type=file]", "网点.csv", `${header}b001,青石坡支行,上梯区,community,梯坎大道88号,,,\nb002,大学坡支行,上梯区,campus,读书坡路16号,,,\nb003,新支行,上梯区,elder,一号,,,\n`);
  await publisher.choose("form[action*='/tables/branches/preview'] button", "import-preview");
  await publisher.choose("form[action$='/apply'] button.main", "imported");
}

async function hotline(publisher) {
  await publisher.choose("nav a", "hotlines", "热线");
  await publisher.choose("main a[href='/console/hotlines/bank']", "hotline");
  await publisher.fill("[name=number]", "9");
  await publisher.fill("[name=source]", "总行公告");
  await publisher.date("[name=verified_on]", "2026-11-30");
  await publisher.fill("[name=verified_by]", "投放岗丁");
  await publisher.choose("form[action$='/preview'] button.main");
  await publisher.refused("处要改", "[name=number]", "number-refused");
  await publisher.fill("[name=number]", "95123");
  await publisher.choose("form[action$='/preview'] button.main", "number-preview");
  await publisher.tick("[name=at_once]");
  await publisher.choose("main button.danger", "number-changed");
}

async function campaign(publisher) {
  await publisher.choose("nav a", "week", "排期");
  await publisher.choose("main a.button", "campaigns", "活动");
  await publisher.choose("a[href*='copy=']", "campaign-copy");
  await publisher.fill("[name=name]", " ");
  await publisher.choose("form[action='/console/campaigns/plan'] button.main");
  await publisher.refused("名字没有写", "[name=name]", "campaign-refused");
  await publisher.fill("[name=name]", "照去年的一期");
  await publisher.choose("form[action='/console/campaigns/plan'] button.main", "campaign-plan");
}

async function settings(administrator) {
  await administrator.choose("nav a", "settings", "设置");
  await administrator.unfold("加一个人");
  await administrator.fill("[name=id]", "guest");
  await administrator.fill("#people [name=name]", "来宾辛");
  await administrator.tick("[name=roles][value=auditor]");
  await administrator.choose("form[action='/console/settings/people'] button.main", "person");
  await administrator.choose("form[action$='/invitation'] button", "invited");
  await administrator.sees("只显示这一次");
  await administrator.choose("main a", "settings-again", "回人员");
  await administrator.unfold("发一个口令");
  await administrator.fill("#tokens [name=name]", "报表");
  await administrator.select("[name=person]", "auditor");
  await administrator.tick("[name=scopes][value='audit.read']");
  await administrator.choose("form[action='/console/settings/tokens'] button.main", "token");
  await administrator.choose("form[action$='/revocation'] button", "token-withdrawn");
  await administrator.choose(".me a", "account", "管理员");
  await administrator.fill("[name=current]", "not my password");
  await administrator.fill("[name=password]", "five quiet rivers");
  await administrator.fill("[name=again]", "five quiet rivers");
  await administrator.choose("main button.main");
  await administrator.refused("口令", "[name=current]", "password-refused");
}

async function asking(walk) {
  const auditor = await Typist.of(walk, "auditor");
  await auditor.choose("nav a", "audit", "审计");
  await auditor.fill("[name=branch]", "b001");
  await auditor.date("[name=day]", "2026-11-30");
  await auditor.choose("main button.main", "day");
  await auditor.unfold("逐个看");
  await auditor.choose("form[action$='/rendering'] button", "again");
  await auditor.sees("每个字节都和批准的一样");
  await auditor.choose("nav a", "audit-again", "审计");
  await auditor.choose("main a", "chain", "逐条记录");
  await auditor.choose("main a.button", "verified", "核对全链");
  await auditor.sees("首尾相接");
  await auditor.choose("button.quiet", "signed-out", "退出");
}

/** Everybody's deeds. */
export async function keys(walk) {
  await reviewing(walk);
  const publisher = await Typist.of(walk, "publisher");
  await moving(publisher);
  await campaign(publisher);
  await walk.ask("unknown");
  const operator = await Typist.of(walk, "operator");
  await settling(operator);
  await publisher.again();
  await switching(publisher, operator);
  await walk.ask("work");
  const branch = await Typist.of(walk, "branch");
  await branchDay(branch);
  await asking(walk);
  await recalling(walk, publisher, branch);
  await tables(publisher);
  await hotline(publisher);
  await settings(await Typist.of(walk, "administrator"));
}
