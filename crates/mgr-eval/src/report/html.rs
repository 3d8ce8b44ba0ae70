//! The report as one HTML page: no network, no font of its own, one script that sorts tables and without which all is there too.

use std::collections::BTreeSet;

use super::style;
use super::{Alignment, Block, ClipTable, Column, Report, Section, Table};

/// Sorts tables by a click on a heading.
const SCRIPT: &str = include_str!("sort.js");

/// The SHA-256 of the script in base64: the only script that the page lets run. A test computes it.
const SCRIPT_HASH: &str = "XnKlkT8sDpygw/oLVxd2ehgnjvFfX1KazhtZlFMSINg=";

/// Renders a report as a self-contained HTML page.
///
/// Every text is escaped; control characters, which have no place in it, become U+FFFD. Figures are inline SVG. The page
/// follows the reader's light or dark setting, can be used by keyboard and screen reader (headings, captions,
/// header cells with scope, described figures, tables that scroll and take focus, sorting that is announced) and forbids
/// itself any request but for local audio by a content security policy. Same report, same bytes.
#[must_use]
pub fn render_html(report: &Report) -> String {
    let mut page = Page {
        html: String::new(),
        ids: BTreeSet::from(["content", "warnings", "sort-status"].map(str::to_owned)),
    };
    let ids: Vec<String> = report.sections.iter().map(|section| page.unique_id(section)).collect();

    let title = escape(&report.title);
    page.push(&format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         img-src data:; media-src 'self' file:; script-src 'sha256-{SCRIPT_HASH}'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{}</style>\n\
         </head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header>\n<h1>{title}</h1>\n",
        style::css()
    ));
    if !report.subtitle.is_empty() {
        page.push(&format!("<p class=\"subtitle\">{}</p>\n", escape(&report.subtitle)));
    }
    page.push("</header>\n<main id=\"content\">\n");
    page.headline(report);
    page.warnings(&report.warnings);
    page.contents(&report.sections, &ids);
    for (section, id) in report.sections.iter().zip(&ids) {
        page.section(section, id);
    }
    page.push("</main>\n<div id=\"sort-status\" class=\"unseen\" role=\"status\"></div>\n<script>");
    page.push(SCRIPT);
    page.push("</script>\n</body>\n</html>\n");
    page.html
}

/// Text for element content and attribute values.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if is_forbidden(c) => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Characters that have no place in HTML or XML text.
pub(crate) fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

struct Page {
    html: String,
    ids: BTreeSet<String>,
}

impl Page {
    fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    /// Wraps escaped text in an element.
    fn element(&mut self, open: &str, text: &str, close: &str) {
        self.html.push_str(open);
        self.html.push_str(&escape(text));
        self.html.push_str(close);
    }

    fn unique_id(&mut self, section: &Section) -> String {
        let clean: String = section
            .id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
            .collect();
        let stem = if clean.is_empty() { "section".to_owned() } else { clean };
        let mut id = stem.clone();
        let mut number = 2;
        while !self.ids.insert(id.clone()) {
            id = format!("{stem}-{number}");
            number += 1;
        }
        id
    }

    fn headline(&mut self, report: &Report) {
        if report.headline.is_empty() {
            return;
        }
        self.push("<dl class=\"headline\">\n");
        for item in &report.headline {
            self.element("<div><dt>", &item.label, "</dt>");
            self.element("<dd><span class=\"value\">", &item.value, "</span>");
            if !item.note.is_empty() {
                self.element("<span class=\"note\">", &item.note, "</span>");
            }
            self.push("</dd></div>\n");
        }
        self.push("</dl>\n");
    }

    fn warnings(&mut self, warnings: &[String]) {
        if warnings.is_empty() {
            return;
        }
        self.push(
            "<section class=\"warnings\" aria-labelledby=\"warnings\">\n<h2 id=\"warnings\">Warnings</h2>\n",
        );
        self.list(warnings);
        self.push("</section>\n");
    }

    fn contents(&mut self, sections: &[Section], ids: &[String]) {
        if sections.len() < 2 {
            return;
        }
        self.push("<nav aria-label=\"Contents\">\n<ul>\n");
        for (section, id) in sections.iter().zip(ids) {
            self.element(&format!("<li><a href=\"#{id}\">"), &section.title, "</a></li>\n");
        }
        self.push("</ul>\n</nav>\n");
    }

