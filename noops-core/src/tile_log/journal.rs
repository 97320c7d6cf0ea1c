//! The journal: what was acknowledged since the last checkpoint, one frame for each group commit.
//!
//! A frame is `magic(4) | length(4) | first sequence(8) | check of the payload(8) | check of the 24 bytes before(8) | payload`, numbers
//! little-endian, a check being the first 8 bytes of the SHA-256, and the payload an entry bundle. A group is one frame because only the
//! frame whose sync had not returned can be torn by a power cut: anything else that is wrong was done by somebody.

use super::bundle;
use super::storage::{READ, WRITE};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// The largest payload of a frame.
pub(super) const MAX_PAYLOAD: usize = 256 << 20;

/// The largest journal that is read back: a checkpoint is due long before, so that what is left is always smaller.
pub(super) const MAX_JOURNAL: u64 = 1 << 30;

/// The name of the file.
pub(super) const NAME: &str = "journal";

/// A frame around leaves that begin at a sequence number.
pub(super) fn frame(first: u64, leaves: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    let length: usize = leaves.iter().map(|leaf| leaf.len().saturating_add(2)).sum();
    let mut payload = Vec::with_capacity(length);
    let fits = leaves.iter().all(|leaf| bundle::push(&mut payload, leaf));
    let length = u32::try_from(length)
        .ok()
        .filter(|_| fits && payload.len() <= MAX_PAYLOAD)
        .ok_or_else(too_much_at_once)?;
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&first.to_le_bytes());
    frame.extend_from_slice(&check(&payload));
    let own = check(&frame);
    frame.extend_from_slice(&own);
    frame.extend_from_slice(&payload);
    Ok(frame)
}

/// The refusal of a group that does not fit a frame.
pub(super) fn too_much_at_once() -> Error {
    Error::new(
        ErrorKind::Invalid,
        WRITE,
        "these records are too much for one group: append them in smaller groups",
    )
    .with("limit in bytes", MAX_PAYLOAD)
}

/// What a journal holds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The leaves in order, with their sequence numbers and the offsets of their frames.
    pub(super) leaves: Vec<JournalLeaf>,
    /// Where the last whole frame ends.
    pub(super) end: u64,
    /// Whether something follows that a cut-off write explains.
    pub(super) torn: bool,
}

/// A leaf in the journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JournalLeaf {
    /// Its place in the log.
    pub(super) sequence: u64,
    /// Where its frame begins.
    pub(super) offset: u64,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// Reads a journal up to its end or to a torn last frame.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) when what is wrong cannot come from a write that was cut off.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, Error> {
    let mut scan = Scan::default();
    let mut offset: usize = 0;
    loop {
        let rest = bytes.get(offset..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(scan);
        }
        let Some(frame) = Frame::parse(rest) else {
            if is_torn(bytes, offset) && !a_frame_follows(rest) {
                scan.torn = true;
                return Ok(scan);
            }
            return Err(damaged(offset));
        };
        let leaves = bundle::split(frame.payload).ok_or_else(|| damaged(offset))?;
        let mut sequence = frame.first;
        for leaf in leaves {
            if leaf.len() < MIN_LEAF {
                return Err(damaged(offset));
            }
            scan.leaves.push(JournalLeaf {
                sequence,
                offset: offset as u64,
                bytes: leaf.to_vec(),
            });
            sequence = sequence.checked_add(1).ok_or_else(|| damaged(offset))?;
        }
        offset = offset
            .saturating_add(HEADER)
            .saturating_add(frame.payload.len());
        scan.end = offset as u64;
    }
}

struct Frame<'a> {
    first: u64,
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::parse(bytes)?;
        let payload = bytes.get(HEADER..)?.get(..header.length)?;
        (check(payload) == header.check).then_some(Self {
            first: header.first,
            payload,
        })
    }
}

struct Header {
    length: usize,
    first: u64,
    check: [u8; 8],
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (payload, rest) = rest.split_first_chunk::<8>()?;
        let (own, _) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let whole =
            *magic == MAGIC && length <= MAX_PAYLOAD && check(bytes.get(..HEADER - CHECK)?) == *own;
        whole.then_some(Self {
            length,
            first: u64::from_le_bytes(*first),
            check: *payload,
        })
    }
}

/// Whether a write that was cut off explains a frame that does not parse: bytes are missing at the end, or a whole sector never reached the
/// disk and reads as zeros. A frame whose bytes are all there but wrong was changed.
fn is_torn(bytes: &[u8], offset: usize) -> bool {
    let rest = bytes.get(offset..).unwrap_or_default();
    let expected = match Header::parse(rest) {
        Some(header) => HEADER.saturating_add(header.length),
        None => HEADER,
    };
    if rest.len() < expected {
        return true;
    }
    if Header::parse(rest).is_some() && rest.len() > expected {
        return false;
    }
    let mut from = offset;
    let end = offset.saturating_add(expected);
    while from < end {
        let until = (from / SECTOR)
            .saturating_add(1)
            .saturating_mul(SECTOR)
            .min(end);
        let part = bytes.get(from..until).unwrap_or_default();
        if part.iter().all(|byte| *byte == 0) {
            return true;
        }
        from = until;
    }
    false
}

