//! Encapsulated messages: where each begins, what it is, how many rows it has. Reads headers only.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::buffer::{Buffer, MutableBuffer};
use arrow::datatypes::Schema;
use arrow::ipc::convert::{MessageBuffer, try_fb_to_schema};
use arrow::ipc::{Block, Message, MessageHeader, MetadataVersion, root_as_footer, root_as_message};

use super::check::check_type;
use crate::task::{Cancelled, Task};

/// Begins and ends a file; a stream has none.
pub(super) const MAGIC: &[u8] = b"ARROW1";
/// Begins the older Feather format, which is not Arrow IPC.
pub(super) const FEATHER_1: &[u8] = b"FEA1";
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Footer length and magic at the end of a file.
const TRAILER: usize = 10;
/// Messages between two looks at the task.
const CHECK_EVERY: usize = 1024;

/// Why a layout could not be read.
pub(super) enum Fault {
    /// The task was cancelled.
    Cancelled(Cancelled),
    /// Part and reason, in words for a person.
    Damaged(String),
}

impl From<String> for Fault {
    fn from(reason: String) -> Fault {
        Fault::Damaged(reason)
    }
}

impl From<Cancelled> for Fault {
    fn from(cancelled: Cancelled) -> Fault {
        Fault::Cancelled(cancelled)
    }
}

/// One message: the bytes of its header and of its body, both inside the file.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
}

impl Part {
    /// The header, verified; copied only when it is not aligned to 8 bytes.
    pub(super) fn message(&self, file: &Buffer) -> Result<MessageBuffer, String> {
        let header = file.slice_with_length(self.header.start, self.header.len());
        let header = if header.as_ptr().align_offset(8) == 0 {
            header
        } else {
            let mut aligned = MutableBuffer::new(header.len());
            aligned.extend_from_slice(&header);
            aligned.into()
        };
        MessageBuffer::try_new(header).map_err(|error| format!("the header is damaged: {error}"))
    }

    /// The body; no copy.
    pub(super) fn body(&self, file: &Buffer) -> Buffer {
        file.slice_with_length(self.body.start, self.body.len())
    }
}

/// The values one dictionary has from some batch on: the first message and the deltas after it.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) first_batch: usize,
    pub(super) parts: Vec<Part>,
}

/// Everything the headers of a file say.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) schema: Arc<Schema>,
    pub(super) version: MetadataVersion,
    pub(super) batches: Vec<Part>,
    /// First row of each batch, and the number of rows at the end.
    pub(super) starts: Vec<u64>,
    /// Of each dictionary its generations, in order; more than one only in a stream.
    pub(super) dictionaries: HashMap<i64, Vec<Generation>>,
}

impl Layout {
    fn new(schema: Schema, version: MetadataVersion) -> Layout {
        Layout {
            schema: Arc::new(schema),
            version,
            batches: Vec::new(),
            starts: vec![0],
            dictionaries: HashMap::new(),
        }
    }

    fn push_batch(&mut self, message: &Message<'_>, part: Part) -> Result<(), String> {
        let batch = message.header_as_record_batch().ok_or("it is no record batch")?;
        if message.version() != self.version {
            return Err("its metadata version is not that of the schema".to_owned());
        }
        let rows = u64::try_from(batch.length()).map_err(|_| "it declares a negative number of rows")?;
        let last = self.starts.last().copied().unwrap_or(0);
        // Row numbers must also fit i64, which some consumers count in.
        let end = last.checked_add(rows).filter(|end| i64::try_from(*end).is_ok());
        self.starts.push(end.ok_or("the number of rows overflows")?);
        self.batches.push(part);
        Ok(())
    }

    fn push_dictionary(
        &mut self,
        message: &Message<'_>,
        part: Part,
        may_replace: bool,
    ) -> Result<(), String> {
        let batch = message.header_as_dictionary_batch().ok_or("it is no dictionary batch")?;
        let id = batch.id();
        let first_batch = self.batches.len();
        let generations = self.dictionaries.entry(id).or_default();
        match generations.last_mut() {
            Some(generation) if batch.isDelta() => generation.parts.push(part),
            None if batch.isDelta() => {
                return Err(format!("it extends dictionary {id}, which does not exist yet"));
            }
            Some(_) if !may_replace => {
                return Err(format!("it replaces dictionary {id}, which a file may not do"));
            }
            _ => generations.push(Generation { first_batch, parts: vec![part] }),
        }
        Ok(())
    }
}

