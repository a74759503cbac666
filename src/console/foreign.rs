//! Chinese words in an English page say that they are Chinese, so that they are read aloud by a
//! Chinese voice and drawn with Chinese letters (WCAG 2.2, 3.1.2): what people wrote, and what the
//! ledger, the check and the channels say, stays in its own language.

use std::borrow::Cow;

const LANGUAGE: &str = " lang=\"zh-CN\"";

/// Elements whose words hold no elements: they say their language themselves.
const PLAIN: [&str; 3] = ["title", "textarea", "option"];

/// Elements whose insides are no words.
const NO_WORDS: [&str; 2] = ["script", "style"];

/// A page of our own templates, with every run of Chinese words in an element that says so.
///
/// The page is taken apart at its tags and not read further: our templates close what they open,
/// and write every `<` that is no tag as a reference.
#[must_use]
pub fn marked(html: &str) -> String {
    let mut page = Page { out: String::with_capacity(html.len() * 9 / 8), ..Page::default() };
    let mut rest = html;
    while let Some(begin) = rest.find('<') {
        page.words(&rest[..begin]);
        let end = begin + length_of_tag(&rest[begin..]);
        page.tag(&rest[begin..end]);
        rest = &rest[end..];
    }
    page.words(rest);
    page.out
}

#[derive(Default)]
struct Page<'a> {
    out: String,
    /// The element that was opened last, in lower case; none behind an end tag.
    last: Option<Cow<'a, str>>,
    /// The element that says of itself that it is Chinese, and how many of its name are open in it.
    chinese: Option<(Cow<'a, str>, usize)>,
}

impl<'a> Page<'a> {
    fn tag(&mut self, tag: &'a str) {
        let is_end = tag.starts_with("</");
        let name = tag.trim_start_matches(['<', '/']);
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = Cow::Borrowed(&name[..end]);
        match &mut self.chinese {
            Some((within, depth)) if *within == name => {
                *depth = if is_end { *depth - 1 } else { *depth + 1 };
                if *depth == 0 {
                    self.chinese = None;
                }
            }
            None if !is_end && tag.contains("lang=\"zh") => self.chinese = Some((name.clone(), 1)),
            _ => {}
        }
        self.last = (!is_end).then_some(name);
        self.out.push_str(tag);
    }

    fn words(&mut self, words: &str) {
        let last = self.last.as_deref().unwrap_or_default();
        let range = match chinese(words) {
            Some(range) if self.chinese.is_none() && !NO_WORDS.contains(&last) => range,
            _ => return self.out.push_str(words),
        };
        if PLAIN.contains(&last) {
            // The start tag ends what was written so far.
            self.out.insert_str(self.out.len() - 1, LANGUAGE);
            return self.out.push_str(words);
        }
        let (before, rest) = words.split_at(range.start);
        let (own, behind) = rest.split_at(range.len());
        for part in [before, "<span", LANGUAGE, ">", own, "</span>", behind] {
            self.out.push_str(part);
        }
    }
}

/// How long the tag, comment or declaration is that begins here.
fn length_of_tag(html: &str) -> usize {
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    html.len()
}

/// Where the Chinese of some words stands: from the first to the last ideograph, with the marks of
/// punctuation about them. All the words, where there are no others in Latin letters: a part of a
/// line is not torn apart without need.
fn chinese(words: &str) -> Option<std::ops::Range<usize>> {
    let first = words.find(is_ideograph)?;
    let (last, letter) = words.char_indices().rfind(|(_, c)| is_ideograph(*c))?;
    let punctuation = |c: char| "，。：；！？、（）《》〈〉“”‘’—…·〔〕【】".contains(c);
    let start = words[..first].trim_end_matches(punctuation).len();
    let behind = &words[last + letter.len_utf8()..];
    let end = words.len() - behind.trim_start_matches(punctuation).len();
    let is_latin = |part: &str| part.contains(|c: char| c.is_ascii_alphabetic());
    if is_latin(&words[..start]) || is_latin(&words[end..]) {
        return Some(start..end);
    }
    let begin = words.len() - words.trim_start().len();
    Some(begin..words.trim_end().len())
}

/// Unified and compatibility ideographs (Unicode 16, chapter 18).
fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}
