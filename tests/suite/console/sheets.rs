//! Tables in and out: every encoding, formulas, and files that are meant to hurt.

use caishi::console::sheet::{self, Format};
use std::io::{Cursor, Write as _};
use zip::{ZipWriter, write::SimpleFileOptions};

const HEADER: [&str; 3] = ["id", "name", "tags"];

fn rows(rows: &[[&str; 3]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect()
}

fn read(bytes: &[u8]) -> sheet::Table {
    let (table, faults) = sheet::read(bytes);
    assert_eq!(faults, Vec::new());
    table
}

/// The faults as lines.
fn faults(bytes: &[u8]) -> Vec<String> {
    let (_, faults) = sheet::read(bytes);
    assert!(!faults.is_empty());
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn what_goes_out_comes_back_the_same() {
    let written = rows(&[["b001", "青石坡，“支行”", "elder;community"], ["b002", "a,\"b\"", ""]]);
    for format in Format::ALL {
        let bytes = sheet::write("网点表", &HEADER, &written, format).unwrap();
        assert_eq!(bytes, sheet::write("网点表", &HEADER, &written, format).unwrap());
        let table = read(&bytes);
        assert_eq!(table.header, HEADER, "{format:?}");
        let cells: Vec<_> = table.rows.iter().map(|row| row.cells.clone()).collect();
        assert_eq!(cells, written, "{format:?}");
        assert_eq!(table.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(Format::from_name(format.as_str()), Some(format));
    }
    assert!(
        sheet::write("x", &HEADER, &written, Format::Csv).unwrap().starts_with(b"\xEF\xBB\xBF")
    );
    let rare = rows(&[["b001", "𠮷野支行", ""]]);
    let error = sheet::write("x", &HEADER, &rare, Format::Gbk).unwrap_err().to_string();
    assert!(error.contains('𠮷') && error.contains("UTF-8"), "{error}");
}

#[test]
fn formulas_neither_leave_nor_come_in() {
    let signs = ["=1+1", "+86 23", "-2", "@SUM(A1)", "＝1", "\t=1", "\r=1"];
    for sign in signs {
        let bytes = sheet::write("x", &HEADER, &rows(&[["b001", sign, ""]]), Format::Csv).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(&format!("\"'{sign}\"")), "{text:?}");
        // Neither as it was nor behind the apostrophe.
        for cell in [sign.to_owned(), format!("'{sign}")] {
            let file = format!("id,name,tags\nb001,\"{cell}\",\n");
            let told = faults(file.as_bytes());
            assert!(told[0].starts_with("第 2 行 name 列："), "{told:?}");
            assert!(told[0].contains("= + - @"), "{told:?}");
        }
    }
    // What only looks like one.
    let table = read("id,name,tags\nb001,'a,1-2=3\n".as_bytes());
    assert_eq!(table.rows[0].cells, ["b001", "'a", "1-2=3"]);
}

#[test]
fn every_encoding_of_a_spreadsheet_is_read() {
    let text = "id,name,tags\r\nb001,青石坡支行,\r\n\r\n,,\r\nb002, 大学坡 ,x\r\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.replace(',', "\t").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let with_mark = format!("\u{FEFF}{text}").into_bytes();
    for bytes in [text.as_bytes(), &gbk, &utf16, &with_mark, text.replace(',', ";").as_bytes()] {
        let table = read(bytes);
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.rows[0].cells, ["b001", "青石坡支行", ""]);
        assert_eq!(table.rows[1].cells, ["b002", "大学坡", "x"]);
        // Numbers are those that the spreadsheet shows.
        assert_eq!(table.rows[1].number, 5);
    }
    for bytes in [
        &b""[..],
        b"\x00\x01\x02",
        b"\xFF\xFF\xFF",
        b"\xD0\xCF\x11\xE0\xA1",
        b"\n\n",
        b"%PDF-1.7\x00",
    ] {
        assert_eq!(faults(bytes).len(), 1, "{bytes:?}");
    }
    assert!(faults(b"\xD0\xCF\x11\xE0\xA1")[0].contains(".xls"));
}

#[test]
fn every_fault_is_told_at_once() {
    let long = "长".repeat(sheet::LONGEST_CELL + 1);
    let file = format!("id,name,tags\nb001,=1,\nb002,a\nb003,,,,z\nb004,\"a\nb\",{long}\n");
    let told = faults(file.as_bytes());
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("第 2 行 name 列"), "{told:?}");
    assert!(told[1].starts_with("第 4 行 E 列：表头只有 3 列"), "{told:?}");
    assert!(told[2].starts_with("第 5 行 name 列") && told[2].contains("换行"), "{told:?}");
    assert!(told[3].starts_with("第 5 行 tags 列"), "{told:?}");
    // The table is there all the same, for what else can be said of it.
    assert_eq!(sheet::read(file.as_bytes()).0.rows.len(), 4);
}

