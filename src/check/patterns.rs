//! Shapes that several rules look for.

use super::catalogue::compile;
use regex::Regex;

/// Compiled once with the catalogue.
#[derive(Debug)]
pub struct Patterns {
    /// A telephone number that customers would dial: service numbers, 400 and 800, with area code.
    pub telephone: Regex,
    /// A short number that is a telephone number only beside a word of dialling.
    pub short_telephone: Regex,
    /// A mobile number.
    pub mobile: Regex,
    /// Eighteen characters in the shape of an identity card's number.
    pub identity: Regex,
    /// Thirteen to nineteen digits, perhaps in groups of four.
    pub card: Regex,
    /// A private address: road, number and door.
    pub address: Regex,
    /// `《某法》第三十一条`
    pub citation: Regex,
    /// A day in Chinese or with hyphens.
    pub day: Regex,
    /// Words that say something is still to come or still open.
    pub future: Regex,
    /// A number with a unit, Arabic or Chinese.
    pub quantity: Regex,
    /// A statistic: a share, or a count of people, cases or money.
    pub statistic: Regex,
    /// A named person, not a pseudonym.
    pub person: Regex,
    /// What makes a person identifiable beside the name.
    pub identifying: Regex,
    /// What only minors must not be lured with.
    pub contest: Regex,
    /// Asks a reader to fill something in about themselves.
    pub form: Regex,
    /// The comment that lets a finding through.
    pub waiver: Regex,
    /// A half-width mark between Chinese characters, or a full-width digit.
    pub half_width: Regex,
    /// A year.
    pub year: Regex,
    /// A latin word of at least two capitals.
    pub capitals: Regex,
}

