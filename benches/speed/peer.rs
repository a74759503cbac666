//! The peer: Chromium draws the same HTML with the same faces, warm and at its best.
//!
//! The browser and its page stay open. A lesson's poster is set once and its first picture is not
//! counted; for each branch after that a script replaces the strip alone, the picture is taken and
//! written to disk. All processes of the browser are counted, this driver is not.

use crate::{
    chromium::Browser,
    clock,
    floor::Fitted,
    network::{LESSONS, Network, PROFILES},
    package_path,
    table::{Goal, Table},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::{
    build::Studio,
    model::Branch,
    render::{Stage, fonts::FAMILY, poster::engine::Pixels},
};
use std::{fs, path::Path};

/// Replaces the strip and, where a branch moves its lines, the strip's style.
const SCRIPT: &str = "window.show = (style, strip) => {
    const old = document.querySelector('.strip');
    const sheet = old.previousElementSibling;
    if (sheet.textContent !== style) sheet.textContent = style;
    old.outerHTML = strip;
};";

/// How a picture is taken.
#[derive(Clone, Copy)]
struct Mode {
    name: &'static str,
    fast: bool,
}

const MODES: [Mode; 2] = [
    Mode { name: "fastest (optimizeForSpeed)", fast: true },
    Mode { name: "default", fast: false },
];

/// A lesson's posters as HTML: the whole of the first, and what the others change.
struct Job<'a> {
    fitted: Fitted<'a>,
    branches: Vec<&'a Branch>,
    pages: Vec<String>,
}

/// Takes `sample` pictures of each lesson at each profile and compares them with `ours`, in
/// posters per CPU second.
pub fn measure(
    program: &Path,
    network: &Network,
    sample: usize,
    ours: f64,
    table: &mut Table,
) -> anyhow::Result<()> {
    let studio = Studio::load(&network.config)?;
    let stage = studio.stage()?;
    let mut browser = Browser::start(program)?;
    browser.evaluate(&faces()?).context("the faces")?;
    let version = browser.version()?;
    let folder = tempfile::tempdir()?;
    let mut cpu_ms = [0.0; MODES.len()];
    let mut rows = Vec::new();
    let mut difference: f64 = 0.0;
    for (profile, width, height, ..) in PROFILES {
        browser.resize(width, height)?;
        let jobs = jobs(network, &studio, &stage, profile, sample)?;
        difference = difference.max(compare(&mut browser, &jobs[0], &stage)?);
        for (mode, sum) in MODES.iter().zip(&mut cpu_ms) {
            let (ms, bytes) = run(&mut browser, &jobs, *mode, folder.path())?;
            *sum += ms / PROFILES.len() as f64;
            let what = format!("  {}, {profile}", mode.name);
            rows.push((what, format!("{ms:.0} ms, files of {:.0} kB", bytes / 1e3)));
        }
    }
    table.section(&format!(
        "The peer: {version}, headless, warm; {} posters each way",
        sample * LESSONS.len() * PROFILES.len()
    ));
    for ((mode, ms), (least, text)) in
        MODES.iter().zip(cpu_ms).zip([(15.0, "≥ 15×"), (35.0, "≥ 35×")])
    {
        let theirs = 1e3 / ms;
        table.row(&format!("CPU per poster, {}", mode.name), format!("{ms:.0} ms"));
        let what = format!("posters per CPU second, ours / {}", mode.name);
        let value = format!("{ours:.0} / {theirs:.1} = {:.1}×", ours / theirs);
        table.goal(&what, value, Goal::above(ours / theirs, least, text));
    }
    for (what, value) in rows {
        table.row(&what, value);
    }
    table.row("its pixels differ from ours on average by", format!("{difference:.1} of 255"));
    Ok(())
}

/// A script that loads the embedded faces into the page, once.
fn faces() -> anyhow::Result<String> {
    let mut style = String::new();
    for (file, weight) in [("CaishiSans-Regular.woff2", 400), ("CaishiSans-Bold.woff2", 700)] {
        let bytes = fs::read(package_path("assets/fonts").join(file))?;
        style += &format!(
            "@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:url(data:font/woff2;base64,{})}}",
            STANDARD.encode(bytes)
        );
    }
    Ok(format!(
        "{SCRIPT}
        document.documentElement.lang = 'zh-CN';
        document.head.innerHTML = {};
        Promise.all([400, 700].map(weight => document.fonts.load(`${{weight}} 16px '{FAMILY}'`, '财')))
            .then(faces => {{ if (faces.flat().length !== 2) throw 'a face is missing' }})",
        literal(&format!("<style>{style}</style>"))?
    ))
}

