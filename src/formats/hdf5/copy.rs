//! A plain copy of an HDF5 file, made by the C library: every data set in one run of bytes, without
//! filters, chunks or other files, under the same names and with the same types and attributes.
//!
//! The C library has crashed on damaged files before, so this runs in a process of its own.

use std::ffi::{c_char, c_void};
use std::path::{Path, PathBuf};

use hdf5::dataset::{DatasetCreate, Layout};
use hdf5::file::LibraryVersion;
use hdf5::types::TypeDescriptor;
use hdf5::{
    Attribute, Dataset, Dataspace, Datatype, Extents, File, Group, Hyperslab, LinkType, Location,
    LocationToken, LocationType, Selection, SliceOrIndex,
};
use hdf5_sys::h5::herr_t;
use hdf5_sys::h5a::{H5Aread, H5Awrite};
use hdf5_sys::h5d::{H5Dread, H5Dwrite};
use hdf5_sys::h5p::{H5P_DEFAULT, H5Pget_virtual_count, H5Pget_virtual_dsetname, H5Pget_virtual_filename};
use hdf5_sys::h5t::H5Treclaim;

use super::library::CopyLimits;

/// Bytes copied at once, rounded up to whole chunks.
const BAND_BYTES: usize = 32 << 20;
/// Most bytes copied at once.
const LARGEST_BAND_BYTES: usize = 1 << 30;
/// Largest attribute copied.
const LARGEST_ATTRIBUTE_BYTES: usize = 64 << 20;
/// Bytes that one stored byte may become: deflate makes at most 1032 of one.
const MOST_EXPANSION: u64 = 2048;
/// Bytes that may come of next to nothing stored, such as a fill value.
const FREE_BYTES: u64 = 256 << 20;
/// Levels of groups copied.
const DEEPEST: usize = 32;

/// What was copied.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied {
    /// Whether values of other files are among it.
    pub(super) has_other_files: bool,
}

/// Copies the HDF5 file at `from` to `to`, which must not exist. What the library cannot read
/// either is copied as it is stored.
///
/// # Errors
/// What is wrong, in words for a person; `to` is then to be removed.
pub(super) fn copy_plain(from: &Path, to: &Path, limits: CopyLimits) -> Result<Copied, String> {
    let source = File::open(from).map_err(|error| format!("it cannot be opened: {}", first_line(&error)))?;
    let target = File::with_options()
        .with_fapl(|list| list.libver_bounds(LibraryVersion::V18, LibraryVersion::latest()))
        .create_excl(to)
        .map_err(|error| format!("{} cannot be written: {}", to.display(), first_line(&error)))?;
    let folder = from.parent().unwrap_or(Path::new("")).to_owned();
    let mut copier =
        Copier { left: limits.output_bytes, folder, seen: Vec::new(), copied: Copied::default() };
    copier.attributes(&source, &target).map_err(|error| first_line(&error))?;
    copier.group(&source, &target, 0)?;
    target.close().map_err(|error| format!("the copy cannot be written: {}", first_line(&error)))?;
    Ok(copier.copied)
}

