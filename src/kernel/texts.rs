//! Texts into small numbers, in the order in which they are met.

use hashbrown::HashTable;

use super::few_texts::{FewTexts, ROWS};
use super::ids::{WordIds, hash_bytes, scatter};
use super::text::{Offset, are_inside};
use super::wide::widest;

/// Most bytes of a text that is its own word.
const SHORT: usize = 7;
/// The top byte of the words of all other texts; that of a short one is its length.
const LONG: u64 = 0xff << 56;

/// The number of every distinct text, from 1 in the order in which they were met; 0 is left to missing values.
///
/// A text of at most 7 bytes is a word by itself; a longer one is kept once and stands in its word by place.
#[derive(Debug, Default)]
pub struct TextIds {
    ids: WordIds,
    places: HashTable<u32>,
    /// The longer texts, one after another.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    packed: Vec<u64>,
    recent: Recent,
    few: FewTexts,
}

/// Short texts met before and their numbers, in places by their words: while they are few, they stay in the first-level
/// cache, where the table of all numbers would be looked up in two places.
#[derive(Debug)]
struct Recent(Box<[(u64, u32); RECENT]>);

const RECENT: usize = 256;

impl Default for Recent {
    fn default() -> Recent {
        // No text has the word of a place that is free.
        Recent(Box::new([(LONG, 0); RECENT]))
    }
}

impl Recent {
    #[inline(always)]
    fn place(word: u64) -> usize {
        (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
    }

    fn learn(&mut self, word: u64, id: u32) {
        self.0[Recent::place(word)] = (word, id);
    }
}

widest! {
    /// Writes the numbers of the words that are known, and whether all of them were.
    fn known_words(recent: &Recent, words: &[u64], ids: &mut [u32]) -> bool {
        let mut differing = 0;
        for (id, &word) in ids.iter_mut().zip(words) {
            let (known, number) = recent.0[Recent::place(word)];
            differing |= known ^ word;
            *id = number;
        }
        differing == 0
    }
}

impl TextIds {
    /// Writes the number of every text: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    pub fn write<O: Offset>(&mut self, offsets: &[O], bytes: &[u8], ids: &mut [u32]) {
        self.write_testing(offsets, bytes, ids, |_, _| true);
    }

    /// As [`TextIds::write`] of texts that nobody has looked at yet, by offsets that may lead anywhere; false, and `ids`
    /// tell nothing, where one lies outside the bytes or is not UTF-8. Only what is not known already is looked at.
    pub fn write_unseen<O: Offset>(&mut self, offsets: &[O], bytes: &[u8], ids: &mut [u32]) -> bool {
        self.write_testing(offsets, bytes, ids, are_texts)
    }

    fn write_testing<O: Offset>(
        &mut self,
        offsets: &[O],
        bytes: &[u8],
        ids: &mut [u32],
        may_be_new: impl Fn(&[O], &[u8]) -> bool,
    ) -> bool {
        let mut words = [0; ROWS];
        for (first, ids) in (0..).step_by(ROWS).zip(ids.chunks_mut(ROWS)) {
            let offsets = &offsets[first..=first + ids.len()];
            let is_known = self.few.write(offsets, bytes, ids)
                || short_words(offsets, bytes, &mut words[..ids.len()])
                    && known_words(&self.recent, &words[..ids.len()], ids);
            if !is_known {
                if !may_be_new(offsets, bytes) {
                    return false;
                }
                self.write_new(offsets, bytes, ids);
            }
        }
        true
    }

    fn write_new<O: Offset>(&mut self, offsets: &[O], bytes: &[u8], ids: &mut [u32]) {
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        packed.extend(offsets.windows(2).map(|ends| {
            let (start, end) = (ends[0].place(), ends[1].place());
            short(bytes, start, end).unwrap_or_else(|| self.long(&bytes[start..end]))
        }));
        self.ids.write(&packed, ids);
        for (&word, &id) in packed.iter().zip(ids.iter()).filter(|(word, _)| **word < LONG) {
            self.recent.learn(word, id);
            self.few.learn(word & !LONG, (word >> 56) as usize, id);
        }
        self.packed = packed;
    }

    /// The number of one text.
    pub fn id(&mut self, text: &[u8]) -> u32 {
        let word = short(text, 0, text.len()).unwrap_or_else(|| self.long(text));
        self.ids.id(word)
    }

    /// Number of distinct texts.
    pub fn len(&self) -> usize {
        self.ids.words().len()
    }

    /// Whether no text was met.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the text of number `id`, which was met.
    pub fn append(&self, id: u32, out: &mut Vec<u8>) {
        let word = self.ids.words()[id as usize - 1];
        if word >= LONG {
            out.extend_from_slice(self.text((word & !LONG) as u32));
        } else {
            out.extend_from_slice(&word.to_le_bytes()[..(word >> 56) as usize]);
        }
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.ids.bytes() + self.bytes.capacity() + self.ends.capacity() * 8 + self.places.capacity() * 5
    }

    fn text(&self, place: u32) -> &[u8] {
        text_at(&self.bytes, &self.ends, place)
    }