/// Whether `head` begins with the schema message of a stream.
pub(super) fn begins_stream(head: &[u8]) -> bool {
    let Some(prefix) = Prefix::at(head, 0) else { return false };
    if prefix.length == 0 {
        return false;
    }
    let Some(header) = head.get(prefix.header..prefix.header + prefix.length) else {
        // A schema longer than the head: believed only with the marker of streams since 2019.
        return head.starts_with(&CONTINUATION) && prefix.length < 1 << 28;
    };
    let aligned = Buffer::from(header.to_vec());
    root_as_message(&aligned).is_ok_and(|message| message.header_type() == MessageHeader::Schema)
}

/// Reads where everything lies in the file mapped as `file`.
pub(super) fn read_layout(file: &Buffer, task: &Task) -> Result<Layout, Fault> {
    if file.starts_with(FEATHER_1) {
        return Err(Fault::Damaged(
            "this is Feather version 1, which is not supported; write it again as Feather version 2"
                .to_owned(),
        ));
    }
    if file.starts_with(MAGIC) { read_file(file, task) } else { read_stream(file, task) }
}

fn schema_of(schema: arrow::ipc::Schema<'_>) -> Result<Schema, String> {
    if !schema.endianness().equals_to_target_endianness() {
        return Err("the values are in big-endian byte order, which is not supported; \
                    write the file again on a little-endian machine"
            .to_owned());
    }
    let schema = try_fb_to_schema(schema).map_err(|error| format!("the schema is damaged: {error}"))?;
    for field in schema.fields() {
        check_type(field.data_type()).map_err(|reason| format!("column `{}`: {reason}", field.name()))?;
    }
    // A column is read as it is, with nulls even where its field promises none.
    let fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone().with_nullable(true)).collect();
    Ok(Schema::new(fields))
}

fn check_version(version: MetadataVersion) -> Result<(), String> {
    if version == MetadataVersion::V4 || version == MetadataVersion::V5 {
        return Ok(());
    }
    Err(format!("metadata version {} is not supported; 4 and 5 are", i32::from(version.0) + 1))
}

fn read_file(file: &Buffer, task: &Task) -> Result<Layout, Fault> {
    let end = file.len();
    if end < MAGIC.len() + TRAILER || &file[end - MAGIC.len()..] != MAGIC {
        return Err(Fault::Damaged("the footer is missing; the file is cut off or not finished".to_owned()));
    }
    let length = read_i32(file, end - TRAILER).unwrap_or(-1);
    let room = end - TRAILER - MAGIC.len();
    let length =
        usize::try_from(length).ok().filter(|length| *length > 0 && *length <= room).ok_or_else(|| {
            Fault::Damaged(format!("the footer: its length {length} does not fit the file of {end} bytes"))
        })?;
    let mut aligned = MutableBuffer::new(length);
    aligned.extend_from_slice(&file[end - TRAILER - length..end - TRAILER]);
    let footer = root_as_footer(&aligned)
        .map_err(|error| Fault::Damaged(format!("the footer is damaged: {error}")))?;
    let schema = footer.schema().ok_or_else(|| "the footer has no schema".to_owned())?;
    let schema = schema_of(schema).map_err(|reason| format!("the footer: {reason}"))?;

    // Some old writers leave the version of the footer unset: that of the messages counts.
    let mut layout = Layout::new(schema, footer.version());
    let mut walker = FileWalker { file, layout: &mut layout, version_known: false };
    for (i, block) in footer.dictionaries().iter().flatten().enumerate() {
        if i % CHECK_EVERY == 0 {
            task.check()?;
        }
        walker.dictionary(block).map_err(|r| format!("dictionary {i} (byte {}): {r}", block.offset()))?;
    }
    for (i, block) in footer.recordBatches().iter().flatten().enumerate() {
        if i % CHECK_EVERY == 0 {
            task.check()?;
        }
        walker.batch(block).map_err(|r| format!("record batch {i} (byte {}): {r}", block.offset()))?;
    }
    Ok(layout)
}

struct FileWalker<'a> {
    file: &'a Buffer,
    layout: &'a mut Layout,
    version_known: bool,
}

