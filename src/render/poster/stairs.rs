//! The staircase of the general family: steps of advice are steps one can see.

use super::scale::{Scaled, Scheme};

/// The staircase: `count` treads that rise from left to right.
pub(super) struct Stairs<'a> {
    scaled: &'a Scaled<'a>,
    left: u32,
    width: u32,
    count: usize,
}

impl<'a> Stairs<'a> {
    /// `alone` is for the one tread that the shortest tier keeps.
    pub fn new(scaled: &'a Scaled<'a>, profile_width: u32, count: usize, alone: bool) -> Self {
        let [left, width, ..] = scaled.sizes.stair;
        let full = scaled.scheme == Scheme::Portrait;
        let at_right = matches!(scaled.scheme, Scheme::Bar | Scheme::Ribbon);
        let (mut left, mut width) = (scaled.px(left), scaled.px(width));
        if full {
            (left, width) = (0, profile_width);
        } else if at_right {
            left = profile_width - width;
        }
        if alone {
            // One tread stands where the last of four stood.
            left += width - width / 4;
            width /= 4;
        }
        Self { scaled, left, width, count }
    }

    /// The first tread's text stands on the poster's margin, so it is wider by what is left of it.
    pub fn padding(&self, index: usize) -> u32 {
        let own = self.scaled.px(match self.scaled.scheme {
            Scheme::Portrait => 32.0,
            Scheme::Landscape => 24.0,
            Scheme::Kiosk => 14.0,
            Scheme::Bar | Scheme::Ribbon => 12.0,
        });
        let on_margin = index == 0 && self.left == 0;
        if on_margin { self.scaled.px(self.scaled.sizes.margin) } else { own }
    }

    /// Left edge, width and height of a tread.
    pub fn tread(&self, index: usize) -> (u32, u32, u32) {
        let extra = self.padding(0).saturating_sub(self.padding(1));
        let each = (self.width - extra) / self.count.max(1) as u32;
        let left = self.left + if index == 0 { 0 } else { extra + each * index as u32 };
        let last = index + 1 == self.count;
        let right = if last {
            self.left + self.width
        } else {
            self.left + extra + each * (index as u32 + 1)
        };
        let [_, _, first_height, last_height] = self.scaled.sizes.stair;
        let rise = if self.count > 1 { index as f64 / (self.count - 1) as f64 } else { 1.0 };
        let height = self.scaled.px(first_height + (last_height - first_height) * rise);
        (left, right - left, height)
    }
}