fn first_line(error: &hdf5::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

struct Copier {
    /// Bytes that may still be written.
    left: u64,
    folder: PathBuf,
    /// Groups copied: a group may contain itself.
    seen: Vec<LocationToken>,
    copied: Copied,
}

impl Copier {
    fn group(&mut self, from: &Group, to: &Group, depth: usize) -> Result<(), String> {
        let place = from.name();
        let wrong = |error: hdf5::Error| format!("group {place}: {}", first_line(&error));
        if depth > DEEPEST {
            return Ok(());
        }
        for (name, link) in
            from.links(hdf5::IndexType::Name, hdf5::IterationOrder::Increasing).map_err(wrong)?
        {
            if link.link_type != LinkType::Hard {
                continue;
            }
            let info = from.loc_info_by_name(&name).map_err(wrong)?;
            match info.loc_type {
                LocationType::Group if !self.seen.contains(&info.token) => {
                    self.seen.push(info.token);
                    let (inner, copy) =
                        (from.group(&name).map_err(wrong)?, to.create_group(&name).map_err(wrong)?);
                    self.attributes(&inner, &copy).map_err(wrong)?;
                    self.group(&inner, &copy, depth + 1)?;
                }
                LocationType::Dataset => {
                    let set = from.dataset(&name).map_err(wrong)?;
                    self.data_set(&set, to, &name)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Copies `set` plainly, or as it is stored if that is not possible.
    fn data_set(&mut self, set: &Dataset, to: &Group, name: &str) -> Result<(), String> {
        let place = set.name();
        let Err(reason) = self.plain_data_set(set, to, name) else { return Ok(()) };
        if to.link_exists(name) {
            to.unlink(name).map_err(|error| format!("data set {place}: {}", first_line(&error)))?;
        }
        set.copy_to(to, name).map_err(|_| format!("data set {place}: {reason}"))
    }

    fn plain_data_set(&mut self, set: &Dataset, to: &Group, name: &str) -> Result<(), String> {
        let wrong = |error: hdf5::Error| first_line(&error);
        let (datatype, space) = (set.dtype().map_err(wrong)?, set.space().map_err(wrong)?);
        let is_scalar = space.is_null() || space.is_scalar();
        let shape = space.shape();
        let bytes = shape
            .iter()
            .try_fold(datatype.size(), |bytes, &extent| bytes.checked_mul(extent))
            .ok_or("it declares more bytes than a file can hold")?;
        self.budget(set, bytes as u64)?;
        self.other_files(set)?;
        let pointers = Pointers::of(&datatype)?;
        let extents = if is_scalar { space.extents().map_err(wrong)? } else { Extents::from(shape.clone()) };
        let copy = to
            .new_dataset_builder()
            .empty_as(&datatype)
            .shape(extents)
            .no_chunk()
            .create(name)
            .map_err(wrong)?;
        self.attributes(set, &copy).map_err(wrong)?;
        if space.is_null() || bytes == 0 {
            return Ok(());
        }
        if is_scalar {
            return transfer(&Side::Set(set, &space), &Side::Set(&copy, &space), &datatype, &space, pointers);
        }
        let rows = shape[0];
        let row_bytes = bytes / rows;
        let chunk = set.chunk().and_then(|chunk| chunk.first().copied()).unwrap_or(1).max(1);
        let band = (BAND_BYTES / row_bytes).max(1).div_ceil(chunk).saturating_mul(chunk).min(rows);
        if band.saturating_mul(row_bytes) > LARGEST_BAND_BYTES {
            return Err(format!("{band} rows of {row_bytes} bytes are too many to decode at once"));
        }
        for start in (0..rows).step_by(band) {
            let count = band.min(rows - start);
            let mut slices: Vec<SliceOrIndex> = shape.iter().map(|&extent| (0..extent).into()).collect();
            slices[0] = (start..start + count).into();
            let part = space.select(Selection::from(Hyperslab::from(slices.clone()))).map_err(wrong)?;
            let target = copy.space().map_err(wrong)?;
            let target = target.select(Selection::from(Hyperslab::from(slices))).map_err(wrong)?;
            let mut extents = shape.clone();
            extents[0] = count;
            let memory = Dataspace::try_new(extents).map_err(wrong)?;
            transfer(&Side::Set(set, &part), &Side::Set(&copy, &target), &datatype, &memory, pointers)?;
        }
        Ok(())
    }

    /// Whether `bytes` more may be written of `set`.
    fn budget(&mut self, set: &Dataset, bytes: u64) -> Result<(), String> {
        let possible = set.storage_size().saturating_mul(MOST_EXPANSION).saturating_add(FREE_BYTES);
        if bytes > possible && !matches!(set.layout(), Layout::Virtual) {
            return Err(format!("it declares {bytes} bytes, but stores {}", set.storage_size()));
        }
        self.left = self.left.checked_sub(bytes).ok_or("there are too many bytes to copy")?;
        Ok(())
    }

    /// Refuses values in other files that are not there, or that need not be tables at all.
    fn other_files(&mut self, set: &Dataset) -> Result<(), String> {
        let list = set.create_plist().map_err(|error| first_line(&error))?;
        if !list.external().is_empty() {
            return Err("its values are in other files, as they are".to_owned());
        }
        if matches!(set.layout(), Layout::Virtual) {
            self.copied.has_other_files = true;
            for (file, inner) in sources(&list)? {
                // The library takes what is missing for the fill value. "%b" stands for a number: a
                // series of files or data sets, which ends where one is missing.
                if file.contains("%b") || inner.contains("%b") {
                    continue;
                }
                let source = if file == "." { set.file() } else { File::open(self.folder.join(&file)) };
                if source.and_then(|source| source.dataset(&inner)).is_err() {
                    return Err(format!("its values are in {inner} of {file}, which is missing"));
                }
            }
        }
        Ok(())
    }

    fn attributes(&self, from: &Location, to: &Location) -> hdf5::Result<()> {
        for name in from.attr_names()? {
            // An attribute that is not understood is passed over: the values do not depend on it.
            let _ = copy_attribute(&from.attr(&name)?, to, &name);
        }
        Ok(())
    }
}

/// File and data set of every part of a virtual data set. (`hdf5` 0.15 gives the same, but fails on
/// parts that are one block.)
fn sources(list: &DatasetCreate) -> Result<Vec<(String, String)>, String> {
    const FAILED: &str = "where its values are cannot be read";
    let name_of = |get: &dyn Fn(*mut c_char, usize) -> isize| -> Result<String, String> {
        let length = usize::try_from(get(std::ptr::null_mut(), 0)).map_err(|_| FAILED)?;
        let mut bytes = vec![0_u8; length + 1];
        let found = get(bytes.as_mut_ptr().cast(), bytes.len());
        if usize::try_from(found) != Ok(length) {
            return Err(FAILED.to_owned());
        }
        bytes.truncate(length);
        String::from_utf8(bytes).map_err(|_| FAILED.to_owned())
    };
    hdf5::sync::sync(|| {
        let mut count = 0;
        #[expect(unsafe_code, reason = "only the library knows")]
        // SAFETY: the list is open, and `count` lives across the call.
        if unsafe { H5Pget_virtual_count(list.id(), &raw mut count) } < 0 {
            return Err(FAILED.to_owned());
        }
        (0..count)
            .map(|part| {
                #[expect(unsafe_code, reason = "only the library knows")]
                // SAFETY: the list is open, and at most `size` bytes are written where there is room
                // for as many.
                let file =
                    name_of(&|to, size| unsafe { H5Pget_virtual_filename(list.id(), part, to, size) })?;
                #[expect(unsafe_code, reason = "only the library knows")]
                // SAFETY: the same.
                let set = name_of(&|to, size| unsafe { H5Pget_virtual_dsetname(list.id(), part, to, size) })?;
                Ok((file, set))
            })
            .collect()
    })
}

fn copy_attribute(from: &Attribute, to: &Location, name: &str) -> Result<(), String> {
    let wrong = |error: hdf5::Error| first_line(&error);
    let (datatype, space) = (from.dtype().map_err(wrong)?, from.space().map_err(wrong)?);
    let pointers = Pointers::of(&datatype)?;
    let extents = space.extents().map_err(wrong)?;
    let copy = to.new_attr_builder().empty_as(&datatype).shape(extents).create(name).map_err(wrong)?;
    let bytes = space.size().checked_mul(datatype.size());
    if bytes.is_none_or(|bytes| bytes > LARGEST_ATTRIBUTE_BYTES) || space.is_null() {
        return Ok(());
    }
    transfer(&Side::Attribute(from), &Side::Attribute(&copy), &datatype, &space, pointers)
}

/// Whether values of a type lie elsewhere in memory, and a value is a pointer to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pointers {
    No,
    Yes,
}

impl Pointers {
    /// Those of a type. References are refused: they mean nothing in a copy.
    fn of(datatype: &Datatype) -> Result<Pointers, String> {
        fn look(descriptor: &TypeDescriptor) -> Result<Pointers, String> {
            Ok(match descriptor {
                TypeDescriptor::VarLenAscii | TypeDescriptor::VarLenUnicode => Pointers::Yes,
                TypeDescriptor::VarLenArray(inner) => {
                    look(inner)?;
                    Pointers::Yes
                }
                TypeDescriptor::FixedArray(inner, _) => look(inner)?,
                TypeDescriptor::Compound(compound) => {
                    let mut found = Pointers::No;
                    for field in &compound.fields {
                        if look(&field.ty)? == Pointers::Yes {
                            found = Pointers::Yes;
                        }
                    }
                    found
                }
                TypeDescriptor::Reference(_) => return Err("it holds references".to_owned()),
                _ => Pointers::No,
            })
        }
        // The descriptor knows no bit fields, opaque values or times; none of these is a pointer,
        // and reclaiming nothing does no harm.
        datatype.to_descriptor().map_or(Ok(Pointers::Yes), |descriptor| look(&descriptor))
    }
}

/// Values in a file: those of an attribute, or those a selection of a data set takes.
enum Side<'a> {
    Set(&'a Dataset, &'a Dataspace),
    Attribute(&'a Attribute),
}

/// Copies the values of `memory`, of type `datatype` on both sides.
fn transfer(
    from: &Side,
    to: &Side,
    datatype: &Datatype,
    memory: &Dataspace,
    pointers: Pointers,
) -> Result<(), String> {
    let count = memory.size();
    let length = count.checked_mul(datatype.size()).ok_or("it is too large to decode")?;
    // Whole words, so that pointers among the values are aligned; zeros, so that none of them is wild
    // if reading ends early.
    let mut words: Vec<u64> = Vec::new();
    words
        .try_reserve_exact(length.div_ceil(8))
        .map_err(|_| format!("{length} bytes do not fit into memory"))?;
    words.resize(length.div_ceil(8), 0);
    let bytes: *mut c_void = words.as_mut_ptr().cast();
    let check = |status: herr_t, action: &str| {
        if status >= 0 { Ok(()) } else { Err(format!("its values cannot be {action}")) }
    };
    let (kind, space) = (datatype.id(), memory.id());
    hdf5::sync::sync(|| {
        #[expect(unsafe_code, reason = "the library reads values of any type only into bare memory")]
        // SAFETY: `words` has room for all `count` values of `datatype`, the type of both sides as the
        // library has it in memory; all handles are open, and the selections take `count` values each.
        // Reclaiming frees what reading allocated, after its last use.
        unsafe {
            let status = match from {
                Side::Set(set, part) => H5Dread(set.id(), kind, space, part.id(), H5P_DEFAULT, bytes),
                Side::Attribute(attribute) => H5Aread(attribute.id(), kind, bytes),
            };
            let result = check(status, "read").and_then(|()| {
                let status = match to {
                    Side::Set(set, part) => H5Dwrite(set.id(), kind, space, part.id(), H5P_DEFAULT, bytes),
                    Side::Attribute(attribute) => H5Awrite(attribute.id(), kind, bytes),
                };
                check(status, "written")
            });
            if pointers == Pointers::Yes {
                H5Treclaim(kind, space, H5P_DEFAULT, bytes);
            }
            result
        }
    })
}
