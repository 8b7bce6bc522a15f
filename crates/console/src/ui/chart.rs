//! Charts: marks are an SVG that stretches, all words are HTML, the numbers stand in a table beneath. Widths come from data
//! as attributes of the SVG, never as a style.

use super::language::Words;
use super::parts::{Column, table};
use maud::{Markup, html};

/// Most series besides "other".
pub(crate) const MOST_SERIES: usize = 5;

/// One series with one number per column.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What it is called.
    pub(crate) name: String,
    /// One number per column.
    pub(crate) numbers: Vec<u64>,
}

impl Series {
    fn total(&self) -> u64 {
        self.numbers.iter().sum()
    }
}

/// Stacked columns over time.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// An id for the page.
    pub(crate) id: &'static str,
    /// What is counted, for those who do not see it.
    pub(crate) title: String,
    /// What it shows, for the same.
    pub(crate) finding: String,
    /// What a column is: a day, an hour.
    pub(crate) head: String,
    /// The names of the columns, oldest first; the last one is not complete yet.
    pub(crate) columns: Vec<String>,
    /// The series, in any order.
    pub(crate) series: Vec<Series>,
}

/// The largest series by total, largest first, and what is left as one more.
fn ranked(words: &Words, mut series: Vec<Series>) -> Vec<Series> {
    series.retain(|one| one.total() > 0);
    series.sort_by(|a, b| b.total().cmp(&a.total()).then_with(|| a.name.cmp(&b.name)));
    if series.len() > MOST_SERIES + 1 {
        let rest = series.split_off(MOST_SERIES);
        let columns = rest.first().map_or(0, |one| one.numbers.len());
        let sum = |column: usize| rest.iter().filter_map(|one| one.numbers.get(column)).sum();
        series.push(Series { name: words.say("chart-other"), numbers: (0..columns).map(sum).collect() });
    }
    series
}

/// The end of the scale: 1, 2 or 5 times a power of ten, and even, so that its half is whole.
fn scale(most: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for times in [2, 4, 10] {
            let end = step.saturating_mul(times);
            if end >= most {
                return end;
            }
        }
        let Some(next) = step.checked_mul(10) else { return most };
        step = next;
    }
}

/// Units of the drawing per column, and its height.
const WIDE: usize = 10;
const HIGH: u64 = 1_000;

/// The chart with its legend and its numbers.
pub(crate) fn columns(words: &Words, chart: Columns) -> Markup {
    let Columns { id, title, finding, head, columns, series } = chart;
    let series = ranked(words, series);
    let of_column = |column: usize| series.iter().filter_map(move |one| one.numbers.get(column));
    let most = (0..columns.len()).map(|column| of_column(column).sum::<u64>()).max().unwrap_or(0);
    let end = scale(most.max(1));
    let all: u64 = series.iter().map(Series::total).sum();
    html! {
        figure.stack {
            div.chart {
                div.y aria-hidden="true" {
                    span { (words.number(end)) } span { (words.number(end / 2)) } span { "0" }
                }
                (marks((id, &title, &finding), columns.len(), &series, end))
                div.x aria-hidden="true" {
                    @for label in axis(&columns) { span { (label) } }
                }
            }
            (legend(words, &series, all))
            details {
                summary { (words.say("chart-numbers")) }
                div.scroll tabindex="0" role="region" aria-label=(words.say("chart-numbers")) { (numbers(words, (&title, head), &columns, &series)) }
            }
        }
    }
}

/// At most four names of columns, evenly apart, the last one always.
fn axis(columns: &[String]) -> Vec<&str> {
    let last = columns.len().saturating_sub(1);
    let step = last.div_ceil(3).max(1);
    let mut places: Vec<usize> = (0..=last).rev().step_by(step).collect();
    places.reverse();
    places.into_iter().filter_map(|place| columns.get(place).map(String::as_str)).collect()
}

fn marks((id, title, finding): (&str, &str, &str), columns: usize, series: &[Series], end: u64) -> Markup {
    let wide = columns.max(1) * WIDE;
    html! {
        svg viewBox={"0 0 " (wide) " " (HIGH)} preserveAspectRatio="none" role="img" aria-labelledby={(id) "-t " (id) "-d"} {
            title id={(id) "-t"} { (title) }
            desc id={(id) "-d"} { (finding) }
            @for line in [0, HIGH / 2] { line.grid-l x1="0" x2=(wide) y1=(line) y2=(line) {} }
            @for column in 0..columns {
                @for (place, top, height) in stack(series, column, end) {
                    rect class={"f" (place + 1) @if column + 1 == columns { " partial" }}
                        x={(column * WIDE + 1) ".2"} width={(WIDE - 3) ".6"} y=(top) height=(height) {}
                }
            }
            line.base-l x1="0" x2=(wide) y1=(HIGH) y2=(HIGH) {}
        }
    }
}

