#!/usr/bin/env python3
"""Build the embedded Caishi Sans fonts from Noto Sans SC.

Preparation, with the versions that the recorded checksums belong to:

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3
    tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz
    python3 -m venv venv
    venv/bin/pip install fonttools==4.68.0 brotli==1.2.1 chws_tool==1.4.5 \
        east_asian_spacing==1.4.5 uharfbuzz==0.57.0

Build (writes the two .woff2 files and SHA256SUMS beside this script):

    venv/bin/python build.py package

Rebuild in memory and compare with SHA256SUMS, writing nothing:

    venv/bin/python build.py package --check

Compare only the files present with SHA256SUMS:

    python3 build.py --check

Regenerate the character list from the Unihan database (version 15.0.0):

    python3 build.py --tgh-from Unihan_OtherMappings.txt[.bz2]
"""

import argparse
import bz2
import copy
import hashlib
import importlib.metadata
import io
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TGH_FILE = HERE / "charset" / "tgh-8105.txt"
TGH_COUNT = 8105
SUMS_FILE = HERE / "SHA256SUMS"
FAMILY = "Caishi Sans"
POSTSCRIPT_FAMILY = "CaishiSans"
REVISION = "Caishi subset 1"

PINS = {
    "fonttools": "4.68.0",
    "brotli": "1.2.1",
    "chws_tool": "1.4.5",
    "east_asian_spacing": "1.4.5",
    "uharfbuzz": "0.57.0",
}

# Style, source file name, SHA-256 of the source file.
FACES = [
    ("Regular", "NotoSansSC_400Regular.ttf",
     "d45f67f0a7c0ca3f256950777ce6a61cc7ce5f9696d02900cbbaac25f8aa7d16"),
    ("Bold", "NotoSansSC_700Bold.ttf",
     "9a38ae0ab28cd5a256f9ea8e00dedc688aac17f7915fcb000572990afa956b96"),
]

# The features that matter to horizontal Simplified Chinese. `pwid` is kept
# because U+2019 is full-width by default, which is wrong inside English words.
# Apart from the two kana voicing marks no combining mark is covered, so `mark`
# and `mkmk` would have nothing to do.
FEATURES = ["ccmp", "liga", "pwid", "kern", "palt", "halt", "chws"]


# Character set --------------------------------------------------------------

def codec_chars(codec):
    """Return every code point that a two-byte code of `codec` decodes to."""
    found = set()
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                text = bytes([lead, trail]).decode(codec)
            except UnicodeDecodeError:
                continue
            if len(text) == 1:
                found.add(ord(text))
    return found


def is_ideograph(code):
    return (0x3400 <= code < 0x4DC0 or 0x4E00 <= code < 0xA000
            or 0xF900 <= code < 0xFB00 or code >= 0x20000)


def span(first, last):
    return set(range(first, last + 1))


def codes(text):
    return {ord(char) for char in text}


def read_tgh():
    chars = TGH_FILE.read_text(encoding="utf-8").split()
    if len(chars) != TGH_COUNT or len(set(chars)) != TGH_COUNT:
        sys.exit(f"{TGH_FILE.name}: expected {TGH_COUNT} distinct characters")
    return codes("".join(chars))


def write_tgh(unihan):
    opener = bz2.open if unihan.suffix == ".bz2" else open
    entries = {}
    with opener(unihan, "rt", encoding="utf-8") as lines:
        for line in lines:
            match = re.match(r"U\+([0-9A-F]+)\tkTGH\t2013:(\d+)$", line.rstrip())
            if match:
                entries[int(match[2])] = chr(int(match[1], 16))
    if sorted(entries) != list(range(1, TGH_COUNT + 1)):
        sys.exit(f"{unihan.name}: kTGH does not number 1 to {TGH_COUNT}")
    text = "".join(entries[number] + "\n" for number in sorted(entries))
    TGH_FILE.parent.mkdir(exist_ok=True)
    TGH_FILE.write_text(text, encoding="utf-8", newline="\n")
    print(f"{TGH_FILE.name}: {len(entries)} characters")