impl FileWalker<'_> {
    fn part(&mut self, block: &Block) -> Result<(Part, MessageBuffer), String> {
        let outside = || format!("it lies outside the file of {} bytes", self.file.len());
        let start = usize::try_from(block.offset()).map_err(|_| outside())?;
        let before = usize::try_from(block.metaDataLength()).map_err(|_| outside())?;
        let length = usize::try_from(block.bodyLength()).map_err(|_| outside())?;
        let body = start.checked_add(before).ok_or_else(outside)?;
        let end = body.checked_add(length).filter(|end| *end <= self.file.len()).ok_or_else(outside)?;
        let prefix = Prefix::at(self.file, start).ok_or_else(outside)?;
        let header = prefix.header..prefix.header.checked_add(prefix.length).ok_or_else(outside)?;
        if prefix.length == 0 || header.end > body {
            return Err("its header does not fit the space the footer gives it".to_owned());
        }
        let part = Part { header, body: body..end };
        let message = part.message(self.file)?;
        if !self.version_known {
            self.layout.version = message.as_ref().version();
            check_version(self.layout.version)?;
            self.version_known = true;
        }
        Ok((part, message))
    }

    fn dictionary(&mut self, block: &Block) -> Result<(), String> {
        let (part, message) = self.part(block)?;
        self.layout.push_dictionary(&message.as_ref(), part, false)
    }

    fn batch(&mut self, block: &Block) -> Result<(), String> {
        let (part, message) = self.part(block)?;
        self.layout.push_batch(&message.as_ref(), part)
    }
}

/// The bytes before a header: its length, since 2019 after a continuation marker.
struct Prefix {
    header: usize,
    length: usize,
}

impl Prefix {
    fn at(file: &[u8], at: usize) -> Option<Prefix> {
        let marked = file.get(at..at.checked_add(4)?)? == CONTINUATION;
        let header = at.checked_add(if marked { 8 } else { 4 })?;
        let length = usize::try_from(read_i32(file, header - 4)?).ok()?;
        Some(Prefix { header, length })
    }
}

fn read_i32(bytes: &[u8], at: usize) -> Option<i32> {
    let raw: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(i32::from_le_bytes(raw))
}

fn read_stream(file: &Buffer, task: &Task) -> Result<Layout, Fault> {
    let mut layout: Option<Layout> = None;
    let mut at = 0;
    let mut count = 0;
    while at < file.len() {
        if count % CHECK_EVERY == 0 {
            task.check()?;
        }
        let start = at;
        let place = |reason: String| format!("message {count} (byte {start}): {reason}");
        let cut = || place("the file ends in the middle of it".to_owned());
        let prefix = Prefix::at(file, at).ok_or_else(cut)?;
        if prefix.length == 0 {
            break;
        }
        let header_end =
            prefix.header.checked_add(prefix.length).filter(|end| *end <= file.len()).ok_or_else(cut)?;
        let mut part = Part { header: prefix.header..header_end, body: header_end..header_end };
        let buffer = part.message(file).map_err(place)?;
        let message = buffer.as_ref();
        let body = usize::try_from(message.bodyLength())
            .map_err(|_| place("its body has a negative length".to_owned()))?;
        part.body.end = header_end.checked_add(body).filter(|end| *end <= file.len()).ok_or_else(cut)?;
        at = part.body.end;
        match (&mut layout, message.header_type()) {
            (None, MessageHeader::Schema) => {
                check_version(message.version()).map_err(place)?;
                let schema = message
                    .header_as_schema()
                    .ok_or_else(|| "it is no schema".to_owned())
                    .and_then(schema_of)
                    .map_err(place)?;
                layout = Some(Layout::new(schema, message.version()));
            }
            (Some(layout), MessageHeader::RecordBatch) => layout.push_batch(&message, part).map_err(place)?,
            (Some(layout), MessageHeader::DictionaryBatch) => {
                layout.push_dictionary(&message, part, true).map_err(place)?;
            }
            (_, MessageHeader::Tensor | MessageHeader::SparseTensor) => {
                return Err(Fault::Damaged(place("it is a tensor, not a table".to_owned())));
            }
            (None, _) => return Err(Fault::Damaged(place("the stream begins without a schema".to_owned()))),
            (Some(_), _) => {
                return Err(Fault::Damaged(place("neither a record batch nor a dictionary".to_owned())));
            }
        }
        count += 1;
    }
    layout.ok_or_else(|| Fault::Damaged("the stream has no schema".to_owned()))
}
