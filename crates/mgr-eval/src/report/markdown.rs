//! The report as Markdown, for a repository or a chat.

use super::{Block, ClipTable, Report, Table};

/// Renders a report as Markdown with pipe tables. Figures are links to `<figures>/<name>.svg`, which the caller writes;
/// `figures` is the path of their folder as seen from the document.
///
/// Characters with a meaning in Markdown are escaped, so that a name cannot become markup.
#[must_use]
pub fn render_markdown(report: &Report, figures: &str) -> String {
    let mut text = format!("# {}\n\n", line(&report.title));
    if !report.subtitle.is_empty() {
        text += &format!("{}\n\n", line(&report.subtitle));
    }
    for item in &report.headline {
        let note = if item.note.is_empty() { String::new() } else { format!(" ({})", line(&item.note)) };
        text += &format!("* **{}**: {}{note}\n", line(&item.label), line(&item.value));
    }
    if !report.headline.is_empty() {
        text.push('\n');
    }
    if !report.warnings.is_empty() {
        text += "## Warnings\n\n";
        list(&mut text, &report.warnings);
    }
    for section in &report.sections {
        text += &format!("## {}\n\n", line(&section.title));
        for block in &section.blocks {
            push(&mut text, block, figures);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn push(text: &mut String, block: &Block, figures: &str) {
    match block {
        Block::Paragraph(paragraph) => *text += &format!("{}\n\n", line(paragraph)),
        Block::Table(table) => push_table(text, table, &[]),
        Block::SummedTable(summed) => push_table(text, &summed.table, &summed.summary),
        Block::Clips(clips) => push_table(text, &clips.as_table(), &[]),
        Block::Figure(figure) => {
            *text += &format!(
                "![{}](<{figures}/{}.svg>)\n\n",
                line(&figure.alt),
                figure.name.replace(['<', '>', '\n'], "-")
            );
        }
        Block::Code(code) => {
            // A fence longer than any run of backticks inside.
            let runs = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat((runs + 1).max(3));
            *text += &format!("{fence}text\n{}\n{fence}\n\n", code.trim_end());
        }
        Block::KeyValues(pairs) => {
            for (key, value) in pairs {
                *text += &format!("* **{}**: {}\n", line(key), line(value));
            }
            text.push('\n');
        }
        Block::List(items) => list(text, items),
    }
}

fn list(text: &mut String, items: &[String]) {
    for item in items {
        *text += &format!("* {}\n", line(item));
    }
    text.push('\n');
}

fn push_table(text: &mut String, table: &Table, summary: &[Vec<String>]) {
    *text += &format!("{}\n\n", line(&table.caption));
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    *text += &row(table.columns.iter().map(|column| line(&column.title)).collect());
    let rule = |column: &super::Column| match column.alignment {
        super::Alignment::Text => "---".to_owned(),
        super::Alignment::Number => "---:".to_owned(),
    };
    *text += &row(table.columns.iter().map(rule).collect());
    for cells in table.rows.iter().chain(summary) {
        let cell = |index: usize| cells.get(index).map_or(String::new(), |cell| line(cell));
        *text += &row((0..table.columns.len()).map(cell).collect());
    }
    text.push('\n');
}

/// One line with every character escaped that Markdown could read.
fn line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if super::is_forbidden(c) => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

impl ClipTable {
    /// The clips as a plain table, with the path where a page has a player.
    #[must_use]
    pub fn as_table(&self) -> Table {
        let row = |clip: &super::ClipRow| {
            vec![
                clip.id.clone(),
                clip.truth.clone(),
                clip.predicted.clone(),
                format!("{:.3}", clip.truth_score),
                format!("{:.3}", clip.predicted_score),
                clip.audio.clone().unwrap_or_default(),
            ]
        };
        Table {
            caption: self.caption.clone(),
            columns: self.columns("Audio file"),
            rows: self.clips.iter().map(row).collect(),
        }
    }
}
