use caishi::{
    model::*,
    render::{
        fonts::FontFiles,
        poster::{design::*, png, qr::QrCode, scale::*},
        *,
    },
};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};
fn inl(s: &str) -> Vec<Inline> {
    let mut v = vec![];
    let mut rest = s;
    while let Some(i) = rest.find("{{hotline:") {
        if i > 0 {
            v.push(Inline { span: Span::default(), kind: InlineKind::Text(rest[..i].into()) });
        }
        let e = rest[i..].find("}}").unwrap() + i;
        v.push(Inline {
            span: Span::default(),
            kind: InlineKind::Hotline(HotlineId::new(&rest[i + 10..e]).unwrap()),
        });
        rest = &rest[e + 2..];
    }
    if !rest.is_empty() {
        v.push(Inline { span: Span::default(), kind: InlineKind::Text(rest.into()) });
    }
    v
}
fn assets(dir: &Path) -> AssetSet {
    let mut s = AssetSet::default();
    let t: toml::Table =
        fs::read_to_string(dir.join("assets.toml")).unwrap_or_default().parse().unwrap_or_default();
    for a in t.get("asset").and_then(|a| a.as_array()).cloned().unwrap_or_default() {
        let f = a["file"].as_str().unwrap().to_string();
        let b: Arc<[u8]> = fs::read(dir.join(&f)).unwrap().into();
        s.by_file.insert(
            f.clone(),
            Asset {
                file: f.clone(),
                path: dir.join(&f),
                alt: a["alt"].as_str().unwrap().into(),
                author: String::new(),
                licence: String::new(),
                source: String::new(),
                tags: a["tags"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|t| t.as_str().unwrap().to_string())
                    .collect(),
                media_type: MediaType::Svg,
                digest: Digest::of(&b),
                bytes: b,
            },
        );
    }
    s
}
fn variant(dir: &Path, a: Audience) -> Option<Variant> {
    let f = dir.join(if a == Audience::General {
        "lesson.md".into()
    } else {
        format!("lesson.{a}.md")
    });
    let text = fs::read_to_string(&f).ok()?;
    let get = |k: &str| {
        text.lines()
            .find_map(|l| l.strip_prefix(&format!("{k}: ")))
            .map(|v| v.trim_matches('"').to_string())
    };
    let h = get("headline")?;
    let lines = h
        .split('|')
        .map(|l| {
            let mut p = vec![];
            let mut r = l;
            if let (Some(i), Some(j)) = (l.find('['), l.find(']')) {
                if i > 0 {
                    p.push(HeadlinePart { text: l[..i].into(), lure: false });
                }
                p.push(HeadlinePart { text: l[i + 1..j].into(), lure: true });
                r = &l[j + 1..];
            }
            if !r.is_empty() {
                p.push(HeadlinePart { text: r.into(), lure: false });
            }
            p
        })
        .collect();
    let topic = fs::read_to_string(dir.join("lesson.md"))
        .ok()?
        .lines()
        .find_map(|l| {
            l.strip_prefix("topics: [")
                .map(|v| v.trim_end_matches(']').split(',').next().unwrap().trim().to_string())
        })
        .unwrap();
    let mut t = PosterText::default();
    let start = text.find(":::screen")?;
    let mut depth = 0;
    for l in text[start..].lines() {
        let l = l.trim();
        if l.starts_with(":::") {
            let n = l.trim_start_matches(':');
            if n.is_empty() {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            } else {
                depth += 1;
            }
            continue;
        }
        if l.is_empty() {
            continue;
        }
        if let Some(r) = l.strip_prefix("- ") {
            if let Some((s, w)) = r.split_once('：') {
                if depth == 2 || a == Audience::Student {
                    t.dialogue.push(Turn {
                        span: Span::default(),
                        speaker: s.into(),
                        content: inl(w),
                    });
                    continue;
                }
            }
            t.lines.push(inl(r));
            continue;
        }
        if l.chars().next().unwrap().is_ascii_digit() && l.contains("**") {
            let p: Vec<&str> = l.splitn(3, "**").collect();
            let mut sent = p[2].trim().to_string();
            let mut hot = None;
            if let Some(i) = sent.find("{{hotline:") {
                let e = sent[i..].find("}}").unwrap() + i;
                hot = Some(HotlineId::new(&sent[i + 10..e]).unwrap());
                sent.replace_range(i..e + 2, "");
            }
            t.steps.push(Step {
                span: Span::default(),
                word: p[1].into(),
                sentence: inl(sent.trim()),
                hotline: hot,
            });
            continue;
        }
        if l.contains("**") {
            let p: Vec<&str> = l.split("**").collect();
            t.lead = Some(Lead { plain: inl(p[0]), imperative: inl(p[1]) });
        } else {
            t.cue = Some(inl(l));
        }
    }
    let d = jiff::civil::date(2026, 1, 1);
    let mut labels = vec![];
    for l in text.lines() {
        let l = l.trim();
        if l.starts_with("- {text:") {
            let f = |k: &str| {
                l.split(&format!("{k}: ")).nth(1).map(|v| {
                    v.split([',', '}']).next().unwrap().trim().trim_matches('"').to_string()
                })
            };
            labels.push(ObjectLabel {
                text: f("text").unwrap(),
                x: f("x").unwrap().parse().unwrap(),
                y: f("y").unwrap().parse().unwrap(),
                size: f("size").unwrap().parse().unwrap(),
                rotate: f("rotate").map_or(0.0, |v| v.parse().unwrap()),
                colour: f("colour").unwrap(),
                bold: f("bold").is_some(),
            });
        }
    }
    Some(Variant {
        file: Arc::new(SourceFile { path: f, text: text.clone().into() }),
        digest: Digest::of(b""),
        audience: a,
        version: 1,
        kind: LessonKind::Education,
        title: Located::default(),
        short_title: None,
        headline: Located { value: Headline { lines }, span: Span::default() },
        digest_text: Located::default(),
        topics: vec![TopicId::new(&topic).unwrap()],
        audiences: vec![],
        campaigns: vec![],
        outputs: vec![],
        priority: Priority::Normal,
        valid_from: d,
        valid_until: d,
        facts_review_by: None,
        hotlines: vec![],
        owner: String::new(),
        co_review: vec![],
        qr_label: get("qr_label").unwrap_or("扫码看全文".into()),
        keywords: vec![],
        object_labels: labels,
        sources: vec![],
        body: vec![],
        tiers: Tiers { screen: Some(t), ..Default::default() },
    })
}
fn main() {
    let root = Path::new("content");
    let mut lib = Library::default();
    lib.assets = assets(&root.join("assets"));
    let t: toml::Table = fs::read_to_string("content/topics.toml").unwrap().parse().unwrap();
    for x in t["topic"].as_array().unwrap() {
        lib.topics.push(Topic {
            id: TopicId::new(x["id"].as_str().unwrap()).unwrap(),
            name: String::new(),
            tag: x["tag"].as_str().unwrap().into(),
            palette: x["palette"].as_str().unwrap().into(),
            department: String::new(),
        });
    }
    let t: toml::Table = fs::read_to_string("content/hotlines.toml").unwrap().parse().unwrap();
    for x in t["hotline"].as_array().unwrap() {
        lib.hotlines.push(Hotline {
            id: HotlineId::new(x["id"].as_str().unwrap()).unwrap(),
            number: x["number"].as_str().unwrap().into(),
            name: String::new(),
            short: x["short"].as_str().unwrap().into(),
            note: String::new(),
            kind: HotlineKind::Bank,
            hours: String::new(),
            source: String::new(),
            verified_on: jiff::civil::date(2026, 1, 1),
            verified_by: String::new(),
        });
    }
    for l in fs::read_to_string("content/branches.csv").unwrap().lines().skip(1) {
        let c: Vec<&str> = l.split(',').collect();
        lib.branches.push(Branch {
            id: BranchId::new(c[0]).unwrap(),
            name: c[1].into(),
            district: c[2].into(),
            tags: vec![],
            address: c[4].into(),
            hotline: (!c[5].is_empty()).then(|| c[5].into()),
            hours: c[6].into(),
        });
    }
    let mut profiles: BTreeMap<String, Profile> = BTreeMap::new();
    for l in fs::read_to_string("content/screens.csv").unwrap().lines().skip(1) {
        let c: Vec<&str> = l.split(',').collect();
        profiles.insert(
            c[2].into(),
            Profile {
                name: c[2].into(),
                width: c[3].parse().unwrap(),
                height: c[4].parse().unwrap(),
                mm_width: c[5].parse().unwrap(),
                distance_m: c[6].parse().unwrap(),
                dwell_s: c[7].parse().unwrap(),
            },
        );
    }
    let bank = Bank {
        name: "山城示范银行".into(),
        base_url: "https://edu.shancheng.example".into(),
        hotline: HotlineId::new("bank").unwrap(),
        disclaimer: String::new(),
    };
    let only: Vec<String> = std::env::args().skip(1).collect();
    let want = |s: &str| only.is_empty() || only.iter().any(|o| s.contains(o.as_str()));
    let fonts = Fonts::load(&FontFiles::new(vec![])).unwrap();
    let templates = Templates::new(&BTreeMap::new()).unwrap();
    let palettes = Palettes::parse(caishi::render::templates::BUILT_IN_PALETTES).unwrap();
    let scale = Scale::parse(BUILT_IN).unwrap();
    let stage = Stage { fonts: &fonts, templates: &templates, palettes: &palettes };
    let mut lessons = vec![];
    for e in fs::read_dir("content/lessons").unwrap() {
        let dir = e.unwrap().path();
        let id = LessonId::new(dir.file_name().unwrap().to_str().unwrap()).unwrap();
        let variants: BTreeMap<_, _> =
            Audience::ALL.iter().filter_map(|a| Some((*a, variant(&dir, *a)?))).collect();
        lessons.push(Lesson { id, variants, assets: assets(&dir) });
    }
    fs::create_dir_all("/tmp/look").unwrap();
    for lesson in &lessons {
        for v in lesson.variants.values() {
            for p in profiles.values() {
                let name = format!("{}.{}.{}", p.name, v.audience, lesson.id);
                if !want(&name) {
                    continue;
                }
                let scene = Scene { bank: &bank, library: &lib, lesson, variant: v, branch: None };
                let t0 = std::time::Instant::now();
                match Design::new(&scene, &stage, &scale, v.tiers.screen.as_ref().unwrap(), p) {
                    Ok(d) => {
                        let t1 = t0.elapsed();
                        let b = &lib.branches[2];
                        let s2 = Scene { branch: Some(b), ..scene };
                        let code = QrCode::new(&s2.qr_address()).unwrap();
                        let px = d.whole(&stage, b, &code).unwrap();
                        let t2 = t0.elapsed();
                        let f = png::encode(&px, None).unwrap();
                        println!(
                            "{name}: {:?} {} 字 {:.0}px fit {:?} draw {:?} png {:?} {} B",
                            d.tier,
                            d.report.word_count,
                            d.report.min_glyph_px,
                            t1,
                            t2 - t1,
                            t0.elapsed() - t2,
                            f.len()
                        );
                        fs::write(format!("/tmp/look/{name}.png"), f).unwrap();
                    }
                    Err(e) => println!("{name}: ERR {e}"),
                }
            }
        }
    }
}
