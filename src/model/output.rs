//! What is made, and for whom.

macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal / $label:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the listing.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in flags, front matter, file names and listings.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The name shown to people, in Chinese.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }

            /// Reads the name used in flags and front matter.
            #[must_use]
            pub fn from_name(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(super) use named_enum;

named_enum!(
    /// The people a text is written for; each has its own body and its own family of posters.
    Audience {
        /// Everybody.
        General = "general" / "通用版",
        /// Older customers: large type, steps first, telephone first.
        Elder = "elder" / "老年版",
        /// Students: a conversation.
        Student = "student" / "学生版",
    }
);

named_enum!(
    /// What is made of a lesson. *Output* is what is made, *channel* is where it goes.
    OutputKind {
        /// The WeChat article and its two covers.
        Article = "article" / "微信文章",
        /// The WeChat picture message.
        Newspic = "newspic" / "图片消息",
        /// The e-poster of a branch screen.
        Screen = "screen" / "屏幕海报",
        /// The printed poster, A3 and A4.
        Print = "print" / "印刷海报",
        /// The A4 trifold leaflet.
        Leaflet = "leaflet" / "三折页",
        /// The Wi-Fi portal page.
        Portal = "portal" / "上网认证页",
        /// The short post.
        Post = "post" / "短文",
        /// The LED ticker line.
        Ticker = "ticker" / "滚动字幕",
        /// The banner slogan.
        Banner = "banner" / "横幅",
        /// The text message.
        Sms = "sms" / "短信",
        /// Talking points for the lobby, staff only.
        StaffCard = "staff-card" / "厅堂话术卡",
        /// The sheet of the morning meeting, staff only.
        Morning = "morning" / "晨会页",
        /// The sheet of the education booth.
        Booth = "booth" / "展台页",
        /// The public notice of complaint hotlines (公示).
        Notice = "notice" / "投诉电话公示",
    }
);

impl OutputKind {
    /// Whether only staff may see it: text of `:::staff` goes nowhere else.
    #[must_use]
    pub fn is_for_staff(self) -> bool {
        matches!(self, Self::StaffCard | Self::Morning)
    }
}
