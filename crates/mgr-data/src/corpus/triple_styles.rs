//! The styles that count in threes, in the bar or in the beat.

use super::palette::{
    ALTERED, ANY, BLUES, DORIAN, HELD, LOW_TIMBRES, MAJOR, MAJOR_SEVENTH, MAJOR_TRIAD, MINOR, MINOR_SEVENTH,
    MINOR_TRIAD, MIXOLYDIAN, NO_PAD, SEVENTH, SOME_PAD, STRUCK,
};
use super::style::DrumRole::{Back, Low, Mid, Ring, Tick};
use super::style::{Idiom, Part};

pub(super) const SHUFFLE: Idiom = Idiom {
    beats: 4.0,
    tempo: (92.0, 138.0),
    swing: (0.5, 0.5),
    scales: &[BLUES, MIXOLYDIAN],
    progressions: &[&[
        (0, SEVENTH),
        (0, SEVENTH),
        (0, SEVENTH),
        (0, SEVENTH),
        (5, SEVENTH),
        (5, SEVENTH),
        (0, SEVENTH),
        (0, SEVENTH),
        (7, SEVENTH),
        (5, SEVENTH),
        (0, SEVENTH),
        (7, SEVENTH),
    ]],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "X.....X....."), (Back, "...X.....X.."), (Tick, "x.xx.xx.xx.x")],
        &[(Low, "X..x..X..x.."), (Back, "...X.oo..X.o"), (Ring, "x.xx.xx.xx.x")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["1.13.35.56.6", "1.15.56.65.5", "1.11.15.56.5"],
        timbres: LOW_TIMBRES,
        range: (31.0, 48.0),
        gate: (0.5, 0.95),
        presence: 0.95,
    },
    comp: Part {
        patterns: &["x.xx.xx.xx.x", "..x..x..x..x", "x--..x......"],
        timbres: ANY,
        range: (50.0, 70.0),
        gate: (0.4, 0.8),
        presence: 0.8,
    },
    pad: NO_PAD,
    lead: Part {
        patterns: &["n.ng--......|g-nn.nv-----", "......n.nn.n|g-----......", "n.nn.nn.ng--|v--------..."],
        timbres: ANY,
        range: (60.0, 82.0),
        gate: (0.7, 1.0),
        presence: 0.8,
    },
    pump: (0.0, 0.2),
    echo: (0.0, 0.15),
};

pub(super) const WALTZ: Idiom = Idiom {
    beats: 3.0,
    tempo: (100.0, 185.0),
    swing: (0.5, 0.5),
    scales: &[MAJOR, MINOR],
    progressions: &[
        &[(0, MAJOR_TRIAD), (0, MAJOR_TRIAD), (7, SEVENTH), (7, SEVENTH)],
        &[(0, MAJOR_TRIAD), (9, MINOR_TRIAD), (5, MAJOR_TRIAD), (7, SEVENTH)],
        &[(0, MINOR_TRIAD), (5, MINOR_TRIAD), (7, SEVENTH), (0, MINOR_TRIAD)],
    ],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "X.."), (Tick, ".xx")],
        &[(Low, "X....."), (Back, "..x.x."), (Tick, "x.x.xo")],
        &[(Low, "X.."), (Mid, ".xx"), (Ring, "x..|...")],
    ],
    drum_presence: 0.8,
    bass: Part {
        patterns: &["1..", "1..|5..", "1-.|5-."],
        timbres: LOW_TIMBRES,
        range: (33.0, 50.0),
        gate: (0.6, 1.0),
        presence: 1.0,
    },
    comp: Part {
        patterns: &[".xx", "..x.x.", ".xx|.x."],
        timbres: ANY,
        range: (50.0, 70.0),
        gate: (0.35, 0.75),
        presence: 0.9,
    },
    pad: SOME_PAD,
    lead: Part {
        patterns: &["n-n|v--", "v-----|n-n-n-|v-----|------", "n--|n-n|n-n|v--"],
        timbres: ANY,
        range: (62.0, 84.0),
        gate: (0.9, 1.05),
        presence: 0.85,
    },
    pump: (0.0, 0.1),
    echo: (0.0, 0.15),
};

