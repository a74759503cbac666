//! Verifies the arithmetic of `:::calc` with exact fractions.
//!
//! A line is `名目：算式 = 结果 单位`. Floating point would call `0.1 + 0.2 = 0.3` wrong, and
//! decimals cannot hold a third, so numbers are fractions of 128-bit integers; what does not fit
//! is refused.

use std::{iter::Peekable, str::Chars};

/// The deepest brackets anybody writes by hand; bounds the recursion.
const MAX_BRACKETS: usize = 16;

/// One line, taken apart and found right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Equation<'a> {
    /// What is computed.
    pub(super) label: &'a str,
    /// The left side as written.
    pub(super) expression: &'a str,
    /// The result as written, without its unit.
    pub(super) result: &'a str,
    /// The unit, possibly empty.
    pub(super) unit: &'a str,
    /// Whether the sign was `≈`: the result is rounded.
    pub(super) approximate: bool,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CalcError {
    /// It is no equation; the text says why.
    Form(String),
    /// It is wrong; the text says what the left side equals.
    Wrong(String),
}

/// Takes a line apart and verifies it.
pub(super) fn verify(line: &str) -> Result<Equation<'_>, CalcError> {
    let form = |text: &str| CalcError::Form(text.to_owned());
    let (label, rest) = line
        .split_once(['：', ':'])
        .ok_or_else(|| form("名目后面要有冒号，例如 到手：5000 - 800 = 4200 元"))?;
    let mut sides = rest.split(['=', '＝', '≈']);
    let (Some(left), Some(right), None) = (sides.next(), sides.next(), sides.next()) else {
        return Err(form("要有且只有一个等号（得数是约数时写 ≈）"));
    };
    let approximate = rest.contains('≈');
    let (expression, right) = (left.trim(), right.trim());
    let value = Parser::new(expression).whole().map_err(CalcError::Form)?;
    let (result, unit) = split_unit(right);
    if result.is_empty() {
        return Err(form("等号右边要以数字开头"));
    }
    let claimed = Parser::new(result).whole().map_err(CalcError::Form)?;
    let scale = if result.ends_with(['%', '％']) { 2 } else { 0 };
    let decimals = result
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.chars().take_while(char::is_ascii_digit).count());
    let right_value =
        if approximate { value.rounded(unit_scale(result), scale, decimals) } else { Some(value) };
    if right_value == Some(claimed) {
        return Ok(Equation { label: label.trim(), expression, result, unit, approximate });
    }
    Err(CalcError::Wrong(value.show(scale)))
}

/// 万 and 亿 count as part of the number.
fn unit_scale(result: &str) -> i128 {
    if result.ends_with('万') {
        10_000
    } else if result.ends_with('亿') {
        100_000_000
    } else {
        1
    }
}

fn split_unit(right: &str) -> (&str, &str) {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '，' | '-' | '−' | '+');
    let digits = right.find(|c: char| !is_number(c)).unwrap_or(right.len());
    let rest = &right[digits..];
    let spaces = rest.len() - rest.trim_start().len();
    let end = match rest.trim_start().chars().next() {
        Some(sign @ ('%' | '％' | '万' | '亿')) if digits > 0 => {
            digits + spaces + sign.len_utf8()
        }
        _ => digits,
    };
    (right[..end].trim(), right[end..].trim())
}

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction {
    numerator: i128,
    denominator: i128,
}

const TOO_LARGE: &str = "数太大或小数位太多，算不了";

