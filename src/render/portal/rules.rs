//! What a gateway and a guest's phone ask of a package, read from its finished bytes.

use super::flavour::{FileKind, FileRules, Flavour, FormRules};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};
use sha2::{Digest as _, Sha256};
use std::{cell::RefCell, collections::BTreeMap};

/// The lines that end a script's here-documents. Text of lessons stands behind a tag, so that no
/// line of theirs is one of these; they are counted all the same.
pub(super) const HERE_ENDS: [&str; 2] = ["CAISHI_HEAD", "CAISHI_PAGE"];

/// What a package breaks.
pub(super) struct Fault {
    /// In Chinese, with the file, the count and what to do.
    pub text: String,
    /// A smaller picture might mend it.
    pub is_size: bool,
}

/// Everything that the finished files break, in the order of the files.
pub(super) fn faults(
    flavour: &Flavour,
    files: &[(String, String)],
    continue_url: &str,
) -> Vec<Fault> {
    let mut check = Check { flavour, continue_url, faults: Vec::new() };
    for (rules, (_, text)) in flavour.files.iter().zip(files) {
        check.file(rules, text);
    }
    let total: usize = files.iter().map(|(_, text)| text.len()).sum();
    check.size("整个包", total, flavour.package.max_bytes);
    check.faults
}

struct Check<'a> {
    flavour: &'a Flavour,
    continue_url: &'a str,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn add(&mut self, text: String) {
        self.faults.push(Fault { text, is_size: false });
    }

    fn size(&mut self, what: &str, actual: usize, limit: Option<usize>) {
        if let Some(limit) = limit.filter(|limit| actual > *limit) {
            let text =
                format!("{what}有 {actual} 字节，上限 {limit}：请删短 :::portal，或少写一道题");
            self.faults.push(Fault { text, is_size: true });
        }
    }

    fn file(&mut self, rules: &FileRules, text: &str) {
        let name = &rules.name;
        if let Some(most) = self.flavour.package.max_name.filter(|most| name.len() > *most) {
            self.add(format!("文件名 {name} 有 {} 个字符，上限 {most}", name.len()));
        }
        match rules.kind {
            FileKind::Page => {
                self.size(name, text.len(), rules.max_bytes);
                self.page(rules, text);
            }
            FileKind::Script => match printed(text) {
                Ok(html) => {
                    self.size(name, html.len(), rules.max_bytes);
                    self.page(rules, &html);
                }
                Err(reason) => self.add(format!("{name}：{reason}")),
            },
            FileKind::Text => self.size(name, text.len(), rules.max_bytes),
        }
        self.variables(rules, text);
    }

    /// `$(…)` in a page is a variable of the gateway; in a script the shell would run it.
    fn variables(&mut self, rules: &FileRules, text: &str) {
        if rules.kind != FileKind::Page {
            return;
        }
        for (at, _) in text.match_indices("$(") {
            let variable = text[at + 2..].split(')').next().unwrap_or_default();
            if !self.flavour.package.variables.iter().any(|known| known == variable) {
                let variable: String = variable.chars().take(20).collect();
                self.add(format!("{}：网关没有变量 $({variable})", rules.name));
            }
        }
    }

    fn page(&mut self, rules: &FileRules, html: &str) {
        let tags = tags(html);
        let name = &rules.name;
        let forms: Vec<&Element> = tags.elements.iter().filter(|tag| tag.name == "form").collect();
        if forms.len() != rules.forms {
            self.add(format!("{name}：有 {} 个表单，应当有 {} 个", forms.len(), rules.forms));
        }
        if let Some(form) = &rules.form {
            let wanted = self.wanted(form);
            for found in &tags.forms {
                if *found != wanted {
                    self.add(format!("{name}：表单是 {found:?}，应当是 {wanted:?}"));
                }
            }
        }
        for tag in &tags.elements {
            if let Some(reason) = objection(tag) {
                self.add(format!("{name}：{reason}"));
            }
        }
        let count = |wanted: &str| tags.elements.iter().filter(|tag| tag.name == wanted).count();
        if count("h1") != 1 {
            self.add(format!("{name}：要有一个 h1，现在有 {} 个", count("h1")));
        }
        if ["url(", "@import", "expression("].iter().any(|part| tags.style.contains(part)) {
            self.add(format!("{name}：样式里不能有 url() 和 @import"));
        }
        let hash = STANDARD.encode(Sha256::digest(tags.style.as_bytes()));
        let policy = tags.elements.iter().find_map(|tag| {
            let is_policy = tag.get("http-equiv") == Some("Content-Security-Policy");
            is_policy.then(|| tag.get("content").unwrap_or_default())
        });
        match policy {
            Some(policy) if policy.contains(&hash) && policy.contains("default-src 'none'") => {}
            Some(_) => self.add(format!("{name}：安全策略（CSP）和样式对不上")),
            None => self.add(format!("{name}：没有安全策略（CSP）")),
        }
    }

    /// The form that the rules ask for.
    fn wanted(&self, form: &FormRules) -> FoundForm {
        let filled = |value: &str| self.flavour.filled_plain(value, self.continue_url);
        let mut fields: BTreeMap<String, String> =
            form.fields.iter().map(|(name, value)| (name.clone(), filled(value))).collect();
        let button = form.button.as_ref();
        fields.extend(button.map(|button| (button.name.clone(), button.value.clone())));
        FoundForm { action: filled(&form.action), method: form.method.clone(), fields }
    }
}

