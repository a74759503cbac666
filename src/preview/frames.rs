//! The outputs in frames: a phone, a mini browser, short texts where people read them.

use super::{
    after::FileFacts,
    page::Region,
    part::{Choice, Context},
    pictures,
    sheet::Output,
    show,
    view::{Glasses, TextSize, address, query},
};
use crate::{
    build::{Made, Role},
    model::{Limits, MediaType, OutputKind, count_words, counted_with_slots},
};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "preview/html/article.html")]
struct Article {
    frame: String,
    modes: Vec<Choice>,
    sizes: Vec<Choice>,
    content: Option<FileFacts>,
    standalone: Option<FileFacts>,
    digest_text: String,
    characters: usize,
    most: usize,
    covers: Vec<FileFacts>,
    stale: &'static str,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "preview/html/portal.html")]
struct Portal {
    page: Option<FileFacts>,
    package: Option<FileFacts>,
    frame: String,
    shown: String,
    entries: Vec<Choice>,
    others: Vec<String>,
    flavour: String,
    place: String,
    most: usize,
    stale: &'static str,
    fault: Option<String>,
}

/// A short text where people read it.
struct Short {
    class: &'static str,
    label: &'static str,
    text: String,
    length: String,
    file: FileFacts,
    is_stale: bool,
}

#[derive(Template)]
#[template(path = "preview/html/texts.html")]
struct Texts {
    texts: Vec<Short>,
}

/// Every output in its frame.
///
/// # Errors
/// The templates'.
pub fn outputs(context: &Context<'_>) -> askama::Result<Vec<Region>> {
    let mut regions = Vec::new();
    if has(context, OutputKind::Article) {
        regions.push(Region::new("article", "output article", &article(context))?);
    }
    if has(context, OutputKind::Portal) {
        regions.push(Region::new("portal", "output portal", &portal(context))?);
    }
    let texts = texts(context);
    if !texts.is_empty() {
        regions.push(Region::new("texts", "output texts", &Texts { texts })?);
    }
    let screens = context.sheet.outputs.iter().filter(|one| one.kind == OutputKind::Screen);
    for (index, output) in screens.enumerate() {
        if index == 0 {
            let heading = pictures::screens(context);
            regions.push(Region::new("screens", "output heading", &heading)?);
        }
        if let Some(screen) = pictures::screen(context, output) {
            let id = format!("screen-{}", index + 1);
            regions.push(Region::new(id, "output screen", &screen)?);
        }
    }
    if has(context, OutputKind::Newspic) {
        regions.push(Region::new("newspic", "output newspic", &pictures::newspic(context))?);
    }
    for kind in [OutputKind::Print, OutputKind::Leaflet, OutputKind::Morning, OutputKind::Booth] {
        if has(context, kind) {
            let id = format!("paper-{kind}");
            regions.push(Region::new(id, "output paper", &pictures::paper(context, kind))?);
        }
    }
    Ok(regions)
}

fn has(context: &Context<'_>, kind: OutputKind) -> bool {
    context.sheet.outputs.iter().any(|output| output.kind == kind)
}

/// The outputs of one kind and role.
pub(super) fn pieces<'a>(
    context: &Context<'a>,
    kind: OutputKind,
    role: Role,
) -> impl Iterator<Item = &'a Output> {
    let wanted = move |output: &&Output| output.kind == kind && output.role == role;
    context.sheet.outputs.iter().filter(wanted)
}