pub(super) const SWING: Idiom = Idiom {
    beats: 4.0,
    tempo: (128.0, 215.0),
    swing: (0.5, 0.5),
    scales: &[DORIAN, MAJOR, MIXOLYDIAN],
    progressions: &[
        &[(2, MINOR_SEVENTH), (7, SEVENTH), (0, MAJOR_SEVENTH), (0, MAJOR_SEVENTH)],
        &[(0, MAJOR_SEVENTH), (9, ALTERED), (2, MINOR_SEVENTH), (7, ALTERED)],
    ],
    chord_bars: 1.0,
    grooves: &[
        &[(Ring, "x..x.xx..x.x"), (Tick, "...x.....x.."), (Low, "........x...|.....o......")],
        &[(Ring, "x..x.xx..x.x"), (Tick, "...x.....x.."), (Back, "..o.....o..o")],
        &[(Ring, "x..x..x..x.x"), (Back, ".....o..o..."), (Low, ".....x......")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["1www", "1ww8", "13ww"],
        timbres: LOW_TIMBRES,
        range: (31.0, 52.0),
        gate: (0.8, 1.0),
        presence: 1.0,
    },
    comp: Part {
        patterns: &[".....x......|..x.....x...", "x....x......|............", "........x--.|..x.....x--."],
        timbres: ANY,
        range: (52.0, 72.0),
        gate: (0.4, 0.9),
        presence: 0.9,
    },
    pad: NO_PAD,
    lead: Part {
        patterns: &["n.nn.nn.nn.n|n.nn.nn.n...", "..nn.nn.nn.n|n.nn.n......", "n.nnnnn.nn.n|..nn.nn.nn.n"],
        timbres: ANY,
        range: (60.0, 86.0),
        gate: (0.7, 1.5),
        presence: 0.9,
    },
    pump: (0.0, 0.1),
    echo: (0.0, 0.15),
};

pub(super) const BALLAD: Idiom = Idiom {
    beats: 4.0,
    tempo: (54.0, 76.0),
    swing: (0.5, 0.5),
    scales: &[MAJOR, MINOR],
    progressions: &[
        &[(0, MAJOR_TRIAD), (7, MAJOR_TRIAD), (9, MINOR_TRIAD), (5, MAJOR_TRIAD)],
        &[(0, MINOR_TRIAD), (8, MAJOR_TRIAD), (3, MAJOR_TRIAD), (10, MAJOR_TRIAD)],
    ],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "X.....x....."), (Back, "...x.....x.."), (Tick, "xxxxxxxxxxxx")],
        &[(Low, "x..........."), (Back, "......x....."), (Tick, "x..x..x..x..")],
    ],
    drum_presence: 0.65,
    bass: Part {
        patterns: &["1---", "1-5-", "1--5"],
        timbres: LOW_TIMBRES,
        range: (31.0, 48.0),
        gate: (0.9, 1.0),
        presence: 0.9,
    },
    comp: Part {
        patterns: &["aaaaaaaaaaaa", "aaaaaaaaaa..", "aa-aa-aa-aa-"],
        timbres: STRUCK,
        range: (50.0, 77.0),
        gate: (1.2, 2.8),
        presence: 0.95,
    },
    pad: Part { patterns: &["x"], timbres: HELD, range: (50.0, 72.0), gate: (1.0, 1.0), presence: 0.6 },
    lead: Part {
        patterns: &["v-----n--v--|v-----------", "n--v--------|n-nv--------", "v-----v-----|n--n--v-----"],
        timbres: ANY,
        range: (62.0, 82.0),
        gate: (0.95, 1.05),
        presence: 0.8,
    },
    pump: (0.0, 0.1),
    echo: (0.0, 0.15),
};
