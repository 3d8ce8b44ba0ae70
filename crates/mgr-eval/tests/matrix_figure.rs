//! Figures of matrices: every pixel of the image is in both files, odd input is a typed error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_eval::EvalError;
use mgr_eval::figure::{AxisMarks, Caption, ColorBar, Mark, Pixels, matrix_figure};

const CAPTION: Caption<'static> = Caption { name: "test", title: "A <matrix> & more" };

fn axis(title: &str, places: &[f64]) -> AxisMarks {
    let marks = places.iter().map(|&place| Mark { place, label: format!("{place}") }).collect();
    AxisMarks { title: title.to_owned(), marks }
}

fn noise(count: usize) -> Vec<u8> {
    let mut state = 7_u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

fn decode(png: &[u8]) -> (usize, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    (reader.info().width as usize, pixels)
}

#[test]
fn every_pixel_is_in_the_picture() {
    let (width, height) = (120, 80);
    let rgb = noise(width * height * 3);
    let bar = ColorBar { colors: vec![[0, 0, 0], [9, 99, 199]], axis: axis("dB", &[0.0, 1.0]) };
    let image = Pixels { width, height, rgb: &rgb };
    let (across, upward) = (axis("Time in s", &[0.0, 0.5, 1.0, 1.5]), axis("Hz", &[0.25]));
    let figure = matrix_figure(CAPTION, image, &across, &upward, Some(&bar)).unwrap();
    let (row_pixels, pixels) = decode(&figure.png);
    let row = |y: usize| &pixels[y * row_pixels * 3..(y + 1) * row_pixels * 3];
    // Away from the frame around it, row 40 of the image lies somewhere in the picture, and the next rows below it.
    let inner = |y: usize| &rgb[(y * width + 4) * 3..(y * width + width - 4) * 3];
    let (top, left) = (0..pixels.len() / (3 * row_pixels))
        .find_map(|y| row(y).windows(inner(40).len()).position(|w| w == inner(40)).map(|x| (y, x)))
        .expect("the image is not in the picture");
    for y in 41..70 {
        assert_eq!(&row(top + y - 40)[left..left + inner(y).len()], inner(y), "row {y}");
    }
    assert_eq!(figure.svg.matches("<image ").count(), 2);
    assert!(!figure.svg.contains("<matrix>") && figure.svg.trim_end().ends_with("</svg>"));
    // The mark beyond the end is not drawn.
    assert!(!figure.svg.contains("\n1.5\n") && figure.svg.contains("0.5"));
    let again = matrix_figure(CAPTION, image, &across, &upward, Some(&bar)).unwrap();
    assert_eq!((figure.svg, figure.png), (again.svg, again.png));
}

#[test]
fn odd_images_are_defined() {
    let none = AxisMarks::default();
    let draw = |width, height, bytes: usize| {
        matrix_figure(CAPTION, Pixels { width, height, rgb: &vec![1; bytes] }, &none, &none, None)
    };
    assert!(draw(1, 1, 3).is_ok());
    assert!(draw(301, 1, 903).is_ok());
    assert!(matches!(draw(0, 5, 0), Err(EvalError::Parameter { name: "image width", .. })));
    assert!(matches!(draw(1, 8193, 3 * 8193), Err(EvalError::Parameter { name: "image height", .. })));
    assert!(matches!(draw(4, 4, 47), Err(EvalError::LengthMismatch { .. })));
    let bar = ColorBar { colors: Vec::new(), axis: AxisMarks::default() };
    let one = Pixels { width: 1, height: 1, rgb: &[0, 0, 0] };
    assert!(matches!(matrix_figure(CAPTION, one, &none, &none, Some(&bar)), Err(EvalError::Empty { .. })));
}