fn jobs<'a>(
    network: &'a Network,
    studio: &Studio,
    stage: &Stage<'_>,
    profile: &str,
    sample: usize,
) -> anyhow::Result<Vec<Job<'a>>> {
    let job = |id: &&str| {
        let fitted = Fitted::new(network, stage, studio.scale(), network.lesson(id)?, profile)?;
        let branches: Vec<&Branch> = network.library.branches.iter().take(sample + 1).collect();
        let page =
            |branch: &&'a Branch| Ok(fitted.design.html(stage, branch, &fitted.code(branch)?)?);
        let pages = branches.iter().map(page).collect::<anyhow::Result<_>>()?;
        Ok(Job { fitted, branches, pages })
    };
    LESSONS.iter().map(job).collect()
}

/// CPU milliseconds of the browser and bytes of a file, per poster.
fn run(
    browser: &mut Browser,
    jobs: &[Job<'_>],
    mode: Mode,
    folder: &Path,
) -> anyhow::Result<(f64, f64)> {
    let (mut cpu, mut bytes, mut posters) = (0.0, 0, 0);
    for job in jobs {
        set(browser, &job.pages[0])?;
        browser.screenshot(mode.fast)?;
        let scripts = job.pages[1..].iter().map(|page| change(page));
        let scripts: Vec<String> = scripts.collect::<anyhow::Result<_>>()?;
        let before = clock::tree_cpu(browser.id());
        for (number, script) in scripts.iter().enumerate() {
            browser.evaluate(script)?;
            let picture = browser.screenshot(mode.fast)?;
            fs::write(folder.join(format!("{number}.png")), &picture)?;
            bytes += picture.len();
        }
        cpu += clock::tree_cpu(browser.id()) - before;
        posters += scripts.len();
    }
    Ok((1e3 * cpu / posters as f64, bytes as f64 / posters as f64))
}

/// Shows a whole poster.
fn set(browser: &mut Browser, page: &str) -> anyhow::Result<()> {
    let body = literal(page)?;
    let script = format!(
        "document.body.style.margin=0;document.body.innerHTML={body};document.fonts.ready.then(()=>0)"
    );
    browser.evaluate(&script).map(drop)
}

/// The script that changes one branch's poster to another's.
fn change(page: &str) -> anyhow::Result<String> {
    let strip = page.rfind(r#"<div class="strip">"#).context("no strip")?;
    let style = page[..strip].rfind("<style>").context("no style before the strip")? + 7;
    let style_end = style + page[style..].find("</style>").context("an open style")?;
    // The page's own `div` is closed after the strip.
    let end = page.rfind("</div>").context("no end")?;
    Ok(format!("show({},{})", literal(&page[style..style_end])?, literal(&page[strip..end])?))
}

fn literal(text: &str) -> anyhow::Result<String> {
    Ok(serde_json::to_string(text)?)
}

/// How far the browser's picture is from ours, after a change of branch: the mean over all colour
/// values. A wrong face, size or text would show here.
fn compare(browser: &mut Browser, job: &Job<'_>, stage: &Stage<'_>) -> anyhow::Result<f64> {
    let last = job.pages.len() - 1;
    set(browser, &job.pages[0])?;
    browser.evaluate(&change(&job.pages[last])?)?;
    let theirs = decode(&browser.screenshot(true)?)?;
    let branch = job.branches[last];
    let ours = job.fitted.design.whole(stage, branch, &job.fitted.code(branch)?)?;
    anyhow::ensure!((theirs.width, theirs.height) == (ours.width, ours.height), "another size");
    let pairs = ours.rgba.iter().zip(&theirs.rgba);
    let sum: u64 = pairs.map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    // The fourth of the four values is the same everywhere.
    Ok(sum as f64 / (ours.rgba.len() / 4 * 3) as f64)
}

fn decode(picture: &[u8]) -> anyhow::Result<Pixels> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().context("too large")?];
    let info = reader.next_frame(&mut bytes)?;
    bytes.truncate(info.buffer_size());
    let rgba = match info.color_type {
        png::ColorType::Rgba => bytes,
        png::ColorType::Rgb => {
            bytes.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect()
        }
        other => anyhow::bail!("pictures of {other:?}"),
    };
    Ok(Pixels { width: info.width, height: info.height, rgba })
}
