//! The draft that `caishi new lesson` writes: complete enough to build at once, with the text to
//! be replaced standing where the author will look for it.

use crate::model::{Audience, LessonId, Library, Topic};
use jiff::{ToSpan as _, civil::Date};

/// A file of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFile {
    /// Its name in the lesson's folder.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// The files of a new lesson or, for elders and students, of a new variant. `today` is the first
/// day it may be shown; facts are to be looked at again after six months.
#[must_use]
pub fn lesson(
    id: &LessonId,
    topic: &Topic,
    audience: Audience,
    today: Date,
    library: &Library,
) -> Vec<DraftFile> {
    match audience {
        Audience::General => vec![
            DraftFile { name: "lesson.md", text: general(id, topic, today, library) },
            DraftFile { name: "object.svg", text: OBJECT.to_owned() },
            DraftFile { name: "assets.toml", text: ASSETS.to_owned() },
        ],
        Audience::Elder => vec![DraftFile { name: "lesson.elder.md", text: elder(id) }],
        Audience::Student => vec![DraftFile { name: "lesson.student.md", text: student(id) }],
    }
}

#[expect(clippy::too_many_lines, reason = "it is the draft's text")]
fn general(id: &LessonId, topic: &Topic, today: Date, library: &Library) -> String {
    let until = today.saturating_add(1.year());
    let review = today.saturating_add(6.months());
    let hotlines: Vec<&str> =
        library.hotlines.iter().take(3).map(|hotline| hotline.id.as_str()).collect();
    let number = hotlines.first().copied().unwrap_or("police");
    format!(
        "---
id: {id}
version: 1
type: education
title: 一句话说清要做的事
short_title: 短题目
headline: 主标题第一行|说出[骗局]名
digest: 一两句话，说清这一课讲什么、看完会做什么。
banner: 一句口号，不超过二十字
topics: [{topic}]
audiences: [general]            # 写好 lesson.elder.md、lesson.student.md 后加上 elder、student
campaigns: []
priority: normal
valid_from: {today}
valid_until: {until}
facts_review_by: {review}
hotlines: [{hotlines}]
owner: {department}
sources:
  - {{claim: basis, title: 依据的名称, publisher: 发布单位, checked: {today}}}
---
开篇一两句话：谁会遇到这件事，遇到了先做什么。

## 一个故事

:::case{{fictional=true}}
四十到九十字：一个人、一个平常的时刻、走错的一步。
:::

## 这是怎么回事

一句话说清是什么，再写一步步怎么骗到人。

:::scam
骗子会说的话写在这里。
:::

## 听到这些话，先停下

:::redflag
- 第一个危险信号
- 第二个危险信号
- 第三个危险信号
- 第四个危险信号
:::

## 走这四步

:::steps
1. **停手** 先不转钱，不点链接。
2. **查证** 从官方渠道核实。
3. **多问** 问家人，问银行网点。
4. **报警** 拨打{{{{hotline:{number}}}}}，留好记录。
:::

## 已经受骗怎么办

:::emergency
先联系银行，再拨打{{{{hotline:{number}}}}}，保留转账和聊天记录。
:::

## 考考你

:::quiz
1. 第一题？
   - [ ] 不对的做法
   - [x] 对的做法
   > 为什么对，一句话。
2. 第二题？
   - [x] 对的做法
   - [ ] 不对的做法
   > 为什么对，一句话。
3. 第三题？
   - [ ] 不对的做法
   - [x] 对的做法
   > 为什么对，一句话。
:::

:::screen
一句提醒，**先停手。**

遇到了？

1. **停手**
2. **查证**
3. **多问**
4. **报警** {{{{hotline:{number}}}}}
:::

:::poster
一句提醒，**先停手。**

- 第一条不能碰的线
- 第二条不能碰的线
- 第三条不能碰的线

遇到了？

1. **停手** 先不转钱
2. **查证** 从官方渠道核实
3. **多问** 问家人和银行
4. **报警** 留好记录 {{{{hotline:{number}}}}}
:::

:::portal
一句提醒，**先停手。**

- 第一条不能碰的线
- 第二条不能碰的线
- 第三条不能碰的线

遇到了，走四步

1. **停手** 先不转钱
2. **查证** 从官方渠道核实
3. **多问** 问家人和银行
4. **报警** 留好记录 {{{{hotline:{number}}}}}
:::

:::ticker
动词开头的一句话，报警请拨{{{{hotline:{number}}}}}
:::

:::sms
【{{{{bank:name}}}}】一两句话说清要点。紧急情况请拨{{{{hotline:{number}}}}}。
:::

:::post
一百到一百三十字的短文：先说事，再说怎么做，最后是电话。
:::

:::staff
三个可以问客户的问题：

1. 第一个问题？
2. 第二个问题？
3. 第三个问题？

两个回答：

- 客户这样问，就这样答。
- 客户那样问，就那样答。
:::
",
        topic = topic.id,
        department = topic.department,
        hotlines = hotlines.join(", "),
    )
}