impl Fraction {
    fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()?;
        let sign = if denominator < 0 { -1 } else { 1 };
        Some(Self {
            numerator: numerator.checked_div(divisor)?.checked_mul(sign)?,
            denominator: denominator.checked_div(divisor)?.checked_mul(sign)?,
        })
    }

    fn add(self, other: Self, sign: i128) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?.checked_mul(sign)?;
        Self::new(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    fn times(self, other: Self) -> Option<Self> {
        Self::new(
            self.numerator.checked_mul(other.numerator)?,
            self.denominator.checked_mul(other.denominator)?,
        )
    }

    fn over(self, other: Self) -> Option<Self> {
        Self::new(
            self.numerator.checked_mul(other.denominator)?,
            self.denominator.checked_mul(other.numerator)?,
        )
    }

    /// Rounded half up to `decimals` places of a number written in units of `unit`, or of a
    /// per cent where `scale` is two.
    fn rounded(self, unit: i128, scale: u32, decimals: usize) -> Option<Self> {
        let shift = 10_i128.checked_pow(u32::try_from(decimals).ok()? + scale)?;
        let step = Self::new(unit, shift)?;
        let units = self.over(step)?;
        let double = units.numerator.checked_mul(2)?.checked_add(units.denominator)?;
        let whole = double.div_euclid(units.denominator.checked_mul(2)?);
        Self::new(whole, 1)?.times(step)
    }

    /// The value as an author would write it, behind “等于”; per cent where `scale` is two.
    fn show(self, scale: u32) -> String {
        let sign = if scale == 2 { "%" } else { "" };
        let exact = (0..=6).find_map(|decimals| {
            let rounded = self.rounded(1, scale, decimals)?;
            (rounded == self).then_some(decimals)
        });
        let decimals = exact.unwrap_or(4);
        let power = u32::try_from(decimals).unwrap_or_default() + scale;
        let scaled = self.rounded(1, scale, decimals).and_then(|value| {
            value.numerator.checked_mul(10_i128.checked_pow(power)?).map(|n| n / value.denominator)
        });
        let Some(scaled) = scaled else {
            return format!("等于 {}/{}", self.numerator, self.denominator);
        };
        let digits = format!("{:0>width$}", scaled.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let minus = if scaled < 0 { "-" } else { "" };
        let about = if exact.is_none() { "约等于 " } else { "等于 " };
        if decimals == 0 {
            format!("{about}{minus}{whole}{sign}")
        } else {
            format!("{about}{minus}{whole}.{fraction}{sign}")
        }
    }
}

fn gcd(mut left: u128, mut right: u128) -> u128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left.max(1)
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    brackets: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), brackets: 0 }
    }

    fn whole(mut self) -> Result<Fraction, String> {
        let value = self.sum()?;
        match self.rest.next() {
            None => Ok(value),
            Some(other) => Err(format!("看不懂“{other}”：只能写数字、单位、+ - × ÷ 和括号")),
        }
    }

    fn sum(&mut self) -> Result<Fraction, String> {
        let mut value = self.product()?;
        loop {
            let sign = match self.peek() {
                Some('+' | '＋') => 1,
                Some('-' | '−' | '－' | '–') => -1,
                _ => return Ok(value),
            };
            self.rest.next();
            let next = self.product()?;
            value = value.add(next, sign).ok_or(TOO_LARGE)?;
        }
    }

    fn product(&mut self) -> Result<Fraction, String> {
        let mut value = self.factor()?;
        loop {
            let divide = match self.peek() {
                Some('×' | '*' | 'x' | 'X' | '＊' | '·') => false,
                Some('÷' | '/' | '／') => true,
                _ => return Ok(value),
            };
            self.rest.next();
            let next = self.factor()?;
            let result = if divide { value.over(next) } else { value.times(next) };
            value = result.ok_or({
                if divide && next.numerator == 0 { "不能除以 0" } else { TOO_LARGE }
            })?;
        }
    }

    fn factor(&mut self) -> Result<Fraction, String> {
        let value = match self.peek() {
            Some('(' | '（') => {
                self.rest.next();
                self.brackets += 1;
                if self.brackets > MAX_BRACKETS {
                    return Err("括号套得太深".into());
                }
                let value = self.sum()?;
                self.brackets -= 1;
                if !matches!(self.peek(), Some(')' | '）')) {
                    return Err("括号不成对".into());
                }
                self.rest.next();
                value
            }
            Some('-' | '−' | '－') => {
                self.rest.next();
                let value = self.number()?;
                Fraction::new(-value.numerator, value.denominator).ok_or(TOO_LARGE)?
            }
            _ => self.number()?,
        };
        self.unit(value)
    }

    /// Skips the unit behind a number; 万, 亿 and per cent change its value.
    fn unit(&mut self, mut value: Fraction) -> Result<Fraction, String> {
        while let Some(next) = self.peek() {
            let factor = match next {
                '%' | '％' => Fraction::new(1, 100),
                '‰' => Fraction::new(1, 1000),
                '万' => Fraction::new(10_000, 1),
                '亿' => Fraction::new(100_000_000, 1),
                other if is_unit(other) => Fraction::new(1, 1),
                _ => break,
            };
            self.rest.next();
            value = factor.and_then(|factor| value.times(factor)).ok_or(TOO_LARGE)?;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Fraction, String> {
        let mut numerator: i128 = 0;
        let mut denominator: i128 = 1;
        let mut digits = 0;
        let mut point = false;
        self.peek();
        while let Some(&next) = self.rest.peek() {
            match next {
                '0'..='9' => {
                    let digit = i128::from(next as u8 - b'0');
                    let shifted = numerator.checked_mul(10).and_then(|n| n.checked_add(digit));
                    numerator = shifted.ok_or(TOO_LARGE)?;
                    if point {
                        denominator = denominator.checked_mul(10).ok_or(TOO_LARGE)?;
                    }
                    digits += 1;
                }
                '.' if !point => point = true,
                ',' | '，' if digits > 0 && !point => {}
                _ => break,
            }
            self.rest.next();
        }
        if digits == 0 {
            return Err(match self.rest.peek() {
                Some(other) => format!("“{other}”这里应当是一个数字"),
                None => "算式没有写完".into(),
            });
        }
        Fraction::new(numerator, denominator).ok_or_else(|| TOO_LARGE.into())
    }

    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|next| next.is_whitespace()).is_some() {}
        self.rest.peek().copied()
    }
}

/// Words such as 元, 个月 or 年 behind a number.
fn is_unit(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9FFF}')
}
