//! Slots, limits of the content, and what the platform changed.

use super::account::{APP_ID, articles, checked, empty_parcel, listing, message, picture};
use crate::behaviour::books::MemoryBooks;
use caishi::{
    deliver::{
        Parcel,
        wechat::{difference::difference, html, preflight},
    },
    model::{Digest, MediaType},
};
use jiff::Timestamp;
use proptest::prelude::*;

fn slot(byte: u8) -> String {
    format!("caishi-slot:{}", Digest::of(&[byte]))
}

/// A piece of an article, as the renderer writes them.
fn piece() -> impl Strategy<Value = String> {
    let text = "[财识防骗 a-z&;'0-9\\n]{0,12}";
    prop_oneof![
        text.prop_map(|text| format!("<p style=\"color:#333\">{}</p>", text.replace('&', "&amp;"))),
        any::<u8>().prop_map(|byte| format!("<img src=\"{}\" alt=\"图\">", slot(byte))),
        any::<u8>().prop_map(|byte| format!("<img alt='caishi-slot:' src='{}'>", slot(byte))),
        // Speaking of slots is not using one.
        any::<u8>().prop_map(|byte| format!("<code>src=\"{}\"</code>", slot(byte))),
        any::<u8>().prop_map(|byte| format!("<!-- <img src=\"{}\"> -->", slot(byte))),
        Just("<p>1 &lt; 2 caishi-slot:abc</p>".to_owned()),
        Just("<br>".to_owned()),
    ]
}

proptest! {
    /// Filling changes the slots' values and not one other byte: taking the addresses out again
    /// gives the approved text back.
    #[test]
    fn only_slots_are_filled(pieces in prop::collection::vec(piece(), 0..20)) {
        let html = pieces.concat();
        let used = html::slot_pictures(&html);
        let address = |picture: &Digest| format!("http://mmbiz.qpic.cn/{picture}?a=1&b=\" '");
        let filled = html::fill_slots(&html, |picture| Some(address(picture))).unwrap();
        let mut restored = filled.clone();
        for picture in &used {
            let written = format!("http://mmbiz.qpic.cn/{picture}?a=1&amp;b=&quot; &#39;");
            restored = restored.replacen(&written, &format!("caishi-slot:{picture}"), 1);
        }
        prop_assert_eq!(&restored, &html);
        prop_assert_eq!(html::slot_pictures(&filled), vec![]);
        // A browser reads the very address.
        for (picture, piece) in used.iter().zip(images(&filled)) {
            prop_assert_eq!(piece, address(picture));
        }
        let (characters, _) = caishi::model::counted_with_slots(&html);
        let dummy = html::fill_slots(&html, |_| Some("u".repeat(200))).unwrap();
        prop_assert_eq!(characters, dummy.chars().count());
    }

    /// A parcel that breaks no limit has no fault; one step over any of them has.
    #[test]
    fn preflight_knows_every_limit(
        title in 1_usize..=34, author in 0_usize..=18, digest in 0_usize..=130,
        url in 40_usize..=1026, count in 1_usize..=9, cover in any::<bool>(),
        media in prop::sample::select(vec![MediaType::Png, MediaType::Jpeg, MediaType::Svg]),
    ) {
        let mut parcel = articles(&MemoryBooks::new(Timestamp::UNIX_EPOCH), &["课"; 1]);
        let mut message = parcel.messages[0].clone();
        message.title = "课".repeat(title);
        message.author = "行".repeat(author);
        message.digest_text = "要".repeat(digest);
        message.source_url = format!("https://edu.shancheng.example/{}", "q".repeat(url - 30));
        if !cover {
            (message.cover_wide, message.cover_square) = (None, None);
        }
        for file in &mut parcel.files {
            if Some(&file.sha256) == message.pictures.first() {
                file.media_type = media;
            }
        }
        parcel.messages = vec![message; count];
        let faults = preflight::parcel(&checked(""), &parcel);
        let fits = title <= 32 && author <= 16 && digest <= 128 && url <= 1024 && count <= 8
            && cover && media != MediaType::Svg;
        prop_assert_eq!(faults.is_empty(), fits, "{:?}", faults);
    }

    /// The count of characters decides, with 200 for a slot.
    #[test]
    fn content_is_counted_with_its_slots(text in 19_700_usize..20_000, slots in 0_usize..3) {
        let parcel = articles(&MemoryBooks::new(Timestamp::UNIX_EPOCH), &["课"]);
        let message = &parcel.messages[0];
        let picture = format!("<img src=\"caishi-slot:{}\">", message.pictures[0]);
        let html = format!("{}{}", "字".repeat(text), picture.repeat(slots));
        let characters = text + slots * (picture.chars().count() - 76 + 200);
        let faults = preflight::content(message, 1, 1, &html);
        prop_assert_eq!(faults.is_empty(), characters < 20_000, "{}: {:?}", characters, faults);
    }
}

