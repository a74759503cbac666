//! Reads a headline: `正规客服不会|要你[共享屏幕]`.

use crate::model::{Headline, HeadlinePart};

/// Reads the line break and the trap words, or says in Chinese what is wrong with them.
pub(super) fn parse(text: &str) -> Result<Headline, String> {
    let lines = text
        .split(['|', '｜'])
        .map(|line| parse_line(line.trim()))
        .collect::<Result<Vec<_>, _>>()?;
    if lines.len() > 2 {
        return Err("至多两行：只能有一条竖线。".into());
    }
    if lines.iter().any(Vec::is_empty) {
        return Err("竖线两边都要有字。".into());
    }
    Ok(Headline { lines })
}

fn parse_line(line: &str) -> Result<Vec<HeadlinePart>, String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut lure = false;
    for character in line.chars() {
        match character {
            '[' if lure => return Err("方括号里不能再写方括号。".into()),
            ']' if !lure => {
                return Err("右方括号前面没有左方括号；方括号要成对，不能跨过竖线。".into());
            }
            '[' | ']' => {
                if lure && part.is_empty() {
                    return Err("方括号里要写骗局的名字，例如 [共享屏幕]。".into());
                }
                if !part.is_empty() {
                    let text = std::mem::take(&mut part);
                    parts.push(HeadlinePart { text, lure });
                }
                lure = !lure;
            }
            other => part.push(other),
        }
    }
    if lure {
        return Err("左方括号没有收尾；方括号要成对，不能跨过竖线。".into());
    }
    if !part.is_empty() {
        parts.push(HeadlinePart { text: part, lure });
    }
    Ok(parts)
}