impl Patterns {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            telephone: compile(
                r"(?:^|[^\d.*])(?P<number>95\d{3}|96\d{3,4}|12[13]\d{2}|400[-－ ]?\d{3,4}[-－ ]?\d{3,4}|800[-－ ]?\d{3}[-－ ]?\d{4}|0\d{2,3}[-－]\d{7,8})(?:$|[^\d.*%％元万亿年])",
            )?,
            short_telephone: compile(
                r"(?:拨打?|致电|打|报警电话|电话|热线|拨通|呼叫|报警|拨号)(?:报警|急救)?(?:电话)?[：:“‘]?(?P<number>1[12][0-9])(?:$|[^\d.%％元万亿年])|(?P<number2>\b110|119|120)(?:电话|报警|热线)",
            )?,
            mobile: compile(
                r"(?:^|[^\d.*])(?P<number>(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4})(?:$|[^\d*])",
            )?,
            identity: compile(
                r"(?:^|[^\dA-Za-z*])(?P<number>\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx])(?:$|[^\dA-Za-z*])",
            )?,
            card: compile(
                r"(?:^|[^\dA-Za-z*.])(?P<number>\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}|\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,3})(?:$|[^\dA-Za-z*])",
            )?,
            address: compile(
                r"[\p{Han}]{1,10}(?:路|街|道|巷|弄|小区|花园|苑|里|村|公寓)[\p{Han}]{0,4}\d{1,5}号?(?:楼|幢|栋|号楼|弄|号)?[\p{Han}\d、-]{0,8}\d{1,5}(?:室|房|户|单元|号)",
            )?,
            citation: compile(
                r"《(?P<law>[^》]{2,30})》(?:（[^）]{1,30}）)?(?P<articles>第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十])?)?",
            )?,
            day: compile(
                r"(?P<year>20\d{2})\s*(?:年|-|/|\.)\s*(?P<month>\d{1,2})\s*(?:月|-|/|\.)\s*(?P<day>\d{1,2})日?|(?P<year2>20\d{2})年(?P<month2>\d{1,2})月(?P<end>底|末)?",
            )?,
            future: compile(
                r"^(?:日)?(?:\s*(?:（[^）]*）)?)(?:之?前|以前|止|截止|截至|为止|内|将|起将|起，?将|后将|前[^，。]{0,10}(?:可|将|还|办)|到期前|前有效)|^[^。！？]{0,12}(?:将(?:会|于|在|要|不再|停|取消|实行|开始)|即将|届时|尚未|还没|有望|预计)",
            )?,
            quantity: compile(
                r"(?P<number>\d+(?:[.,]\d+)*|[零〇一二两三四五六七八九十百千]+)\s*(?:个)?(?P<unit>万元|亿元|万|元|周岁|岁|年|个月|月|日|天|次|倍|%|％|小时|条|张|人|件|工作日)",
            )?,
            statistic: compile(
                r"(?:\d+(?:\.\d+)?\s*(?:%|％|‰)|百分之[零〇一二两三四五六七八九十百点\d]+|[一二三四五六七八九两](?:到|至|、)?[一二三四五六七八九]?成(?:以上|多|左右|的)?|[一二三四五六七八九十]分之[一二三四五六七八九](?:的|以上的)?(?:人|受害|客户|案件|老人|家庭|学生|网友|居民)|每[一二三四五六七八九十\d]+(?:个|名|位)[^，。]{0,8}(?:里|中)[，、]?就?有[一二三四五六七八九十\d]+|[一二三四五六七八九十百千两几]+多?(?:万|亿)(?:多|余)?(?:人|名|户|起|件|例)|[一二三四五六七八九十百千两几]+多?亿(?:多|余)?元|(?:超过|近|约|达|多达|至少|累计|平均)?\s*\d+(?:\.\d+)?\s*(?:多|余)?(?:万|亿)(?:多|余)?(?:人|名|户|起|件|例|元|次|张|个|条|笔|位)|平均(?:年龄)?(?:只有|仅|为|是|约)?\s*\d+(?:\.\d+)?\s*(?:岁|元|万))",
            )?,
            person: compile(
                r"(?:[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤])(?:某某|某|[\p{Han}&&[^的了是在先款就要也都不有和到被给把来说去多]]{1,2}(?:，|、|（|今年|，今年|,)|[\p{Han}&&[^的了是在先款就要也都不有和到被给把来说去多]]{2}(?:师傅|同学|先生|女士|老师))",
            )?,
            identifying: compile(
                r"(?:(?:今年)?[\d一二三四五六七八九十]{1,4}岁|(?:家)?住(?:在)?[\p{Han}\d]{2,16}(?:小区|村|路|街|号|镇|社区|苑|花园|县|区)|(?:在|就职于|任职于|供职于|就读于|退休前在|是)[\p{Han}]{2,16}(?:公司|工厂|厂|学校|中学|小学|大学|医院|单位|局|银行|超市|集团|机关|学院)|工号|毕业于|[\p{Han}]{2,10}大学[^，。]{0,10}(?:级|班|系)|开[\p{Han}]{1,6}(?:铺|店))",
            )?,
            contest: compile(
                r"排行榜|(?:成绩|得分|积分|全校|班级)排名|名次|积分|抽奖|兑奖|打卡(?:有|领|送|得)|记下[^，。；！？]{0,6}得分|闯关(?:赢|得|领|有)|赢(?:取)?(?:奖|好礼|大奖)|擂台|冠军|段位|(?:填写|登记|留下|提交|上传|输入|报上|写下)[^，。；！？]{0,8}(?:姓名|学校|班级|手机|电话|身份证|家长|住址|生日|学号|照片)|实名(?:参加|参赛|登记|注册)|注册(?:账号|登录)|把[^，。；！？]{0,4}(?:姓名|班级|学号)|积[^，。]{0,2}分(?:榜|换)",
            )?,
            form: compile(
                r"(?:姓名|手机号?|电话|学号|身份证号?|卡号|住址|班级)[^，。；！？]{0,6}[：:]\s*[_＿]{2,}|(?:填写|填上|填好|输入|登记|留下|写下|提交)[^，。；！？]{0,12}(?:姓名|手机号?|身份证|学号|住址|卡号|家长电话|联系方式)",
            )?,
            waiver: compile(r#"lint-allow(?P<rest>[^\n]*)"#)?,
            half_width: compile(
                r"[，。；：？！、）】》”’\p{Han}](?P<mark>[,;:?!])[\s]?(?:[\p{Han}“‘（《【]|\([\p{Han}])|[\p{Han}”’）》](?P<tail>[,;:?!])(?:\s|$)|(?P<digits>[０-９]+)|(?P<open>\()[\p{Han}][^()\n]{0,40}(?P<close>\))(?P<after>[,;:?!]?)",
            )?,
            year: compile(r"(?:19|20)\d{2}\s*年|(?:19|20)\d{2}[-—–至到]")?,
            capitals: compile(r"[A-Za-z]*[A-Z]{2,}[A-Za-z0-9]*")?,
        })
    }
}

/// The value of a number as written, Arabic with separators or Chinese up to 九千九百九十九.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.replace(',', "").parse().ok();
    }
    let (mut total, mut digit) = (0_u32, None::<u32>);
    for character in text.chars() {
        let value = match character {
            '零' | '〇' => Some(0),
            '两' => Some(2),
            other => "一二三四五六七八九".chars().position(|c| c == other).map(|i| i as u32 + 1),
        };
        if let Some(value) = value {
            digit = Some(value);
            continue;
        }
        let unit = match character {
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            _ => return None,
        };
        total += digit.unwrap_or(1) * unit;
        digit = None;
    }
    let rest = digit.unwrap_or(0);
    Some(f64::from(total + rest))
}