    fn section(&mut self, section: &Section, id: &str) {
        self.element(
            &format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">"),
            &section.title,
            "</h2>\n",
        );
        for block in &section.blocks {
            self.block(block);
        }
        self.push("</section>\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(text) => self.element("<p>", text, "</p>\n"),
            Block::Table(table) => self.table(table, &[]),
            Block::SummedTable(summed) => self.table(&summed.table, &summed.summary),
            Block::Clips(clips) => self.clips(clips),
            Block::Figure(figure) => {
                self.push("<figure>\n");
                match figure.dark_svg() {
                    Some(dark) => {
                        // What is not displayed is not read out either.
                        self.push("<div class=\"on-light\">");
                        self.html.push_str(figure.svg.trim_end());
                        self.push("</div>\n<div class=\"on-dark\">");
                        self.html.push_str(dark.trim_end());
                        self.push("</div>");
                    }
                    None => self.html.push_str(figure.svg.trim_end()),
                }
                self.push("\n<figcaption><details><summary>Description of the figure</summary>");
                self.element("<p>", &figure.alt, "</p></details></figcaption>\n</figure>\n");
            }
            Block::Code(code) => self.element("<pre tabindex=\"0\"><code>", code, "</code></pre>\n"),
            Block::KeyValues(pairs) => {
                self.push("<dl class=\"pairs\">\n");
                for (key, value) in pairs {
                    self.element("<div><dt>", key, "</dt>");
                    self.element("<dd>", value, "</dd></div>\n");
                }
                self.push("</dl>\n");
            }
            Block::List(items) => self.list(items),
        }
    }

    fn list(&mut self, items: &[String]) {
        self.push("<ul>\n");
        for item in items {
            self.element("<li>", item, "</li>\n");
        }
        self.push("</ul>\n");
    }

    fn table(&mut self, table: &Table, summary: &[Vec<String>]) {
        self.table_head(&table.caption, &table.columns, table.rows.len(), false);
        for row in &table.rows {
            self.row(&table.columns, row);
        }
        self.push("</tbody>\n");
        if !summary.is_empty() {
            self.push("<tfoot>\n");
            for row in summary {
                self.row(&table.columns, row);
            }
            self.push("</tfoot>\n");
        }
        self.push("</table>\n</div>\n");
    }

    /// Everything up to the first row. A table of one row has nothing to sort; the last column may be one that cannot be.
    fn table_head(&mut self, caption: &str, columns: &[Column], rows: usize, last_is_fixed: bool) {
        // Focus lets the keyboard scroll a table that is wider than the screen.
        self.element("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", caption, "\">\n");
        let open = if rows > 1 { "<table class=\"sortable\">\n<caption>" } else { "<table>\n<caption>" };
        self.element(open, caption, "</caption>\n<thead>\n<tr>");
        for (index, column) in columns.iter().enumerate() {
            let class = if last_is_fixed && index + 1 == columns.len() {
                " class=\"fixed\""
            } else {
                class_of(column.alignment)
            };
            self.element(&format!("<th scope=\"col\"{class}>"), &column.title, "</th>");
        }
        self.push("</tr>\n</thead>\n<tbody>\n");
    }

    fn row(&mut self, columns: &[Column], row: &[String]) {
        self.push("<tr>");
        self.cells(columns, row);
        self.push("</tr>\n");
    }

    fn cells(&mut self, columns: &[Column], row: &[String]) {
        for (index, column) in columns.iter().enumerate() {
            let cell = row.get(index).map_or("", String::as_str);
            let class = class_of(column.alignment);
            if index == 0 {
                self.element(&format!("<th scope=\"row\"{class}>"), cell, "</th>");
            } else {
                self.element(&format!("<td{class}>"), cell, "</td>");
            }
        }
    }

    /// The clips with a player for each that has its audio beside the page.
    fn clips(&mut self, clips: &ClipTable) {
        let columns = clips.columns("Listen");
        self.table_head(&clips.caption, &columns, clips.clips.len(), true);
        let table = clips.as_table();
        for (row, clip) in table.rows.iter().zip(&clips.clips) {
            self.push("<tr>");
            self.cells(&columns[..columns.len() - 1], row);
            match &clip.audio {
                Some(path) => {
                    let source = escape(&address(path));
                    self.push(&format!(
                        "<td><audio controls preload=\"none\" src=\"{source}\" aria-label=\""
                    ));
                    self.element("", &clip.id, "\"></audio></td>");
                }
                None => self.push("<td>not local</td>"),
            }
            self.push("</tr>\n");
        }
        self.push("</tbody>\n</table>\n</div>\n");
    }
}

/// A path as an address. Everything but letters, digits and `-_.~/` is written in percent, so neither a scheme nor a query
/// comes about.
fn address(path: &str) -> String {
    let mut address = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                address.push(char::from(byte))
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    // Two slashes would name another machine.
    let trimmed = address.trim_start_matches('/');
    if trimmed.len() < address.len() { format!("/{trimmed}") } else { address }
}

fn class_of(alignment: Alignment) -> &'static str {
    match alignment {
        Alignment::Text => "",
        Alignment::Number => " class=\"number\"",
    }
}
