//! Rules D405, D406 and part of B213: where links lead.

use super::{
    Context,
    passage::{Passage, Scope},
    walk::{Link, Texts},
};
use crate::model::{DomainKind, Finding, Span, Variant};
use linkify::{LinkFinder, LinkKind};
use std::ops::Range;
use unicode_security::confusable_detection::skeleton;
use url::Url;

pub(super) fn check(context: &Context<'_>, variant: &Variant, texts: &Texts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for link in &texts.links {
        findings.extend(link_target(context, variant, &link.url, link.span));
        findings.extend(misleading(context, variant, link));
    }
    for passage in texts.passages.iter().filter(|passage| !passage.inherited) {
        for range in addresses(&passage.text) {
            let span = passage.source(range.clone());
            // The text of a link is looked at with the link.
            let in_link = texts
                .links
                .iter()
                .any(|link| link.span.start <= span.start && span.end <= link.span.end);
            if !in_link {
                findings.extend(written(context, variant, passage, &passage.text[range], span));
            }
        }
    }
    findings
}

/// Internet addresses in a text. What is not ASCII ends one: a Chinese sentence goes on without a
/// space.
pub(super) fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices().chain([(text.len(), '。')]) {
        if character.is_ascii_graphic() {
            continue;
        }
        let links = finder.links(&text[start..at]).filter(|link| is_address(link.as_str()));
        found.extend(links.map(|link| start + link.start()..start + link.end()));
        start = (at + character.len_utf8()).min(text.len());
    }
    found
}

/// A file's name, `object.svg`, and `e.g.` are no addresses.
fn is_address(text: &str) -> bool {
    let host = text.rsplit("://").next().unwrap_or("").split(['/', '?', ':']).next();
    let end = host.unwrap_or("").rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    text.is_ascii()
        && !["svg", "png", "jpg", "md", "toml", "pdf", "csv", "txt", "g"].contains(&end.as_str())
        || text.contains("://")
}

/// An address in running text: a scammer's must not work, ours must be in the list.
fn written(
    context: &Context<'_>,
    variant: &Variant,
    passage: &Passage<'_>,
    address: &str,
    span: Span,
) -> Option<Finding> {
    match passage.scope {
        Scope::Code => None,
        scope if scope.is_quoted() => {
            let reason = format!("“{address}”是能点开的可疑网址");
            context.finding("B213", &variant.file, Some(span), reason)
        }
        _ => link_target(context, variant, address, span),
    }
}

/// Rule D405.
fn link_target(
    context: &Context<'_>,
    variant: &Variant,
    address: &str,
    span: Span,
) -> Option<Finding> {
    let fault = target_fault(context, address)?;
    context.finding("D405", &variant.file, Some(span), fault)
}

fn target_fault(context: &Context<'_>, address: &str) -> Option<String> {
    if ["tel:", "mailto:", "#"].iter().any(|start| address.starts_with(start)) {
        return None;
    }
    let with_scheme =
        if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let Ok(url) = Url::parse(&with_scheme) else {
        return Some(format!("“{address}”不是完整的网址"));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let shown = address.rsplit("://").next().unwrap_or("").split(['/', '?']).next().unwrap_or("");
    match kind_of(context, &host) {
        Some(DomainKind::Shortener) => {
            return Some(format!("“{address}”是短网址，看不出通向哪里"));
        }
        Some(_) if url.scheme() != "https" => {
            return Some(format!("“{address}”不是 https，传输没有加密"));
        }
        Some(_) if url.username().is_empty() => return None,
        Some(_) => return Some(format!("“{address}”的 @ 前面是用户名，容易骗人")),
        None => {}
    }
    let alike = trusted(context).find(|name| {
        let plain = |text: &str| skeleton(text).collect::<String>();
        host != **name && (plain(shown) == plain(name) || plain(&host) == plain(name))
    });
    if let Some(name) = alike {
        return Some(format!("“{shown}”长得像 {name}，其实不是"));
    }
    if host.split('.').any(|label| label.starts_with("xn--")) {
        return Some(format!("“{shown}”用了外文字母的域名（{host}），容易冒充"));
    }
    Some(format!("“{host}”不在登记的域名里"))
}

fn trusted<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a str> {
    let domains = context.library.facts.domains.iter();
    domains.filter(|domain| domain.kind != DomainKind::Shortener).map(|d| d.name.as_str())
}

/// Whose domain a host belongs to: the most exact entry decides.
fn kind_of(context: &Context<'_>, host: &str) -> Option<DomainKind> {
    let host = host.to_ascii_lowercase();
    let belongs = |name: &str| {
        host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
    };
    let domains = context.library.facts.domains.iter().filter(|domain| belongs(&domain.name));
    let listed = domains.max_by_key(|domain| domain.name.len()).map(|domain| domain.kind);
    let own = Url::parse(&context.bank.base_url).ok();
    let is_own = own.as_ref().and_then(Url::host_str).is_some_and(belongs);
    listed.or_else(|| is_own.then_some(DomainKind::Bank))
}

/// Rule D406.
fn misleading(context: &Context<'_>, variant: &Variant, link: &Link) -> Option<Finding> {
    let shown = addresses(&link.text).into_iter().next()?;
    let host = |address: &str| {
        let address =
            if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
        let url = Url::parse(&address).ok()?;
        Some(url.host_str()?.trim_start_matches("www.").to_ascii_lowercase())
    };
    let (read, leads) = (host(&link.text[shown])?, host(&link.url)?);
    (read != leads).then(|| {
        let reason = format!("看到的是 {read}，点开的是 {leads}");
        context.finding("D406", &variant.file, Some(link.span), reason)
    })?
}
