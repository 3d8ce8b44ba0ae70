//! The styles that count in twos and fours, and the one that does not count.

use super::palette::{
    ANY, BLUES, DORIAN, FIFTHS, HELD, HIJAZ, LOW_TIMBRES, MAJOR, MAJOR_SEVENTH, MAJOR_TRIAD, MINOR,
    MINOR_SEVENTH, MINOR_TRIAD, NO_PAD, PENTATONIC, POWER, SEVENTH, SOME_PAD,
};
use super::style::DrumRole::{Back, Low, Mid, Ring, Tick};
use super::style::{Idiom, Part};

pub(super) const MARCH: Idiom = Idiom {
    beats: 2.0,
    tempo: (96.0, 132.0),
    swing: (0.5, 0.5),
    scales: &[MAJOR],
    progressions: &[
        &[(0, MAJOR_TRIAD), (0, MAJOR_TRIAD), (5, MAJOR_TRIAD), (7, MAJOR_TRIAD)],
        &[(0, MAJOR_TRIAD), (7, SEVENTH), (7, SEVENTH), (0, MAJOR_TRIAD)],
    ],
    chord_bars: 2.0,
    grooves: &[
        &[(Low, "X...x..."), (Back, "x.oxx.xx|x.xxr---")],
        &[(Low, "X...x..."), (Back, "r---x.x.|r---r---"), (Ring, "x.......|........")],
        &[(Low, "X...x..."), (Back, "..xx..xx|..xxr---"), (Tick, "..x...x.")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["1.5.", "1-5-|1-w-", "1..5"],
        timbres: LOW_TIMBRES,
        range: (33.0, 50.0),
        gate: (0.5, 0.8),
        presence: 0.95,
    },
    comp: Part {
        patterns: &[".x.x", "..x...xx"],
        timbres: ANY,
        range: (50.0, 70.0),
        gate: (0.3, 0.6),
        presence: 0.85,
    },
    pad: NO_PAD,
    lead: Part {
        patterns: &["n--nn--n|n---n---", "n--nn-n-|v-------", "n-nnn-n-|n--nn-.."],
        timbres: ANY,
        range: (62.0, 82.0),
        gate: (0.55, 0.9),
        presence: 0.85,
    },
    pump: (0.0, 0.1),
    echo: (0.0, 0.15),
};

pub(super) const FOUR_FLOOR: Idiom = Idiom {
    beats: 4.0,
    tempo: (114.0, 138.0),
    swing: (0.5, 0.54),
    scales: &[MINOR, DORIAN],
    progressions: &[
        &[(0, MINOR_TRIAD), (8, MAJOR_TRIAD), (3, MAJOR_TRIAD), (10, MAJOR_TRIAD)],
        &[(0, MINOR_SEVENTH), (0, MINOR_SEVENTH), (5, MINOR_SEVENTH), (5, MINOR_SEVENTH)],
    ],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "X...X...X...X..."), (Ring, "..x...x...x...x."), (Back, "....x.......x...")],
        &[(Low, "X...X...X...X..."), (Tick, "xxXxxxXxxxXxxxXx")],
        &[(Low, "X...X...X...X..."), (Ring, "..x...x...x...x."), (Tick, "xoxoxoxoxoxoxoxo")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["..1...1...1...1.", ".111.111.111.118", "1.8.1.8.1.8.1.8."],
        timbres: LOW_TIMBRES,
        range: (31.0, 48.0),
        gate: (0.5, 0.9),
        presence: 0.9,
    },
    comp: Part {
        patterns: &["aaaaaaaaaaaaaaaa", "a.aaa.aaa.aaa.aa"],
        timbres: ANY,
        range: (55.0, 79.0),
        gate: (0.5, 0.9),
        presence: 0.95,
    },
    pad: Part { patterns: &["x"], timbres: HELD, range: (48.0, 72.0), gate: (1.0, 1.0), presence: 0.9 },
    lead: Part {
        patterns: &["n..n..n.n..n..n.", "n.......n.......|n..n..v---------"],
        timbres: ANY,
        range: (64.0, 84.0),
        gate: (0.5, 0.9),
        presence: 0.45,
    },
    pump: (0.65, 0.95),
    echo: (0.0, 0.15),
};

pub(super) const BACKBEAT: Idiom = Idiom {
    beats: 4.0,
    tempo: (104.0, 158.0),
    swing: (0.5, 0.5),
    scales: &[BLUES, MINOR, PENTATONIC],
    progressions: &[
        &[(0, POWER), (10, POWER), (5, POWER), (0, POWER)],
        &[(0, POWER), (3, POWER), (5, POWER), (8, POWER)],
    ],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "X....X.."), (Back, "..X...X."), (Tick, "xxxxxxxx")],
        &[(Low, "X..xX..x"), (Back, "..X...X."), (Ring, "x.x.x.x.")],
        &[(Low, "X.....x.X.x....."), (Back, "....X.......X..."), (Tick, "x.x.x.x.x.x.x.x.")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["11111111", "11111155"],
        timbres: LOW_TIMBRES,
        range: (28.0, 45.0),
        gate: (0.7, 1.0),
        presence: 0.95,
    },
    comp: Part {
        patterns: &["xxxxxxxx", "XxxXxxXx", "X-------|X---X-xx"],
        timbres: ANY,
        range: (40.0, 62.0),
        gate: (0.5, 0.95),
        presence: 0.95,
    },
    pad: NO_PAD,
    lead: Part {
        patterns: &["g---v---|--------", "nnnnnnnn|g---v---", "g-n-g-n-|g-------"],
        timbres: ANY,
        range: (60.0, 84.0),
        gate: (0.9, 1.0),
        presence: 0.75,
    },
    pump: (0.0, 0.2),
    echo: (0.0, 0.15),
};