/// Whether a frame begins anywhere behind the first byte. Its header is enough: frames are synced one by one, so that one that is followed by
/// as much as a header was whole once. To hash what each header promises would take for ever where somebody put many.
fn a_frame_follows(bytes: &[u8]) -> bool {
    bytes
        .windows(MAGIC.len())
        .enumerate()
        .skip(1)
        .filter(|(_, window)| *window == MAGIC)
        .any(|(at, _)| bytes.get(at..).and_then(Header::parse).is_some())
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    for (to, from) in check.iter_mut().zip(Digest::of(bytes).as_bytes()) {
        *to = *from;
    }
    check
}

fn damaged(offset: usize) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        READ,
        "a frame was changed after it was written: restore the file from a copy",
    )
    .with("file", NAME)
    .with("offset", offset)
}

/// No UTF-8 text contains the first byte, so no leaf can pretend to be a frame.
const MAGIC: [u8; 4] = [0xFB, b'n', b'o', b'j'];
const CHECK: usize = 8;
const HEADER: usize = 32;
const SECTOR: usize = 512;

/// An entry has two digests in it. That none is shorter bounds how many a journal can pretend to have.
const MIN_LEAF: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn two_frames() -> (Vec<u8>, usize) {
        let mut bytes = frame(5, &[vec![b'a'; MIN_LEAF], vec![b'b'; 150]]).unwrap();
        let first = bytes.len();
        bytes.extend(frame(7, &[vec![b'x'; 700]]).unwrap());
        (bytes, first)
    }

    #[test]
    fn what_was_framed_is_read_back() {
        let (bytes, first) = two_frames();
        let scan = scan(&bytes).unwrap();
        assert!(!scan.torn);
        assert_eq!(scan.end, bytes.len() as u64);
        let found: Vec<(u64, u64, usize)> = scan
            .leaves
            .iter()
            .map(|leaf| (leaf.sequence, leaf.offset, leaf.bytes.len()))
            .collect();
        assert_eq!(
            found,
            [(5, 0, MIN_LEAF), (6, 0, 150), (7, first as u64, 700)]
        );
    }

    #[test]
    fn every_cut_through_the_last_frame_is_a_torn_end() {
        let (bytes, first) = two_frames();
        for length in first + 1..bytes.len() {
            let scan = scan(&bytes[..length]).unwrap();
            assert!(scan.torn, "{length}");
            assert_eq!(scan.end, first as u64, "{length}");
            assert_eq!(scan.leaves.len(), 2, "{length}");
        }
    }

    #[test]
    fn a_sector_that_never_reached_the_disk_is_a_torn_end() {
        let (mut bytes, first) = two_frames();
        bytes[SECTOR..].fill(0);
        let scan = scan(&bytes).unwrap();
        assert!(scan.torn);
        assert_eq!(scan.end, first as u64);
    }

    #[test]
    fn no_flipped_bit_is_taken_for_a_torn_end() {
        let (bytes, _) = two_frames();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let error = scan(&changed).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{at}.{bit}");
            }
        }
    }

    #[test]
    fn a_damaged_frame_before_a_whole_one_is_damage() {
        let (mut bytes, first) = two_frames();
        bytes[..first].fill(0);
        assert!(scan(&bytes).unwrap_err().to_string().contains("offset `0`"));
    }

    #[test]
    fn a_damaged_frame_before_a_cut_one_is_damage() {
        let (mut bytes, first) = two_frames();
        bytes[..first].fill(0);
        for length in first + HEADER..bytes.len() {
            let error = scan(&bytes[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}");
        }
    }

    #[test]
    fn headers_that_promise_much_are_not_followed() {
        // The first promises more than there is, as if cut off, and each other all that follows it: to hash that for each would be 1 TB.
        let mut bytes = Vec::new();
        for left in (0..1_u32 << 18).rev() {
            let begin = bytes.len();
            let length = left * HEADER as u32 + u32::from(begin == 0);
            bytes.extend_from_slice(&MAGIC);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&[7; 16]);
            let own = check(&bytes[begin..]);
            bytes.extend_from_slice(&own);
        }
        assert_eq!(scan(&bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn leaves_too_short_for_an_entry_are_damage() {
        for length in [0, 1, MIN_LEAF - 1] {
            let bytes = frame(0, &vec![vec![b'x'; length]; 3]).unwrap();
            assert_eq!(scan(&bytes).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        assert!(scan(&frame(0, &[vec![b'x'; MIN_LEAF]]).unwrap()).is_ok());
    }

    #[test]
    fn a_length_that_promises_too_much_allocates_nothing() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.extend_from_slice(&[1; 24]);
        assert_eq!(scan(&bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
