//! Tables as Weka's attribute-relation file format.
//!
//! Names and texts with spaces, quotes, commas, braces or percent signs stand in single quotes, with a backslash before a quote,
//! a backslash or a control character, as Weka and scipy read them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{RawColumn, RawTable, Table, digits, parse, refuse};
use crate::DataError;

fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text != "?"
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"'\"\\,{}%".contains(c));
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' | '"' | '%' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

pub(super) fn encode(table: &Table, path: &Path) -> Result<Vec<u8>, DataError> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut out = format!("@RELATION {}\n\n@ATTRIBUTE id STRING\n", quoted(&name));
    if table.groups().is_some() {
        out.push_str("@ATTRIBUTE group STRING\n");
    }
    for column in table.columns() {
        out.push_str(&format!("@ATTRIBUTE {} NUMERIC\n", quoted(column)));
    }
    // The class last, which Weka takes for the one to be told.
    if let Some(labels) = table.labels() {
        let classes: BTreeSet<&String> = labels.iter().collect();
        let classes: Vec<String> = classes.into_iter().map(|c| quoted(c)).collect();
        out.push_str(&format!("@ATTRIBUTE label {{{}}}\n", classes.join(",")));
    }
    out.push_str("\n@DATA\n");
    for (row, values) in table.values().outer_iter().enumerate() {
        let cell = |text: Option<&[String]>| text.and_then(|t| t.get(row)).map(|t| quoted(t));
        let cells: Vec<String> = cell(Some(table.ids()))
            .into_iter()
            .chain(cell(table.groups()))
            .chain(values.iter().map(|v| digits(*v, "?")))
            .chain(cell(table.labels()))
            .collect();
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    Ok(out.into_bytes())
}

/// The parts of a line: names, numbers and quoted texts, split at spaces or commas outside quotes; `{`, `}` stand alone.
fn tokens(line: &str, split_at_space: bool) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let (mut token, mut started) = (String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' if !started => {
                started = true;
                loop {
                    match chars.next() {
                        None => return Err("a quote is not closed".into()),
                        Some(end) if end == c => break,
                        Some('\\') => match chars.next() {
                            None => return Err("a quote is not closed".into()),
                            Some('n') => token.push('\n'),
                            Some('r') => token.push('\r'),
                            Some('t') => token.push('\t'),
                            Some(c) => token.push(c),
                        },
                        Some(c) => token.push(c),
                    }
                }
            }
            ',' => {
                found.push(std::mem::take(&mut token));
                started = false;
            }
            c if c.is_whitespace() => {
                if split_at_space && started {
                    found.push(std::mem::take(&mut token));
                    started = false;
                } else if started && chars.peek().is_some_and(|n| !n.is_whitespace() && *n != ',') {
                    return Err("a text with a space is not in quotes".into());
                }
            }
            c => {
                started = true;
                token.push(c);
            }
        }
    }
    if started || (!split_at_space && line.trim_end().ends_with(',')) {
        found.push(token);
    }
    Ok(found)
}

/// The name that an attribute's declaration begins with, and its type in small letters; `nominal` for a list of classes, which need no
/// reading, since they stand in the rows.
fn name_and_type(declared: &str) -> Result<(String, String), String> {
    let declared = declared.trim();
    let quote = declared.chars().next().filter(|c| ['\'', '"'].contains(c));
    let mut escaped = false;
    let end = declared.char_indices().skip(usize::from(quote.is_some())).find(|&(_, c)| {
        let ends = quote.map_or(c.is_whitespace() || c == '{', |quote| c == quote && !escaped);
        escaped = c == '\\' && !escaped;
        ends
    });
    let (name, kind) =
        declared.split_at(end.map_or(declared.len(), |(at, _)| at + usize::from(quote.is_some())));
    let name = tokens(name, true)?.into_iter().next().filter(|name| !name.is_empty());
    let kind = kind.trim();
    match (name, kind.split_whitespace().next()) {
        (Some(name), Some(_)) if kind.starts_with('{') && kind.ends_with('}') => {
            Ok((name, "nominal".to_owned()))
        }
        (Some(name), Some(kind)) => Ok((name, kind.to_ascii_lowercase())),
        _ => Err("expected @ATTRIBUTE name type".into()),
    }
}

pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<RawTable, DataError> {
    let line = |number: usize, reason: String| DataError::Line {
        path: path.to_path_buf(),
        line: number as u64 + 1,
        reason,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| refuse(path, "is not text in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut columns: Vec<(String, RawColumn)> = Vec::new();
    let (mut data, mut rows) = (false, 0);
    for (number, content) in text.lines().enumerate() {
        let content = content.trim();
        if content.is_empty() || content.starts_with('%') {
            continue;
        }
        if data {
            if content.starts_with('{') {
                return Err(line(number, "sparse rows are not read".into()));
            }
            let cells = tokens(content, false).map_err(|e| line(number, e))?;
            if cells.len() != columns.len() {
                return Err(line(number, format!("{} values, expected {}", cells.len(), columns.len())));
            }
            for ((name, column), cell) in columns.iter_mut().zip(cells) {
                match column {
                    RawColumn::Text(texts) => texts.push(cell),
                    RawColumn::Number(numbers) => match parse(&cell) {
                        Some(value) => numbers.push(value),
                        None => return Err(line(number, format!("{name} is {cell:?}, a number is needed"))),
                    },
                }
            }
            rows += 1;
            continue;
        }
        let keyword = content.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        match keyword.as_str() {
            "@relation" => {}
            "@data" => data = true,
            "@attribute" => {
                let declared = content.get("@attribute".len()..).unwrap_or("");
                let (name, kind) = name_and_type(declared).map_err(|e| line(number, e))?;
                let column = match kind.as_str() {
                    "numeric" | "real" | "integer" => RawColumn::Number(Vec::new()),
                    "string" | "nominal" => RawColumn::Text(Vec::new()),
                    _ => return Err(line(number, format!("attributes of the type {kind} are not read"))),
                };
                columns.push((name, column));
            }
            _ => return Err(line(number, "expected @RELATION, @ATTRIBUTE or @DATA".into())),
        }
    }
    if !data {
        return Err(refuse(path, "has no @DATA, this is no ARFF file"));
    }
    Ok(RawTable { rows, columns })
}
