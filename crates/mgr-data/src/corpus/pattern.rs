//! Patterns as text, laid out in bars.

/// A symbol of a pattern with its place, both in bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) symbol: char,
    pub(super) onset: f64,
    pub(super) length: f64,
}

/// Lays a pattern over `bars` bars, from its start; `-` lengthens the step before it.
#[allow(clippy::cast_precision_loss)]
pub(super) fn steps(pattern: &str, bars: usize) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    let mut held = false;
    for (bar, text) in pattern.split('|').cycle().take(bars).enumerate() {
        let count = text.chars().count().max(1) as f64;
        for (i, symbol) in text.chars().enumerate() {
            let length = 1.0 / count;
            match symbol {
                '-' => {
                    if let (true, Some(last)) = (held, out.last_mut()) {
                        last.length += length;
                    }
                }
                '.' => held = false,
                _ => {
                    held = true;
                    out.push(Step { symbol, onset: bar as f64 + i as f64 / count, length });
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_laid_out_in_bars() {
        let laid = steps("x-.x|a---", 3);
        let brief: Vec<(char, f64, f64)> = laid.iter().map(|s| (s.symbol, s.onset, s.length)).collect();
        assert_eq!(
            brief,
            [('x', 0.0, 0.5), ('x', 0.75, 0.25), ('a', 1.0, 1.0), ('x', 2.0, 0.5), ('x', 2.75, 0.25)]
        );
        // A rest cuts a hold off.
        assert_eq!(steps("x.-.", 1)[0].length, 0.25);
        assert!(steps("....", 4).is_empty());
    }
}