fn elder(id: &LessonId) -> String {
    format!(
        "---
id: {id}
title: 给长辈的题目
headline: 四字一行|再来四字
digest: 一句话，每句不超过二十字。
banner: 一句口号
---
先做三件事，再看下面的话。

## 三件事

:::steps
1. **停** 不签字，不转账。
2. **问** 先给孩子打电话。
3. **报** 转了钱，马上报警。
:::

## 一个故事

:::case{{fictional=true}}
短短几句，每句不超过二十字。
:::

:::screen
1. **停** 不签字，不转账
2. **问** 先给孩子打电话
3. **报** 转了钱，马上报警 {{{{hotline:police}}}}
:::

:::poster
1. **停** 不签字，不转账
2. **问** 先给孩子打电话
3. **报** 转了钱，马上报警 {{{{hotline:police}}}}
:::
"
    )
}

fn student(id: &LessonId) -> String {
    format!(
        "---
id: {id}
title: 给同学的题目
headline: 到手多少|就按多少算
digest: 一句话，说清这件事跟同学有什么关系。
banner: 一句口号
---
开篇一两句话。

:::dialogue
- 陌生人：对方的第一句话
- 我：你的回答
:::

## 怎么做

:::steps
1. **停手** 先不答应。
2. **查证** 问老师和家长。
3. **留证** 截图保存。
4. **报警** 拨打{{{{hotline:police}}}}。
:::

::::screen
:::dialogue
- 陌生人：对方的第一句话
- 我：你的疑问
- 陌生人：对方的第二句话
- 我：所以不答应。
:::
::::

:::poster
一句提醒，**先停手。**

1. **停手** 先不答应
2. **查证** 问老师和家长
3. **留证** 截图保存
4. **报警** {{{{hotline:police}}}}
:::
"
    )
}

/// A plain card with one dashed line: something to look at until the object is drawn.
const OBJECT: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="640" height="680" viewBox="0 0 640 680">
<g transform="rotate(-6 320 340)">
<rect x="110" y="70" width="420" height="620" rx="24" fill="var(--paper,#F4EFE4)"/>
<rect x="160" y="140" width="200" height="36" rx="8" fill="var(--lure,#6FD6B4)"/>
<rect x="160" y="230" width="320" height="18" rx="9" fill="var(--mute,#7F98A3)"/>
<rect x="160" y="280" width="320" height="18" rx="9" fill="var(--mute,#7F98A3)"/>
<path d="M160 370h320" stroke="var(--lure,#6FD6B4)" stroke-width="14" stroke-dasharray="26 18"/>
</g>
</svg>
"##;

const ASSETS: &str = r#"[[asset]]
file = "object.svg"
alt = "一张卡片，中间一行是虚线"
author = "请写绘制人"
licence = "CC0-1.0"
source = "请写来源"
tags = ["object"]
"#;
