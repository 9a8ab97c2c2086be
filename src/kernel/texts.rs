//! Texts into small numbers, in the order in which they are met.

use hashbrown::HashTable;

use super::ids::{Word, WordIds, hash_bytes, scatter};

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
}

impl TextIds {
    /// Writes the number of every text: text `i` is `bytes[offsets[i]..offsets[i + 1]]`.
    pub fn write<O: Word>(&mut self, offsets: &[O], bytes: &[u8], ids: &mut [u32]) {
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        packed.extend(offsets.windows(2).map(|ends| {
            let (start, end) = (ends[0].word() as usize, ends[1].word() as usize);
            short(bytes, start, end).unwrap_or_else(|| self.long(&bytes[start..end]))
        }));
        self.ids.write(&packed, ids);
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
    let kept = u64::from_le_bytes(eight) & ((1 << (8 * length)) - 1);
    Some(kept | (length as u64) << 56)
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
    }
}
