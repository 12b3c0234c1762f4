//! Small readers of bytes that the parsers share.

/// The value of a run of decimal digits, or `None` where it is empty, holds anything else, or overflows.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The value of at most `width` decimal digits, as [`decimal`], in a narrower type.
pub fn narrow<T: TryFrom<u64>>(digits: &[u8], width: usize) -> Option<T> {
    if digits.len() > width {
        return None;
    }
    T::try_from(decimal(digits)?).ok()
}

/// What stands before and behind the first `byte`.
pub fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&candidate| candidate == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The first word, and what stands behind it without the blanks between; no word where there are but blanks.
pub fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], text[end..].trim_ascii_start()))
}

/// Puts the decimal digits of `value` behind `out`, with blanks before them up to `width`.
pub fn push_decimal(value: u64, width: usize, out: &mut alloc::vec::Vec<u8>) {
    let mut digits = [b' '; 20];
    let mut start = digits.len();
    let mut rest = value;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let used = digits.len() - start;
    out.extend(core::iter::repeat_n(b' ', width.saturating_sub(used)));
    out.extend_from_slice(&digits[start..]);
}

/// Puts `value`, below 100, behind `out` with two digits.
pub fn push_two(value: u8, out: &mut alloc::vec::Vec<u8>) {
    out.extend([b'0' + value / 10 % 10, b'0' + value % 10]);
}