/// The addresses of the pictures, as a browser reads them.
fn images(html: &str) -> Vec<String> {
    let source = |piece| match piece {
        html::Piece::Open(tag, attributes) if tag == "img" => {
            attributes.into_iter().find(|(name, _)| name == "src").map(|(_, value)| value)
        }
        _ => None,
    };
    html::pieces(html).into_iter().filter_map(source).collect()
}

#[test]
fn a_slot_without_a_picture_is_said() {
    let html = format!("<img src=\"{}\">", slot(1));
    assert_eq!(html::fill_slots(&html, |_| None), Err(Digest::of(&[1])));
}

fn newspic(pictures: usize) -> Parcel {
    let mut parcel = empty_parcel();
    let mut message = message("图片消息");
    let bytes = picture(30, 40, false, image::ImageFormat::Png);
    parcel.files.push(listing("1.png", MediaType::Png, &bytes));
    message.pictures = vec![Digest::of(&bytes); pictures];
    parcel.messages.push(message);
    parcel
}

#[test]
fn what_else_cannot_be_sent() {
    let config = checked("bundle = 2");
    let ok = articles(&MemoryBooks::new(Timestamp::UNIX_EPOCH), &["一", "二"]);
    let change = |change: &dyn Fn(&mut Parcel)| {
        let mut parcel = ok.clone();
        change(&mut parcel);
        parcel
    };
    let table: [(Parcel, &str); 14] = [
        (change(&|parcel| parcel.messages.clear()), "没有要发的文章"),
        (change(&|parcel| parcel.messages.push(parcel.messages[0].clone())), "一次要发 3 篇"),
        (change(&|parcel| parcel.target = "wx2".into()), "这个渠道的公众号是"),
        (change(&|parcel| parcel.messages[1].title = " ".into()), "第 2 篇《 》没有标题"),
        (change(&|parcel| parcel.messages[0].title = "一\n二".into()), "标题里有换行"),
        (change(&|parcel| parcel.messages[0].source_url = "javascript:1".into()), "不是 http"),
        (change(&|parcel| parcel.files.clear()), "不在审批的文件里"),
        (change(&|parcel| parcel.messages[0].content = Some(Digest::of(b"?"))), "正文不在审批"),
        (
            change(&|parcel| {
                let content = parcel.messages[0].content;
                let file = parcel.files.iter_mut().find(|file| Some(file.sha256) == content);
                file.unwrap().bytes = 80_000;
            }),
            "要少于 20000 个字符",
        ),
        (change(&|parcel| parcel.messages[0] = newspic(1).messages.remove(0)), "单独成一条"),
        (newspic(0), "既没有正文也没有图片"),
        (newspic(21), "有 21 张图片"),
        (
            {
                let mut parcel = newspic(1);
                parcel.messages[0].text = Some(Digest::of(b"?"));
                parcel
            },
            "文字不在审批",
        ),
        (
            {
                let mut parcel = newspic(1);
                parcel.messages.push(parcel.messages[0].clone());
                parcel
            },
            "单独成一条",
        ),
    ];
    for (parcel, fault) in table {
        let faults = preflight::parcel(&config, &parcel);
        assert!(faults.iter().any(|found| found.contains(fault)), "{fault}: {faults:?}");
    }
    assert_eq!(preflight::parcel(&config, &ok), Vec::<String>::new());
    assert_eq!(preflight::parcel(&config, &newspic(20)), Vec::<String>::new());
    assert_eq!(ok.target, APP_ID);
}