pub(super) const ONE_DROP: Idiom = Idiom {
    beats: 4.0,
    tempo: (120.0, 168.0),
    swing: (0.5, 0.56),
    scales: &[MINOR, DORIAN, PENTATONIC],
    progressions: &[
        &[(0, MINOR_TRIAD), (0, MINOR_TRIAD), (5, MINOR_TRIAD), (5, MINOR_TRIAD)],
        &[(0, MAJOR_TRIAD), (0, MAJOR_TRIAD), (5, MAJOR_TRIAD), (7, MAJOR_TRIAD)],
    ],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "..X."), (Back, "..x."), (Tick, "x.x.x.xx")],
        &[(Low, "....X..."), (Back, "....x..o"), (Tick, "..x...x.")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["1-.11-5-|..3-5-..", "..1-1-3-|5-......", "1-1-..5-|8-5-...."],
        timbres: LOW_TIMBRES,
        range: (28.0, 45.0),
        gate: (0.8, 1.0),
        presence: 0.95,
    },
    comp: Part {
        patterns: &[".x.x", "..x...x.", "..xx..xx"],
        timbres: ANY,
        range: (52.0, 72.0),
        gate: (0.12, 0.3),
        presence: 0.95,
    },
    pad: NO_PAD,
    lead: Part {
        patterns: &["n.n.n...|........", "........|n.nn....", "v---....|....n.n."],
        timbres: ANY,
        range: (60.0, 80.0),
        gate: (0.4, 0.9),
        presence: 0.65,
    },
    pump: (0.0, 0.1),
    echo: (0.3, 0.65),
};

pub(super) const BREAKS: Idiom = Idiom {
    beats: 4.0,
    tempo: (80.0, 108.0),
    swing: (0.5, 0.6),
    scales: &[MINOR, DORIAN],
    progressions: &[&[(0, MINOR_SEVENTH), (0, MINOR_SEVENTH)], &[(0, MINOR_TRIAD), (8, MAJOR_SEVENTH)]],
    chord_bars: 1.0,
    grooves: &[
        &[(Low, "X..x..X...x....."), (Back, "....X..o.o..X..o"), (Tick, "x.x.xxx.x.x.x.xx")],
        &[(Low, "X.X.......XX...."), (Back, "....X..o.o..X..o"), (Tick, "xxxxrxxxxxxxxxr.")],
        &[(Low, "X.....x...Xx..x."), (Back, "....X.oo....Xo.."), (Tick, "x.xrx.x.x.xrx.xx")],
    ],
    drum_presence: 0.95,
    bass: Part {
        patterns: &["1-----g-------..", "1..1..g---......", "g-------....1.1."],
        timbres: LOW_TIMBRES,
        range: (28.0, 45.0),
        gate: (0.8, 1.0),
        presence: 0.9,
    },
    comp: Part {
        patterns: &["x.....x.........", "x..x............|......x..x......", "x-----..........|..x....."],
        timbres: ANY,
        range: (52.0, 74.0),
        gate: (0.5, 0.9),
        presence: 0.8,
    },
    pad: SOME_PAD,
    lead: Part {
        patterns: &["nnn.nn.nnnn.nn..", "n.nnnnn.n.nnnnn.|nnnnnn..nnn.n...", "..nnnnnn..nnnnnn"],
        timbres: ANY,
        range: (55.0, 67.0),
        gate: (0.4, 0.75),
        presence: 0.8,
    },
    pump: (0.0, 0.3),
    echo: (0.0, 0.15),
};

pub(super) const DRONE: Idiom = Idiom {
    beats: 4.0,
    tempo: (46.0, 72.0),
    swing: (0.5, 0.5),
    scales: &[HIJAZ, DORIAN, PENTATONIC],
    progressions: &[&[(0, FIFTHS)], &[(0, FIFTHS), (0, FIFTHS), (10, FIFTHS), (0, FIFTHS)]],
    chord_bars: 2.0,
    grooves: &[
        &[(Mid, "x..o..x.|........")],
        &[(Low, "x......."), (Mid, "...o...o")],
        &[(Ring, "x...|....")],
    ],
    drum_presence: 0.35,
    bass: Part {
        patterns: &["1---|----", "1"],
        timbres: HELD,
        range: (31.0, 48.0),
        gate: (1.0, 1.05),
        presence: 0.9,
    },
    comp: Part {
        patterns: &["t-------|--------", "t---|t---"],
        timbres: ANY,
        range: (48.0, 72.0),
        gate: (0.95, 1.05),
        presence: 0.95,
    },
    pad: Part {
        patterns: &["x---|----", "x"],
        timbres: HELD,
        range: (48.0, 67.0),
        gate: (1.0, 1.05),
        presence: 0.95,
    },
    lead: Part {
        patterns: &["g---v-------|g---....", "g-------|g-g-g---", "g---gggg|v-------"],
        timbres: HELD,
        range: (58.0, 80.0),
        gate: (0.95, 1.05),
        presence: 0.9,
    },
    pump: (0.0, 0.1),
    echo: (0.0, 0.35),
};
