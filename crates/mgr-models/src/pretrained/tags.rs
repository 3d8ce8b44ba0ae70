//! The tags of published taggers, in the order of their outputs.

/// MagnaTagATune's 50 most frequent tags, as musicnn and Won's taggers order them.
pub(super) const MTT: &str = "guitar|classical|slow|techno|strings|drums|electronic|rock|fast|piano|ambient|beat|violin|vocal|synth|\
female|indian|opera|male|singing|vocals|no vocals|harpsichord|loud|quiet|flute|woman|male vocal|no vocal|pop|soft|sitar|solo|man|\
classic|choir|voice|new age|dance|male voice|female vocal|beats|harp|cello|no voice|weird|country|metal|female voice|choral";

/// The Million Song Dataset's 50 most frequent tags of last.fm.
pub(super) const MSD: &str = "rock|pop|alternative|indie|electronic|female vocalists|dance|00s|alternative rock|jazz|beautiful|metal|\
chillout|male vocalists|classic rock|soul|indie rock|Mellow|electronica|80s|folk|90s|chill|instrumental|punk|oldies|blues|hard rock|\
ambient|acoustic|experimental|female vocalist|guitar|Hip-Hop|70s|party|country|easy listening|sexy|catchy|funk|electro|heavy metal|\
Progressive rock|60s|rnb|indie pop|sad|House|happy";

/// MTG-Jamendo's 50 most frequent tags, sorted, as scikit-learn's binariser of the original orders them.
pub(super) const JAMENDO: &str = "genre---alternative|genre---ambient|genre---atmospheric|genre---chillout|genre---classical|\
genre---dance|genre---downtempo|genre---easylistening|genre---electronic|genre---experimental|genre---folk|genre---funk|\
genre---hiphop|genre---house|genre---indie|genre---instrumentalpop|genre---jazz|genre---lounge|genre---metal|genre---newage|\
genre---orchestral|genre---pop|genre---popfolk|genre---poprock|genre---reggae|genre---rock|genre---soundtrack|genre---techno|\
genre---trance|genre---triphop|genre---world|instrument---acousticguitar|instrument---bass|instrument---computer|\
instrument---drummachine|instrument---drums|instrument---electricguitar|instrument---electricpiano|instrument---guitar|\
instrument---keyboard|instrument---piano|instrument---strings|instrument---synthesizer|instrument---violin|instrument---voice|\
mood/theme---emotional|mood/theme---energetic|mood/theme---film|mood/theme---happy|mood/theme---relaxing";

/// GTZAN's ten genres.
pub(super) const GTZAN: &str = "blues|classical|country|disco|hiphop|jazz|metal|pop|reggae|rock";

/// A list as its names.
pub(super) fn names(list: &str) -> Vec<String> {
    list.split('|').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_outputs() {
        for list in [MTT, MSD, JAMENDO] {
            assert_eq!(names(list).len(), 50);
        }
        assert_eq!(names(GTZAN).len(), 10);
        assert!(names(JAMENDO).is_sorted());
        assert!(names("").is_empty());
    }
}