    fn long(&mut self, text: &[u8]) -> u64 {
        let TextIds { places, bytes, ends, .. } = self;
        let hash = hash_bytes(text);
        if let Some(&place) = places.find(hash, |&place| text_at(bytes, ends, place) == text) {
            return LONG | u64::from(place);
        }
        let place = ends.len() as u32;
        bytes.extend_from_slice(text);
        ends.push(bytes.len());
        places.insert_unique(hash, place, |&place| hash_bytes(text_at(bytes, ends, place)));
        LONG | u64::from(place)
    }
}

/// The hash of a text, in every run of the program the same.
#[inline]
pub fn hash_text(bytes: &[u8], start: usize, end: usize) -> u64 {
    short(bytes, start, end).map_or_else(|| hash_bytes(&bytes[start..end]), scatter)
}

fn text_at<'a>(bytes: &'a [u8], ends: &[usize], place: u32) -> &'a [u8] {
    let place = place as usize;
    let start = if place == 0 { 0 } else { ends[place - 1] };
    &bytes[start..ends[place]]
}

/// Whether texts lie one behind the other within the bytes, and each is UTF-8.
fn are_texts<O: Offset>(offsets: &[O], bytes: &[u8]) -> bool {
    let text = |ends: &[O]| bytes.get(ends[0].place()..ends[1].place());
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return true };
    let Some(all) = bytes.get(first.place()..last.place()) else { return false };
    let is_text = |text: &[u8]| std::str::from_utf8(text).is_ok();
    let are_ascii = offsets.is_sorted() && all.is_ascii();
    are_ascii || offsets.windows(2).all(|ends| text(ends).is_some_and(is_text))
}

widest! {
    /// Writes the words of texts; false where one is not short, or too near to the end of all bytes to be read whole.
    fn short_words<O: Offset>(offsets: &[O], bytes: &[u8], words: &mut [u64]) -> bool {
        let (starts, ends) = (&offsets[..words.len()], &offsets[1..]);
        if !are_inside(starts, bytes.len().checked_sub(8)) {
            return false;
        }
        let mut longest = 0;
        for ((word, start), end) in words.iter_mut().zip(starts).zip(ends) {
            let start = start.place();
            let length = end.place().wrapping_sub(start);
            #[expect(unsafe_code, reason = "a check of every place costs as much as the look-up")]
            // SAFETY: every place was just found to be at most eight bytes before the end.
            let eight = unsafe { bytes.as_ptr().add(start).cast::<u64>().read_unaligned() };
            longest = longest.max(length);
            *word = worded(u64::from_le(eight), length);
        }
        longest <= SHORT
    }
}

/// The word of a text of at most 7 bytes, which `eight` begins with.
#[inline(always)]
fn worded(eight: u64, length: usize) -> u64 {
    eight & ((1 << (8 * (length & SHORT))) - 1) | (length as u64) << 56
}

/// The word of a short text.
#[inline]
fn short(bytes: &[u8], start: usize, end: usize) -> Option<u64> {
    let length = end - start;
    if length > SHORT {
        return None;
    }
    let mut eight = [0; 8];
    match bytes.get(start..start + 8) {
        Some(found) => eight.copy_from_slice(found),
        None => eight[..length].copy_from_slice(&bytes[start..end]),
    }
    Some(worded(u64::from_le_bytes(eight), length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn texts_of_any_length_are_numbered_as_a_map_does() {
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for i in 0..3000usize {
            let length = (i * 7) % 19;
            texts.push((0..length).map(|k| (i % 11 * (k + 1)) as u8).collect());
        }
        texts.extend([
            b"".to_vec(),
            b"\0".to_vec(),
            b"\0\0".to_vec(),
            vec![0xff; 7],
            vec![0xff; 8],
            vec![0; 8],
        ]);
        let mut bytes = Vec::new();
        let mut offsets = vec![0i32];
        for text in &texts {
            bytes.extend_from_slice(text);
            offsets.push(bytes.len() as i32);
        }
        let mut ids = TextIds::default();
        let mut found = vec![0; texts.len()];
        ids.write(&offsets, &bytes, &mut found);
        let mut naive: HashMap<&[u8], u32> = HashMap::new();
        for (text, &id) in texts.iter().zip(&found) {
            let next = naive.len() as u32 + 1;
            assert_eq!(id, *naive.entry(text).or_insert(next), "{text:?}");
            let mut back = Vec::new();
            ids.append(id, &mut back);
            assert_eq!(&back, text);
            assert_eq!(ids.id(text), id);
            assert_eq!(
                hash_text(text, 0, text.len()),
                hash_text(&[text, &b"more bytes"[..]].concat(), 0, text.len())
            );
        }
        assert_eq!(ids.len(), naive.len());
        // Known texts, short ones among themselves, and up to the end of all bytes.
        for rows in [64, 100, texts.len()] {
            for first in (0..texts.len()).step_by(rows) {
                let part = first..(first + rows).min(texts.len());
                let mut again = vec![0; part.len()];
                ids.write(&offsets[first..=part.end], &bytes, &mut again);
                assert_eq!(again, found[part]);
            }
        }
        let few = b"CMTVTSDDSCMTVTS".repeat(100);
        let ends: Vec<i64> = (0..=few.len() as i64 / 3).map(|i| i * 3).collect();
        let mut found = vec![0; ends.len() - 1];
        for _ in 0..2 {
            ids.write(&ends, &few, &mut found);
            for (text, &id) in few.chunks(3).zip(&found) {
                assert_eq!(id, ids.id(text));
            }
        }
    }
}