def charset():
    """Return the requested characters as (group, code points, strict).

    The face must have every character of a strict group. Of the other groups
    it contributes what it has, and the rest is reported.
    """
    gbk_symbols = {code for code in codec_chars("gbk") | codec_chars("cp936")
                   if not is_ideograph(code) and not 0xE000 <= code < 0xF900}
    return [
        ("通用规范汉字表", read_tgh(), True),
        ("GB2312", codec_chars("gb2312"), True),
        ("ASCII", span(0x20, 0x7E), True),
        ("Latin-1", span(0xA0, 0xFF), True),
        ("Pinyin letters", codes("ĀÁǍÀāáǎàĒÉĚÈēéěèĪÍǏÌīíǐìŌÓǑÒōóǒòŪÚǓÙūúǔù"
                                 "ǕǗǙǛÜǖǘǚǜüÊêŃŇǸńňǹḾḿɑɡ"), False),
        ("GBK symbols", gbk_symbols, False),
        ("General punctuation", span(0x2010, 0x2027) | span(0x2030, 0x205E), False),
        ("Currency, units and numbers", codes("¥￥€£‰℃№㎡㎥") | span(0x2460, 0x2473)
         | span(0x3251, 0x325F) | span(0x32B1, 0x32BF) | span(0x2776, 0x277F), False),
        ("Arrows", span(0x2190, 0x2199) | codes("⇒⇔"), False),
        ("Mathematics", codes("−×÷≤≥≠≈±%"), True),
        ("Shapes", codes("■□●○▲△▼▽★☆◆◇◎▶◀"), True),
        ("Ticks, boxes and signs", codes("✓✔✕✖✗✘☐☑☒⚠♀♂♠♡♣♥♦"), False),
        ("CJK symbols", span(0x3000, 0x303F), True),
        ("Kana", span(0x3041, 0x3096) | span(0x3099, 0x30FF), False),
        ("Long dashes", codes("⸺⸻"), True),
        ("Full-width forms", span(0xFF00, 0xFFEF), False),
    ]


def report_charset(groups, available, style):
    failed = False
    total = set().union(*(group for _, group, _ in groups))
    print(f"{style}: {len(total)} requested, {len(total & available)} covered")
    for name, group, strict in groups:
        missing = sorted(group - available)
        print(f"  {name}: {len(group) - len(missing)} of {len(group)}")
        if missing:
            print("    missing: " + " ".join(f"U+{code:04X}" for code in missing))
            failed |= strict
    if failed:
        sys.exit("The source face lacks a character of a required group.")
    return total & available


# Font -----------------------------------------------------------------------

def bake_zhs_forms(font):
    """Give the default glyphs the outlines of the `locl` ZHS forms.

    Without a language tag the em dash of the source is 894 units wide and the
    pair is not 2 em. Copying the outlines makes the Chinese forms unconditional
    and leaves the ligature of two em dashes in `ccmp` working, so that `locl`
    can be dropped.
    """
    gsub = font["GSUB"].table
    scripts = {r.ScriptTag: r.Script for r in gsub.ScriptList.ScriptRecord}
    langs = {r.LangSysTag: r.LangSys for r in scripts["hani"].LangSysRecord}
    glyf, metrics = font["glyf"], font["hmtx"]
    for index in langs["ZHS "].FeatureIndex:
        record = gsub.FeatureList.FeatureRecord[index]
        if record.FeatureTag != "locl":
            continue
        for lookup in record.Feature.LookupListIndex:
            for subtable in gsub.LookupList.Lookup[lookup].SubTable:
                subtable = getattr(subtable, "ExtSubTable", subtable)
                for default, chinese in sorted(subtable.mapping.items()):
                    glyf[default] = copy.deepcopy(glyf[chinese])
                    metrics[default] = metrics[chinese]


def rename(font, style):
    """Rename the family in every name record, as a modified version must be."""
    table = font["name"]
    table.names = [n for n in table.names if n.nameID <= 14]
    postscript = f"{POSTSCRIPT_FAMILY}-{style}"
    for record in table.names:
        old = record.toUnicode()
        new = {
            1: FAMILY,
            2: style,
            3: f"2.004;{REVISION};{postscript}",
            4: f"{FAMILY} {style}",
            5: f"{old};{REVISION}",
            6: postscript,
        }.get(record.nameID, old)
        record.string = new
        if record.nameID != 0 and "Noto" in new:
            sys.exit(f"name record {record.nameID} still carries the old name")