/// A workbook of one sheet with these rows, and further parts.
fn workbook(rows: &str, further: &[(&str, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let relations =
        |inner: String| format!("<Relationships xmlns=\"{PACKAGE}\">{inner}</Relationships>");
    let sheet = relation("rId1", "worksheet", "worksheets/sheet1.xml");
    let strings = relation("rId2", "sharedStrings", "sharedStrings.xml");
    let parts = [
        ("_rels/.rels", relations(relation("rId1", "officeDocument", "xl/workbook.xml"))),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>\
                 <sheet name=\"a\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", relations(sheet + &strings)),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let further = further.iter().map(|(name, text)| (*name, (*text).to_owned()));
    for (name, text) in parts.into_iter().chain(further) {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn cell(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

#[test]
fn a_workbook_is_read_cell_by_cell() {
    let header = format!("<row r=\"1\">{}{}</row>", cell("A1", "id"), cell("B1", "width"));
    let numbers = "<row r=\"3\"><c r=\"A3\"><v>7</v></c><c r=\"B3\"><v>535.7</v></c></row>";
    let table = read(&workbook(&(header.clone() + numbers), &[]));
    assert_eq!(
        (table.rows[0].number, &table.rows[0].cells[..]),
        (3, &["7".into(), "535.7".into()][..])
    );
    let formula = "<row r=\"2\"><c r=\"B2\"><f>HYPERLINK(A1)</f><v>2</v></c></row>";
    let told = faults(&workbook(&(header.clone() + formula), &[]));
    assert!(told[0].starts_with("第 2 行 width 列：这一格是公式"), "{told:?}");
    let error = "<row r=\"2\"><c r=\"A2\" t=\"e\"><v>#N/A</v></c></row>";
    assert!(faults(&workbook(&(header + error), &[]))[0].contains("错误值"));
}

#[test]
fn a_small_file_cannot_become_a_large_one() {
    // It inflates a thousandfold.
    let blank = " ".repeat(100 << 20);
    let bomb = workbook(&blank, &[]);
    assert!(bomb.len() < 1 << 20);
    assert!(faults(&bomb)[0].contains("48 MB"));
    // One cell at the far corner: no grid is made up to it.
    let corner = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    assert!(faults(&workbook(corner, &[]))[0].contains("最多 64 列"));
    let deep = format!(
        "<row r=\"1\">{}</row><row r=\"1048576\"><c r=\"A1048576\"><v>1</v></c></row>",
        cell("A1", "id")
    );
    assert_eq!(read(&workbook(&deep, &[])).rows[0].number, 1_048_576);
    // Room for more texts than there are bytes.
    let announced = "<sst uniqueCount=\"99999999999\"><si><t>x</t></si></sst>";
    let told = faults(&workbook("", &[("xl/sharedStrings.xml", announced)]));
    assert!(told[0].contains("99999999999"), "{told:?}");
    let quoted = "<sst uniqueCount='9&#57;99999999'/>";
    assert!(!faults(&workbook("", &[("xl/sharedStrings.xml", quoted)])).is_empty());
    // One long text in many cells.
    let long = "x".repeat(1 << 20);
    let shared = format!("<sst><si><t>{long}</t></si></sst>");
    let many: String = (1..=400)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>0</v></c></row>"))
        .collect();
    assert!(!faults(&workbook(&many, &[("xl/sharedStrings.xml", &shared)])).is_empty());
    // Many parts, and what is no workbook at all.
    let parts: Vec<(String, &str)> = (0..400).map(|n| (format!("xl/x{n}.xml"), "x")).collect();
    let parts: Vec<(&str, &str)> =
        parts.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    assert!(faults(&workbook("", &parts))[0].contains("不像一张表"));
    let mut whole = workbook("", &[]);
    whole.truncate(whole.len() / 2);
    assert_eq!(faults(&whole).len(), 1);
    let rows: String = (0..=sheet::MOST_ROWS + 1).map(|n| format!("b{n}\n")).collect();
    assert!(faults(format!("id\n{rows}").as_bytes())[0].contains("20000"));
    assert!(faults(&vec![b'a'; sheet::MOST_BYTES + 1])[0].contains("2048 KB"));
}
