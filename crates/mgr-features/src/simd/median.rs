//! Networks of minima and maxima over many lanes, and the way of values into lanes and back.

use crate::hpss::network::{NOWHERE, Step};

/// Windows worked on side by side.
pub(crate) const LANES: usize = 64;

/// Values of one AVX2 register.
const VECTOR: usize = 8;

/// One value of each lane.
pub(crate) type Row = [f32; LANES];

dispatched! {
    /// Runs the steps of a network over the first `lanes` lanes, or some more.
    exchange(steps: &[Step], rows: &mut [Row], lanes: usize) = exchange_body
}

#[inline(always)]
fn exchange_body(steps: &[Step], rows: &mut [Row], lanes: usize) {
    match lanes.div_ceil(VECTOR) {
        0 => {}
        1 => exchange_vectors::<1>(steps, rows),
        2 => exchange_vectors::<2>(steps, rows),
        3 | 4 => exchange_vectors::<4>(steps, rows),
        _ => exchange_vectors::<8>(steps, rows),
    }
}

#[inline(always)]
fn exchange_vectors<const VECTORS: usize>(steps: &[Step], rows: &mut [Row]) {
    for step in steps {
        let (a, b) = (usize::from(step.a), usize::from(step.b));
        let (low, high) = (usize::from(step.low), usize::from(step.high));
        let smaller = |x: f32, y: f32| if x < y { x } else { y };
        let larger = |x: f32, y: f32| if x > y { x } else { y };
        if step.high == NOWHERE {
            for v in 0..VECTORS {
                let (x, y) = (load(&rows[a], v), load(&rows[b], v));
                store(&mut rows[low], v, pick(x, y, smaller));
            }
        } else if step.low == NOWHERE {
            for v in 0..VECTORS {
                let (x, y) = (load(&rows[a], v), load(&rows[b], v));
                store(&mut rows[high], v, pick(x, y, larger));
            }
        } else {
            for v in 0..VECTORS {
                let (x, y) = (load(&rows[a], v), load(&rows[b], v));
                store(&mut rows[low], v, pick(x, y, smaller));
                store(&mut rows[high], v, pick(x, y, larger));
            }
        }
    }
}

#[inline(always)]
fn load(row: &Row, v: usize) -> [f32; VECTOR] {
    row.as_chunks().0[v]
}

#[inline(always)]
fn store(row: &mut Row, v: usize, values: [f32; VECTOR]) {
    row.as_chunks_mut().0[v] = values;
}

#[inline(always)]
fn pick(x: [f32; VECTOR], y: [f32; VECTOR], which: impl Fn(f32, f32) -> f32) -> [f32; VECTOR] {
    let mut out = [0.0; VECTOR];
    for i in 0..VECTOR {
        out[i] = which(x[i], y[i]);
    }
    out
}

dispatched! {
    /// Lines to lanes: `rows[i][lane] = lines[starts[lane] + i]` for `i` up to `rows.len()`.
    to_lanes(lines: &[f32], starts: &[usize], rows: &mut [Row]) = to_lanes_body
}

#[inline(always)]
fn to_lanes_body(lines: &[f32], starts: &[usize], rows: &mut [Row]) {
    let count = rows.len();
    for (group, starts) in starts.chunks(VECTOR).enumerate() {
        // A last group that is not full takes its first line again.
        let line = |l: usize| &lines[starts[if l < starts.len() { l } else { 0 }]..][..count];
        let source: [&[f32]; VECTOR] = std::array::from_fn(line);
        for (block, rows) in rows.chunks_mut(VECTOR).enumerate() {
            let at = block * VECTOR;
            let mut square = [[0.0; VECTOR]; VECTOR];
            for l in 0..VECTOR {
                match source[l][at..].first_chunk::<VECTOR>() {
                    Some(full) => square[l] = *full,
                    None => square[l][..count - at].copy_from_slice(&source[l][at..]),
                }
            }
            let turned = transpose(square);
            for (row, values) in rows.iter_mut().zip(turned) {
                store(row, group, values);
            }
        }
    }
}

dispatched! {
    /// Lanes to lines: `lines[starts[lane] + i] = rows[order[i]][lane]`.
    from_lanes(rows: &[Row], order: &[u16], starts: &[usize], lines: &mut [f32]) = from_lanes_body
}

#[inline(always)]
fn from_lanes_body(rows: &[Row], order: &[u16], starts: &[usize], lines: &mut [f32]) {
    for (group, starts) in starts.chunks(VECTOR).enumerate() {
        for (block, order) in order.chunks(VECTOR).enumerate() {
            let mut square = [[0.0; VECTOR]; VECTOR];
            for (values, &row) in square.iter_mut().zip(order) {
                *values = load(&rows[usize::from(row)], group);
            }
            let turned = transpose(square);
            for (values, start) in turned.iter().zip(starts) {
                let at = start + block * VECTOR;
                if order.len() == VECTOR {
                    lines[at..at + VECTOR].copy_from_slice(values);
                } else {
                    lines[at..at + order.len()].copy_from_slice(&values[..order.len()]);
                }
            }
        }
    }
}

type Square = [[f32; VECTOR]; VECTOR];

#[inline(always)]
fn transpose(s: Square) -> Square {
    let mut t = [[0.0; VECTOR]; VECTOR];
    for i in 0..VECTOR {
        for j in 0..VECTOR {
            t[i][j] = s[j][i];
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 5_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // A few zeros and a few ties among the rest.
            (state >> 24).saturating_sub(16) as f32 / 7.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn rows(count: usize) -> Vec<Row> {
        noise(count * LANES).as_chunks().0.to_vec()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        let steps: Vec<Step> = (0..40_u16)
            .map(|i| {
                let (low, high) =
                    [(i % 9, NOWHERE), (NOWHERE, i % 7), (i % 10, (i + 1) % 10)][usize::from(i) % 3];
                Step { a: i % 10, b: i * 3 % 10, low, high }
            })
            .collect();
        for lanes in [0, 1, 8, 9, 17, 25, 33, 64] {
            let (mut a, mut b) = (rows(10), rows(10));
            exchange(&steps, &mut a, lanes);
            exchange_body(&steps, &mut b, lanes);
            assert_eq!(a, b, "exchange of {lanes}");
        }
        let lines = noise(4000);
        for (count, lanes) in [(1, 1), (8, 8), (13, 21), (62, 64)] {
            let starts: Vec<usize> = (0..lanes).map(|l| l * 31).collect();
            let (mut a, mut b) = (rows(count), rows(count));
            to_lanes(&lines, &starts, &mut a);
            to_lanes_body(&lines, &starts, &mut b);
            assert_eq!(a, b, "to lanes, {count} of {lanes}");
            for (l, start) in starts.iter().enumerate() {
                assert!((0..count).all(|i| a[i][l] == lines[start + i]));
            }
            let order: Vec<u16> = (0..count as u16).rev().collect();
            let starts: Vec<usize> = (0..lanes).map(|l| l * 62).collect();
            let (mut c, mut d) = (lines.clone(), lines.clone());
            from_lanes(&a, &order, &starts, &mut c);
            from_lanes_body(&a, &order, &starts, &mut d);
            assert_eq!(c, d, "from lanes, {count} of {lanes}");
            for (l, start) in starts.iter().enumerate() {
                assert!((0..count).all(|i| c[start + i] == a[count - 1 - i][l]));
            }
        }
    }
}