def build_face(source, style, groups):
    from chws_tool import add_chws
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(source, recalcTimestamp=False)
    modified = font["head"].modified
    wanted = report_charset(groups, set(font.getBestCmap()), style)
    bake_zhs_forms(font)

    with tempfile.TemporaryDirectory() as scratch:
        # chws_tool works on files and looks at the original family name and the
        # full glyph set, so it runs before the renaming and the subsetting.
        path = pathlib.Path(scratch) / source.name
        font.save(path)
        if not add_chws(path, path):
            sys.exit("chws_tool made no change")

        options = subset.Options()
        options.layout_features = FEATURES
        options.layout_scripts = ["*"]
        options.name_IDs = ["*"]
        options.name_languages = ["*"]
        options.bidi_closure = False
        options.hinting = False
        options.glyph_names = False
        options.notdef_outline = True
        options.recalc_timestamp = False
        options.flavor = "woff2"
        options.drop_tables += ["STAT", "vhea", "vmtx", "gasp"]
        font = subset.load_font(path, options)
        rename(font, style)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font["head"].modified = modified
        out = io.BytesIO()
        subset.save_font(font, out, options)
    data = out.getvalue()
    verify(data, wanted, style)
    return data


def verify(data, wanted, style):
    """Check the finished file: coverage, names and the behaviour of spacing."""
    import uharfbuzz as hb
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(data))
    covered = set(font.getBestCmap())
    if covered != wanted:
        sys.exit(f"{style}: the cmap differs from the requested set: "
                 + " ".join(f"U+{code:04X}" for code in sorted(covered ^ wanted)))
    tags = {r.FeatureTag for t in ("GSUB", "GPOS")
            for r in font[t].table.FeatureList.FeatureRecord}
    if tags != set(FEATURES):
        sys.exit(f"{style}: unexpected features {sorted(tags)}")

    plain = io.BytesIO()
    font.flavor = None
    font.save(plain)
    shaper = hb.Font(hb.Face(plain.getvalue()))

    def width(text, **features):
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        hb.shape(shaper, buffer, features)
        return sum(position.x_advance for position in buffer.glyph_positions)

    expected = [
        ("，", {}, 1000), ("款”，", {}, 3000),
        ("款”，", {"chws": True}, 2500), ("：“款", {"chws": True}, 2500),
        ("。）", {"chws": True}, 1500), ("，", {"halt": True}, 500),
        ("——", {}, 2000), ("……", {}, 2000), ("’", {"pwid": True}, None),
    ]
    for text, features, units in expected:
        actual = width(text, **features)
        if (actual != units) if units else (actual >= 500):
            sys.exit(f"{style}: {text} {features} is {actual} units wide")
    print(f"  {font['maxp'].numGlyphs} glyphs, {len(covered)} characters, "
          f"{len(data)} bytes")


# Command line ---------------------------------------------------------------

def digest(data):
    return hashlib.sha256(data).hexdigest()


def check(outputs):
    recorded = {}
    for line in SUMS_FILE.read_text(encoding="ascii").splitlines():
        value, name = line.split()
        recorded[name] = value
    names = [f"{POSTSCRIPT_FAMILY}-{style}.woff2" for style, _, _ in FACES]
    failed = sorted(recorded) != sorted(names)
    for name in names:
        files = {"file": (HERE / name).read_bytes()}
        if name in outputs:
            files["rebuild"] = outputs[name]
        for kind, data in files.items():
            same = digest(data) == recorded.get(name)
            failed |= not same
            print(f"{name} ({kind}): {'OK' if same else 'FAILED'}")
    return 1 if failed else 0


def find_source(folder, name):
    found = sorted(folder.rglob(name))
    if len(found) != 1:
        sys.exit(f"expected one {name} under {folder}, found {len(found)}")
    return found[0]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=pathlib.Path,
                        help="folder that holds the source TTF files")
    parser.add_argument("--check", action="store_true",
                        help="compare with SHA256SUMS and write nothing")
    parser.add_argument("--tgh-from", type=pathlib.Path, metavar="FILE",
                        help="write charset/tgh-8105.txt from Unihan and stop")
    options = parser.parse_args()
    if options.tgh_from:
        write_tgh(options.tgh_from)
        return 0
    outputs = {}
    if options.source:
        for package, version in PINS.items():
            actual = importlib.metadata.version(package)
            if actual != version:
                print(f"warning: {package} is {actual}, not {version}; "
                      "the bytes may differ", file=sys.stderr)
        groups = charset()
        for style, name, expected in FACES:
            source = find_source(options.source, name)
            if digest(source.read_bytes()) != expected:
                sys.exit(f"{name} is not the expected source file")
            outputs[f"{POSTSCRIPT_FAMILY}-{style}.woff2"] = build_face(
                source, style, groups)
    elif not options.check:
        parser.error("the source folder is required")
    if options.check:
        return check(outputs)
    for name, data in outputs.items():
        (HERE / name).write_bytes(data)
    SUMS_FILE.write_text("".join(f"{digest(data)}  {name}\n"
                                 for name, data in sorted(outputs.items())),
                         encoding="ascii", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
