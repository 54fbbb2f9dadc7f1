//! The picture: bars of nanoseconds on a logarithmic scale.

use std::{fmt::Write as _, iter};

use super::{report::told, row::Unit, verdict::Measured};

const WIDTH: f64 = 940.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 220.0;
const BAR: f64 = 11.0;
const GAP: f64 = 12.0;
const TOP: f64 = 46.0;

/// Colours for a light page and a dark one, each with its own ground, so that the text is read on both.
const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .ground { fill: #ffffff } .grid { stroke: #d1d9e0 } .small { font-size: 10px; fill: #59636e }
  .ours { fill: #1a7f37 } .floor { fill: #8c959f } .peer { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .ground { fill: #0d1117 } .grid { stroke: #3d444d } .small { fill: #9198a1 }
    .ours { fill: #3fb950 } .floor { fill: #656c76 } .peer { fill: #f0883e }
  }
";

/// Draws the rows that are to be drawn.
pub(super) fn draw(rows: &[Measured]) -> String {
    let rows: Vec<_> = rows.iter().filter(|measured| measured.row.drawn).collect();
    let most = rows
        .iter()
        .flat_map(|measured| bars(measured))
        .map(|bar| bar.nanos);
    let most = most.fold(10.0, f64::max);
    let decades: Vec<_> =
        iter::successors(Some(1.0), |nanos| (*nanos < most).then_some(nanos * 10.0)).collect();
    let full = (decades.len() - 1) as f64;
    let x = |nanos: f64| LEFT + (WIDTH - LEFT - RIGHT) * nanos.max(1.0).log10() / full;
    let (mut body, mut y) = (String::new(), TOP);
    for measured in &rows {
        let bars = bars(measured);
        let middle = y + BAR * bars.len() as f64 / 2.0 + 4.0;
        let what = escaped(measured.row.what);
        let _ = writeln!(body, r#"<text x="10" y="{middle:.0}">{what}</text>"#);
        for bar in bars {
            let (width, label) = (x(bar.nanos) - LEFT, y + BAR - 2.0);
            let (class, name) = (bar.class, escaped(bar.name));
            let _ = writeln!(
                body,
                r#"<rect class="{class}" x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{:.0}"/><text class="small" x="{:.1}" y="{label:.0}">{name} {}</text>"#,
                BAR - 1.0,
                LEFT + width + 4.0,
                told(Unit::Nanos, bar.nanos),
            );
            y += BAR;
        }
        y += GAP;
    }
    let mut grid = String::new();
    for nanos in decades {
        let at = x(nanos);
        let _ = writeln!(
            grid,
            r#"<line class="grid" x1="{at:.1}" y1="{:.0}" x2="{at:.1}" y2="{y:.0}"/><text class="small" x="{at:.1}" y="{:.0}" text-anchor="middle">{}</text>"#,
            TOP - 6.0,
            TOP - 10.0,
            told(Unit::Nanos, nanos),
        );
    }
    let height = y + 6.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="Nanoseconds of ours, of the floor and of peers, on a logarithmic scale">
<style>{STYLE}</style>
<rect class="ground" width="100%" height="100%" rx="6"/>
<text x="10" y="20">What measuring adds, in nanoseconds on a logarithmic scale; shorter is better</text>
{grid}{body}</svg>
"#
    )
}

struct Bar {
    class: &'static str,
    name: &'static str,
    nanos: f64,
}

fn bars(measured: &Measured) -> Vec<Bar> {
    let bar = |class, name, nanos| Bar { class, name, nanos };
    let mut bars = vec![bar("ours", "ours", measured.ours)];
    bars.extend(measured.floor.map(|nanos| bar("floor", "floor", nanos)));
    let peers = measured.peers.iter();
    bars.extend(peers.map(|(name, nanos)| bar("peer", name, *nanos)));
    bars
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows;

    /// A bar is a tenth longer for each tenth of a decade, and none leaves the picture.
    #[test]
    fn bars_are_logarithmic() {
        let row = rows::all().find(|row| row.drawn).expect("some are drawn");
        let measured = Measured {
            row,
            bare: None,
            floor: Some(10.0),
            peers: vec![("peer", 1_000.0)],
            ours: 100.0,
            targets: Vec::new(),
        };
        let picture = draw(&[measured]);
        let widths: Vec<f64> = picture
            .split("width=\"")
            .skip(2)
            .map(|rest| {
                rest.split('"')
                    .next()
                    .expect("a number")
                    .parse()
                    .expect("a number")
            })
            .collect();
        let full = WIDTH - LEFT - RIGHT;
        let expected = [full * 2.0 / 3.0, full / 3.0, full];
        for (width, expected) in widths.iter().zip(expected) {
            assert!((width - expected).abs() < 0.1, "{widths:?}");
        }
        assert_eq!(widths.len(), 3);
    }
}
