//! Arrays of numbers and of text as `.npy`: `ndarray-npy` knows no text.

use super::single;

/// An array of at most two axes as a file has it.
#[derive(Debug, PartialEq)]
pub(super) enum Npy {
    Text(Vec<String>),
    /// Values in C order, rows, columns (1 for one axis).
    Numbers(Vec<f64>, usize, usize),
}

fn with_header(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length take 10 bytes; the data begins at a multiple of 64.
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.push_str(&" ".repeat(padded - header.len() - 1));
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

/// NumPy's text of a fixed width in UCS-4. A text that ends in a null character would lose it.
pub(super) fn text(values: &[String]) -> Vec<u8> {
    let width = values.iter().map(|v| v.chars().count()).max().unwrap_or(0).max(1);
    let mut data = Vec::with_capacity(4 * width * values.len());
    for value in values {
        let before = data.len();
        value.chars().for_each(|c| data.extend(u32::from(c).to_le_bytes()));
        data.resize(before + 4 * width, 0);
    }
    with_header(&format!("<U{width}"), &format!("({},)", values.len()), &data)
}

/// A matrix in 32 bits where all values are such, else in 64.
pub(super) fn matrix(values: ndarray::ArrayView2<'_, f64>) -> Vec<u8> {
    let (rows, columns) = values.dim();
    let shape = format!("({rows}, {columns})");
    if single(values.iter()) {
        let data: Vec<u8> = values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
        with_header("<f4", &shape, &data)
    } else {
        let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        with_header("<f8", &shape, &data)
    }
}

/// What follows a key of the header's dictionary.
fn field<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = header.split_once(&format!("'{key}':"))?;
    Some(after.trim_start())
}

pub(super) fn read(bytes: &[u8]) -> Result<Npy, String> {
    let broken = || "is no .npy array".to_owned();
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(broken)?;
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or_else(broken)?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(broken)?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header = std::str::from_utf8(header).map_err(|_| broken())?;
    let descr = field(header, "descr").and_then(|d| d.strip_prefix('\'')?.split('\'').next());
    let descr = descr.ok_or("holds records, not an array")?;
    let fortran = field(header, "fortran_order").ok_or_else(broken)?.starts_with("True");
    let shape =
        field(header, "shape").and_then(|s| s.strip_prefix('(')?.split(')').next()).ok_or_else(broken)?;
    let shape: Option<Vec<usize>> =
        shape.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| s.parse().ok()).collect();
    let shape = shape.ok_or_else(broken)?;
    let (rows, columns) = match shape.as_slice() {
        [] => (1, 1),
        [rows] => (*rows, 1),
        [rows, columns] => (*rows, *columns),
        more => return Err(format!("has {} axes, one or two are needed", more.len())),
    };
    let count = rows.checked_mul(columns).ok_or_else(broken)?;
    let size = match descr {
        "<f4" | "<i4" | "<u4" => 4,
        "<f8" | "<i8" | "<u8" => 8,
        "<f2" | "<i2" | "<u2" => 2,
        "|i1" | "|u1" | "|b1" => 1,
        text if text.starts_with("<U") => {
            text[2..].parse::<usize>().ok().and_then(|n| n.checked_mul(4)).ok_or_else(broken)?
        }
        "|O" => return Err("holds Python objects, which are not read".into()),
        other => return Err(format!("has values of the type {other}, which is not read")),
    };
    if count.checked_mul(size) != Some(data.len()) {
        return Err(format!("has {} bytes for {count} values of {size}", data.len()));
    }
    if descr.starts_with("<U") {
        let texts = (0..count).map(|i| {
            let cell = data.get(i * size..(i + 1) * size).unwrap_or_default();
            let codes = cell.chunks_exact(4).map(|c| c.try_into().map_or(0, u32::from_le_bytes));
            let mut text: String = codes.map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect();
            text.truncate(text.trim_end_matches('\0').len());
            text
        });
        return Ok(Npy::Text(texts.collect()));
    }
    macro_rules! numbers {
        ($type:ty) => {
            data.chunks_exact(size)
                .map(|c| <$type>::from_le_bytes(c.try_into().unwrap_or_default()) as f64)
                .collect::<Vec<f64>>()
        };
    }
    let values = match descr {
        "<f4" => numbers!(f32),
        "<f8" => numbers!(f64),
        "<i4" => numbers!(i32),
        "<u4" => numbers!(u32),
        "<i8" => numbers!(i64),
        "<u8" => numbers!(u64),
        "<i2" => numbers!(i16),
        "<u2" => numbers!(u16),
        "|i1" => numbers!(i8),
        "|u1" | "|b1" => numbers!(u8),
        _ => return Err("has values of 16 bits, which are not read".into()),
    };
    if fortran && columns > 1 {
        let turned = (0..count).map(|i| values[(i % columns) * rows + i / columns]).collect();
        return Ok(Npy::Numbers(turned, rows, columns));
    }
    Ok(Npy::Numbers(values, rows, columns))
}