#[test]
fn pictures_from_elsewhere_are_found() {
    let parcel = articles(&MemoryBooks::new(Timestamp::UNIX_EPOCH), &["课"]);
    let message = &parcel.messages[0];
    let own = format!("<p>字</p><img src=\"caishi-slot:{}\">", message.pictures[0]);
    let table = [
        (own.clone(), 0),
        (format!("{own}<img src=\"https://mmbiz.qpic.cn/a.png\">"), 0),
        (format!("{own}<img src=\"https://mmbiz.qpic.cn.evil.example/a.png\">"), 1),
        (format!("{own}<img src=\"data:image/png;base64,AA\">"), 1),
        (format!("{own}<img src=\"../a.png\">"), 1),
        (format!("{own}<p style=\"background:url('https://x.example/a.png')\">"), 1),
        (format!("{own}<svg><image href=\"https://x.example/a.png\"></image></svg>"), 1),
        (format!("{own}<img src=\"{}\">", slot(9)), 1),
        (String::new(), 1),
    ];
    for (html, count) in table {
        let faults = preflight::content(message, 1, 1, &html);
        assert_eq!(faults.len(), count, "{html}: {faults:?}");
    }
    let mut picture_message = message.clone();
    picture_message.content = None;
    assert_eq!(preflight::content(&picture_message, 1, 1, "只有 1 < 2 字").len(), 0);
    assert_eq!(preflight::content(&picture_message, 1, 1, "<b>粗</b>").len(), 1);
}

#[test]
fn what_the_platform_changed_is_said_in_chinese() {
    let table: [(&str, &str, &[&str]); 10] = [
        ("<p>字</p>", "<p>字</p>", &[]),
        // White space and late loading are the platform's ways, not changes.
        (
            "<p>一</p>\n<img src=\"http://mmbiz.qpic.cn/a\">",
            "<p>一 </p><img data-src=\"https://mmbiz.qpic.cn/a\">",
            &[],
        ),
        ("<p style=\"color:red; margin:0\">字</p>", "<p style=\"margin:0;color:red;\">字</p>", &[]),
        (
            "<p id=\"a\">字</p><p id=\"b\">字</p>",
            "<p>字</p><p>字</p>",
            &["平台删掉了<p> 的属性 id 2 处"],
        ),
        (
            "<p style=\"position:absolute;color:red\">字</p>",
            "<p style=\"color:red\">字</p>",
            &["平台删掉了样式 position 1 处"],
        ),
        (
            "<p style=\"color:red\">字</p>",
            "<p style=\"color:blue\">字</p>",
            &["平台改写了样式 color：如 red → blue"],
        ),
        (
            "<p>字<script>alert(1)</script></p><input checked>",
            "<p>字</p>",
            &["平台删掉了标签 <input> 1 处", "平台删掉了标签 <script> 1 处"],
        ),
        ("<p>转账前想一想</p>", "<p>转账想一想</p>", &["平台删掉了文字「前」"]),
        ("<p>1 &lt; 2</p>", "<p>1 &lt; 3</p>", &["平台改动了文字：「2」→「3」"]),
        ("<img src=\"https://a.example/1\">", "<img>", &["平台换掉或删掉了 1 张图片的地址"]),
    ];
    for (sent, stored, lines) in table {
        assert_eq!(difference(sent, stored), lines, "{sent} → {stored}");
    }
}