/// Why what is shown of a kind is not new; nothing where it is.
pub(super) fn stale(context: &Context<'_>, kind: OutputKind) -> &'static str {
    let mut own = context.sheet.outputs.iter().filter(|output| output.kind == kind);
    stale_words(context, own.any(Output::is_stale))
}

/// As [`stale`], for one output.
pub(super) fn stale_words(context: &Context<'_>, is_stale: bool) -> &'static str {
    match (context.sheet.is_broken, is_stale) {
        (true, _) => "读不了，是上一次的",
        (false, true) => "正在生成",
        (false, false) => "",
    }
}

/// Why an output of that kind could not be made.
pub(super) fn fault(context: &Context<'_>, kind: OutputKind) -> Option<String> {
    let own = context.sheet.failed().find(|(output, _)| output.kind == kind);
    own.map(|(_, reason)| reason.to_owned())
}

/// What is said of a file.
pub(super) fn facts(context: &Context<'_>, made: &Made) -> FileFacts {
    FileFacts::of(made, context.sheet, false)
}

/// What a poster says to those who cannot see it.
pub(super) fn headline(context: &Context<'_>) -> String {
    context.sheet.words.headline.clone()
}

/// Links to the same page through other glasses.
pub(super) fn choices<T: PartialEq>(
    context: &Context<'_>,
    all: impl IntoIterator<Item = (&'static str, T)>,
    of: impl Fn(&mut Glasses) -> &mut T,
) -> Vec<Choice> {
    let choice = |(label, value): (&'static str, T)| {
        let mut glasses = context.glasses.clone();
        let own = of(&mut glasses);
        let is_current = *own == value;
        *own = value;
        Choice { label: label.to_owned(), address: address(context.view, &glasses), is_current }
    };
    all.into_iter().map(choice).collect()
}

fn article(context: &Context<'_>) -> Article {
    let glasses = context.glasses;
    let files: Vec<&Arc<Made>> = context.sheet.files(OutputKind::Article, Role::Text).collect();
    let named = |end: &str| files.iter().copied().find(|made| made.listing.path.ends_with(end));
    let content = named("/article.html");
    let html = content.map(|made| String::from_utf8_lossy(&made.bytes));
    let mode = if glasses.dark { "dark" } else { "light" };
    let frame = content.map_or_else(String::new, |made| {
        let size = glasses.size.as_str();
        let view = query(context.view);
        format!("/article/{}?{view}&mode={mode}&size={size}", made.listing.sha256)
    });
    let sizes = [
        ("标准", TextSize::Standard),
        ("大字 ×1.25", TextSize::Large),
        ("关怀模式 ×1.5", TextSize::Huge),
    ];
    Article {
        frame,
        modes: choices(context, [("浅色", false), ("深色", true)], |glasses| &mut glasses.dark),
        sizes: choices(context, sizes, |glasses| &mut glasses.size),
        content: content.map(|made| facts(context, made)),
        standalone: named("/article.preview.html").map(|made| facts(context, made)),
        digest_text: context.sheet.words.digest_text.clone(),
        characters: html.map_or(0, |html| counted_with_slots(&html).0),
        most: Limits::default().article_characters.value,
        covers: context
            .sheet
            .files(OutputKind::Article, Role::Picture)
            .map(|made| facts(context, made))
            .collect(),
        // The covers come later; they are new when their digest is.
        stale: stale_words(
            context,
            pieces(context, OutputKind::Article, Role::Text).any(Output::is_stale),
        ),
        fault: fault(context, OutputKind::Article),
    }
}

/// The page and the package of the branch, or of the bank.
fn portal(context: &Context<'_>) -> Portal {
    let branch = context.view.branch.as_ref();
    let own = pieces(context, OutputKind::Portal, Role::Text)
        .find(|output| output.branch.as_ref() == branch);
    let files = own.map_or(&[][..], Output::files);
    let place = branch.map_or("index", |branch| branch.as_str());
    let page =
        files.iter().find(|made| made.listing.path.ends_with(&format!("/portal/{place}.html")));
    let package = files.iter().find(|made| made.listing.media_type == MediaType::Zip);
    let names = package.map_or_else(Vec::new, |made| show::entries(&made.bytes));
    let (pages, others): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| show::is_page(name));
    let wanted = context.glasses.entry.as_ref().filter(|entry| pages.contains(entry));
    let frame = match (wanted, package, page) {
        (Some(entry), Some(package), _) => format!("/entry/{}/{entry}", package.listing.sha256),
        (None, _, Some(page)) => facts(context, page).address,
        _ => String::new(),
    };
    let whole = std::iter::once((None, "整页（网页）".to_owned()));
    let all = whole.chain(pages.iter().map(|name| (Some(name.clone()), name.clone())));
    let entries = all.map(|(entry, label)| {
        let glasses = Glasses { entry: entry.clone(), ..context.glasses.clone() };
        Choice {
            label,
            address: address(context.view, &glasses),
            is_current: entry.as_ref() == wanted,
        }
    });
    let gateway = branch.and_then(|id| context.snapshot.library.branch(id)?.gateway.as_deref());
    let gateway = gateway.unwrap_or(crate::render::portal::GENERIC);
    let studio = context.snapshot.studio(&context.view.look).ok();
    let flavour = studio.and_then(|studio| studio.flavour(gateway));
    Portal {
        shown: wanted.cloned().unwrap_or_else(|| format!("{place}.html")),
        entries: entries.collect(),
        others,
        page: page.map(|made| facts(context, made)),
        package: package.map(|made| facts(context, made)),
        frame,
        flavour: flavour.map_or_else(|| gateway.to_owned(), |flavour| flavour.name.clone()),
        place: branch_name(context),
        most: Limits::default().portal_bytes.value,
        stale: stale(context, OutputKind::Portal),
        fault: fault(context, OutputKind::Portal),
    }
}

fn branch_name(context: &Context<'_>) -> String {
    let branch = context.view.branch.as_ref();
    let branch = branch.and_then(|id| context.snapshot.library.branch(id));
    branch.map_or_else(|| "全行".to_owned(), |branch| branch.name.clone())
}

fn texts(context: &Context<'_>) -> Vec<Short> {
    let limits = Limits::default();
    let kinds = [
        (OutputKind::Ticker, "led"),
        (OutputKind::Banner, "cloth"),
        (OutputKind::Sms, "bubble"),
        (OutputKind::Post, "post"),
        (OutputKind::StaffCard, "card"),
    ];
    let mut texts = Vec::new();
    for (kind, class) in kinds {
        let outputs = pieces(context, kind, Role::Text);
        for (output, made) in
            outputs.flat_map(|one| one.files().iter().map(move |made| (one, made)))
        {
            let text = String::from_utf8_lossy(&made.bytes).trim_end().to_owned();
            let (length, most, unit) = match kind {
                OutputKind::Sms => (text.encode_utf16().count(), limits.sms_units.value, "个字符"),
                OutputKind::Post => (text.chars().count(), limits.post_characters.value, "个字符"),
                OutputKind::Ticker => (count_words(&text), limits.ticker_words.value, "字"),
                OutputKind::Banner => (count_words(&text), limits.banner_words.value, "字"),
                _ => (count_words(&text), limits.staff_words.value, "字"),
            };
            texts.push(Short {
                class,
                label: kind.label(),
                text,
                length: format!("{length} {unit}，至多 {most}"),
                file: facts(context, made),
                is_stale: context.sheet.is_broken || output.is_stale(),
            });
        }
    }
    texts
}
