//! The page's style sheet.

use crate::figure::Colour;

/// Light and dark. Attribute selectors override the colours that figures are drawn with, so that one SVG suits both.
pub(super) fn css() -> String {
    let mut figures = String::new();
    for Colour { light, dark } in Colour::PAIRS {
        let hex = |c: crate::figure::Rgb| format!("#{:02X}{:02X}{:02X}", c.0, c.1, c.2);
        let (light, dark) = (hex(light), hex(dark));
        // White text stands on coloured cells and stays.
        let fill = if light == "#FFFFFF" { "figure > svg :not(text)" } else { "figure > svg " };
        let dark = if light == "#FFFFFF" { "var(--card)".to_owned() } else { dark };
        figures.push_str(&format!("  {fill}[fill=\"{light}\"] {{ fill: {dark}; }}\n"));
        figures.push_str(&format!("  figure > svg [stroke=\"{light}\"] {{ stroke: {dark}; }}\n"));
    }
    CSS.replace("FIGURES", &figures)
}

const CSS: &str = r##":root {
  color-scheme: light dark;
  --page: #f5f7f9; --card: #ffffff; --ink: #1f2933; --muted: #52606d; --line: #dce2e8;
  --accent: #0b5c94; --stripe: #f7f9fb; --warn: #8a3b00; --warn-card: #fff4e8; --warn-line: #e8a765;
}
.on-dark { display: none; }
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1318; --card: #171e26; --ink: #e6ebf0; --muted: #a6b3bf; --line: #313c47;
    --accent: #6db9ef; --stripe: #1c242d; --warn: #ffc48a; --warn-card: #2c2013; --warn-line: #8a5a26;
  }
FIGURES  .on-light { display: none; }
  .on-dark { display: block; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 64rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: break-word;
}
h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
h2 { margin: 0 0 1rem; font-size: 1.3rem; line-height: 1.3; }
p { margin: 0 0 1rem; max-width: 46rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--card); }
.subtitle { margin: .35rem 0 0; color: var(--muted); font-size: 1.1rem; }
dl { margin: 0; }
dd { margin: 0; }
.headline {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; margin: 1.5rem 0;
}
.headline div {
  padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
}
.headline dt { color: var(--muted); font-size: .9rem; }
.headline .value { display: block; font-size: 1.75rem; font-weight: 650; line-height: 1.3; }
.headline .note { color: var(--muted); font-size: .9rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; margin: 0; padding: 0; list-style: none; }
nav { margin: 1.5rem 0; }
section {
  margin: 1.5rem 0; padding: 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem;
}
section > :last-child { margin-bottom: 0; }
.warnings { background: var(--warn-card); border-color: var(--warn-line); }
.warnings h2 { color: var(--warn); }
ul { margin: 0 0 1rem; padding-left: 1.3rem; }
.scroll { overflow-x: auto; margin: 0 0 1.5rem; }
table { border-collapse: collapse; min-width: 100%; font-variant-numeric: tabular-nums; }
caption { padding: 0 0 .6rem; text-align: left; color: var(--muted); font-size: .95rem; }
th, td { padding: .4rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th, td { overflow-wrap: anywhere; min-width: 8.5rem; }
thead th button {
  all: unset; cursor: pointer; font: inherit; color: inherit; text-align: inherit;
}
thead th button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
thead th button:hover { text-decoration: underline; }
thead th button::after { content: "\2195"; margin-left: .35em; color: var(--muted); font-weight: 400; }
th[aria-sort="ascending"] button::after { content: "\25B2"; color: var(--accent); }
th[aria-sort="descending"] button::after { content: "\25BC"; color: var(--accent); }
tfoot th, tfoot td { border-top: 2px solid var(--line); font-weight: 600; }
tfoot tr + tr th, tfoot tr + tr td { border-top: 0; }
audio { display: block; width: 15rem; height: 2.25rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom; font-size: .9rem; }
tbody th { font-weight: 600; min-width: 10.5rem; }
tbody tr:nth-child(even) { background: var(--stripe); }
th.number, td.number { text-align: right; white-space: nowrap; overflow-wrap: normal; min-width: 0; }
thead th.number { white-space: normal; }
figure { margin: 0 0 1.5rem; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { margin-top: .5rem; color: var(--muted); font-size: .95rem; }
summary { cursor: pointer; width: fit-content; }
pre {
  margin: 0 0 1.5rem; padding: .9rem 1.1rem; overflow-x: auto; background: var(--page);
  border: 1px solid var(--line); border-radius: .4rem; font-size: .9rem; line-height: 1.45;
}
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.pairs { margin: 0 0 1.5rem; }
.pairs div {
  display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: 1rem; padding: .35rem 0;
  border-bottom: 1px solid var(--line);
}
.pairs dt { color: var(--muted); }
.pairs dd { overflow-wrap: anywhere; }
@media (max-width: 36rem) {
  body { padding: 1.25rem .75rem 3rem; }
  section { padding: 1rem; }
  .pairs div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  body { max-width: none; padding: 0; background: #ffffff; }
  section, .headline div { break-inside: avoid; border-color: #cccccc; }
  nav, .skip, audio { display: none; }
}
"##;