/// What a script prints for a guest: the lines of its here-documents, and its form each time.
fn printed(script: &str) -> Result<String, String> {
    let mut printed = String::new();
    let mut inside: Option<&str> = None;
    let mut ended = 0;
    for line in script.lines() {
        if let Some(end) = inside {
            if line == end {
                inside = None;
                ended += 1;
            } else {
                printed.push_str(line);
                printed.push('\n');
            }
        } else if let Some(end) = HERE_ENDS.iter().find(|end| line.ends_with(&format!("<<'{end}'")))
        {
            inside = Some(end);
        } else if line.trim() == "caishi_form" {
            printed.push_str(form_of(script));
        }
    }
    let lines = script.lines().filter(|line| HERE_ENDS.contains(line)).count();
    if inside.is_some() || lines != ended || ended == 0 {
        return Err("脚本里的 CAISHI_PAGE 不成对：课文里不能单独一行写它".into());
    }
    Ok(printed)
}

/// What `caishi_form` prints: `printf '…%s…' "$fas96"`, whose `%s` stands for the gateway's value.
fn form_of(script: &str) -> &str {
    let format = script.lines().find_map(|line| line.strip_prefix("printf '"));
    format.and_then(|format| format.rsplit_once("' ")).map_or("", |(format, _)| format)
}

/// A form as the gateway gets it: action, method, and fields with the button's.
#[derive(Debug, Default, PartialEq, Eq)]
struct FoundForm {
    action: String,
    method: String,
    fields: BTreeMap<String, String>,
}

/// Why an element may not stand in a page for captive phones, where it may not.
fn objection(tag: &Element) -> Option<String> {
    const REFUSED: [&str; 10] = [
        "script", "link", "iframe", "object", "embed", "base", "video", "audio", "textarea",
        "select",
    ];
    if REFUSED.contains(&tag.name.as_str()) {
        return Some(format!("不能有 <{}>：认证时的小浏览器上不了网", tag.name));
    }
    if tag.name == "input" && !matches!(tag.get("type"), Some("hidden" | "radio")) {
        return Some("不能有让客人填写的输入框（D403）".into());
    }
    if tag.name == "meta" && tag.get("http-equiv").is_some_and(|kind| kind == "refresh") {
        return Some("不能自动跳转".into());
    }
    for (name, value) in &tag.attributes {
        if name.starts_with("on") || name == "style" || name == "target" {
            return Some(format!("不能有属性 {name}"));
        }
        let inner = match name.as_str() {
            "src" => value.starts_with("data:image/"),
            "href" => value.starts_with("tel:") || value.starts_with('#'),
            "srcset" | "formaction" | "background" | "poster" | "xlink:href" => false,
            _ => true,
        };
        if !inner {
            let value: String = value.chars().take(40).collect();
            return Some(format!("{name}=“{value}”指到页面外面（D404、D405）"));
        }
    }
    None
}

/// An opening tag, names in lower case.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct Tags {
    elements: Vec<Element>,
    forms: Vec<FoundForm>,
    style: String,
    inside: Option<String>,
    in_form: bool,
}

/// Takes a page apart as a browser would.
fn tags(html: &str) -> Tags {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Sink(RefCell<Tags>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut tags = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::EndTag => {
                let name: &str = &tag.name;
                tags.in_form &= name != "form";
                tags.inside = None;
            }
            Token::TagToken(tag) => return tags.opened(&tag),
            Token::CharacterTokens(text) if tags.inside.as_deref() == Some("style") => {
                tags.style.push_str(&text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Tags {
    fn opened(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let attributes = tag
            .attrs
            .iter()
            .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()));
        let element = Element { name: tag.name.to_string(), attributes: attributes.collect() };
        let owned = |name: &str| element.get(name).unwrap_or_default().to_owned();
        match element.name.as_str() {
            "form" => {
                self.in_form = true;
                let (action, method) = (owned("action"), owned("method"));
                self.forms.push(FoundForm { action, method, fields: BTreeMap::new() });
            }
            "input" | "button" if self.in_form => {
                if let (Some(form), Some(name)) = (self.forms.last_mut(), element.get("name")) {
                    form.fields.insert(name.to_owned(), owned("value"));
                }
            }
            _ => {}
        }
        let raw = match element.name.as_str() {
            "style" => Some(RawKind::Rawtext),
            "script" => Some(RawKind::ScriptData),
            "title" => Some(RawKind::Rcdata),
            _ => None,
        };
        self.inside = raw.map(|_| element.name.clone());
        self.elements.push(element);
        raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }
}