/// The parts of one column from its foot up: number of the series, top and height. A gap parts them, so that colour is not
/// the only thing that does.
fn stack(series: &[Series], column: usize, end: u64) -> Vec<(usize, u64, u64)> {
    const GAP: u64 = 8;
    let (mut below, mut parts) = (0, Vec::new());
    for (place, one) in series.iter().enumerate() {
        let number = one.numbers.get(column).copied().unwrap_or(0);
        if number > 0 {
            let foot = HIGH.saturating_sub(HIGH * below / end);
            let top = HIGH.saturating_sub(HIGH * (below + number) / end);
            parts.push((place, top, foot.saturating_sub(top).saturating_sub(GAP).max(4)));
            below += number;
        }
    }
    parts
}

fn swatch(place: usize) -> Markup {
    html! { svg viewBox="0 0 10 10" aria-hidden="true" { rect class={"f" (place + 1)} width="10" height="10" {} } }
}

fn legend(words: &Words, series: &[Series], all: u64) -> Markup {
    html! {
        ul.legend { @for (place, one) in series.iter().enumerate() { li {
            (swatch(place)) span { (one.name) }
            span.num { (words.number(one.total())) } span.num { (words.percent(one.total(), all)) }
        } } }
    }
}

fn numbers(words: &Words, (title, head): (&str, String), columns: &[String], series: &[Series]) -> Markup {
    let mut heads = vec![Column::words(head)];
    heads.extend(series.iter().map(|one| Column::number(one.name.clone())));
    let row = |(place, name): (usize, &String)| {
        let mut cells = vec![html! { (name) }];
        cells.extend(series.iter().map(|one| {
            html! { (words.number(one.numbers.get(place).copied().unwrap_or(0))) }
        }));
        cells
    };
    let rows: Vec<_> = columns.iter().enumerate().map(row).collect();
    table(title, &heads, &rows)
}

/// A bar as long as its part of the whole, in the width of its place.
pub(crate) fn bar(series: usize, part: u64, whole: u64) -> Markup {
    let wide = HIGH.saturating_mul(part).checked_div(whole).unwrap_or(0);
    html! {
        svg.bar viewBox={"0 0 " (HIGH) " 8"} preserveAspectRatio="none" aria-hidden="true" {
            rect.track width=(HIGH) height="8" {}
            rect class={"f" (series + 1)} width=(wide.max(u64::from(part > 0) * 4)) height="8" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::language::Languages;

    fn words() -> Words {
        Languages::load().choose(Some("en"), &http::HeaderMap::new())
    }

    fn series(name: &str, numbers: &[u64]) -> Series {
        Series { name: name.to_owned(), numbers: numbers.to_vec() }
    }

    #[test]
    fn the_largest_come_first_and_the_rest_is_one() {
        let all: Vec<Series> = (0..8_u64).map(|number| series(&number.to_string(), &[number, 1])).collect();
        let ranked = ranked(&words(), all);
        let totals: Vec<u64> = ranked.iter().map(Series::total).collect();
        assert_eq!(totals, [8, 7, 6, 5, 4, 3 + 2 + 1]);
        assert_eq!(ranked[5].name, "other");
    }

    #[test]
    fn a_scale_holds_its_largest_column() {
        for (most, end) in [(1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (39, 40), (401, 1_000)] {
            assert_eq!(scale(most), end, "{most}");
        }
        assert!(scale(u64::MAX) >= u64::MAX / 2);
    }

    #[test]
    fn columns_stand_within_the_drawing() {
        let all = [series("a", &[10, 0]), series("b", &[90, 0])];
        let parts = stack(&all, 0, 100);
        assert_eq!(parts, [(0, 900, 92), (1, 0, 892)]);
        assert!(stack(&all, 1, 100).is_empty());
    }

    #[test]
    fn an_axis_ends_with_the_last_column() {
        let names: Vec<String> = (1..=14).map(|day: u8| day.to_string()).collect();
        assert_eq!(axis(&names), ["4", "9", "14"]);
        assert_eq!(axis(&names[..2]), ["1", "2"]);
        assert!(axis(&[]).is_empty());
    }
}
