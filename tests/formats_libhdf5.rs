//! HDF5 files that only the C library reads: named by a common build, read by one with `libhdf5`.

#[cfg(not(feature = "libhdf5"))]
mod without {
    use outcrop::formats::open;
    use outcrop::task::Task;

    use crate::common::test_data;

    const HINT: &str = "a build of this program with `--features libhdf5` reads it";

    #[test]
    fn a_file_that_only_the_library_reads_is_refused_with_the_way_out() {
        let path = test_data().join("hdf5/library.hdf5#/records/r");
        let error = open(&path, &Task::detached()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("version 5") && error.contains(HINT), "{error}");
    }

    #[test]
    fn a_column_that_only_the_library_reads_says_so() {
        let source = open(&test_data().join("hdf5/library_kinds.hdf5"), &Task::detached());
        let source = source.unwrap_or_else(|error| panic!("{error}"));
        for name in ["grown", "virtual", "packed"] {
            let field = source.schema().field(name).unwrap_or_else(|| panic!("no column {name}"));
            let said = field.description.clone().unwrap_or_default();
            assert!(said.starts_with("not read: ") && said.contains(HINT), "{name}: {said}");
        }
    }
}

#[cfg(feature = "libhdf5")]
mod with {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    use serde_json::Value;
    use tempfile::TempDir;

    use crate::common::test_data;

    fn file(name: &str) -> PathBuf {
        test_data().join("hdf5").join(name)
    }

    /// The real program, whose copies go to `cache`.
    fn outcrop(cache: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_outcrop"))
            .args(arguments)
            .env("XDG_CACHE_HOME", cache)
            .output()
            .unwrap()
    }

    fn columns(cache: &Path, name: &str) -> Value {
        let path = file(name);
        let output = outcrop(cache, &["info", "--stats", "--json", path.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["columns"].take()
    }

    fn column<'a>(columns: &'a Value, name: &str) -> &'a Value {
        columns.as_array().unwrap().iter().find(|column| column["name"] == name).unwrap()
    }

    fn copies(cache: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(cache.join("outcrop/hdf5")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn layouts_of_version_5_are_read_with_all_that_vaex_says_of_them() {
        let cache = TempDir::new().unwrap();
        let all = columns(cache.path(), "library.hdf5");
        let names: Vec<&str> = all.as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["x", "name", "when", "masked", "pair[0]", "pair[1]"]);
        let x = column(&all, "x");
        assert_eq!((x["type"].as_str(), x["unit"].as_str()), (Some("float32"), Some("km")));
        assert_eq!((x["mean"].as_f64(), x["max"].as_f64()), (Some(249.75), Some(499.5)));
        assert_eq!(column(&all, "masked")["missing"], 334);
        assert_eq!(column(&all, "name")["count"], 1000);
        assert_eq!(column(&all, "pair[1]")["min"], -999);
        assert!(column(&all, "when")["max"].as_str().unwrap().starts_with("1972-09-26"), "{all}");
        let path = file("library.hdf5");
        let filter =
            ["agg", path.to_str().unwrap(), "--where", "name == 'row 700 é'", "--agg", "sum(x)", "-o", "-"];
        let answer = String::from_utf8(outcrop(cache.path(), &filter).stdout).unwrap();
        assert_eq!(answer.lines().collect::<Vec<_>>(), ["sum(x)", "350.0"]);
    }

    #[test]
    fn records_texts_and_bools_of_other_groups_are_read() {
        let cache = TempDir::new().unwrap();
        let records = columns(cache.path(), "library.hdf5#/records/r");
        assert_eq!(column(&records, "quarter")["max"], 12.25);
        assert_eq!(column(&records, "label")["count"], 50);
        assert_eq!(column(&columns(cache.path(), "library.hdf5#/texts/t"), "t")["count"], 50);
        assert_eq!(column(&columns(cache.path(), "library.hdf5#/flags"), "b")["mean"], 0.5);
        assert_eq!(copies(cache.path()).len(), 1, "one file is copied once");
    }

    #[test]
    fn b_trees_n_bit_and_virtual_data_sets_are_read_and_what_is_missing_is_not_made_up() {
        let cache = TempDir::new().unwrap();
        let all = columns(cache.path(), "library_kinds.hdf5");
        assert_eq!(column(&all, "grown[1]")["max"], 998_001);
        assert_eq!(column(&all, "packed")["min"], -500);
        assert_eq!(column(&all, "virtual")["max"], 2997);
        let absent = column(&all, "absent");
        assert_eq!(absent["type"], "null");
        assert!(absent["description"].as_str().unwrap().starts_with("not read: "), "{absent}");
        assert_eq!(copies(cache.path()), Vec::<PathBuf>::new(), "values of other files are not kept");
    }

    #[test]
    fn a_changed_file_is_copied_anew_and_its_old_copy_goes() {
        let (cache, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let path = folder.path().join("t.hdf5");
        let open = || outcrop(cache.path(), &["info", path.to_str().unwrap()]).status.success();
        std::fs::copy(file("layout_5.hdf5"), &path).unwrap();
        assert!(open());
        let before = copies(cache.path());
        std::fs::copy(file("library.hdf5"), &path).unwrap();
        assert!(open());
        let after = copies(cache.path());
        assert_eq!((before.len(), after.len()), (1, 1));
        assert_ne!(before, after);
    }

    #[test]
    fn what_the_child_cannot_do_becomes_a_message_and_leaves_nothing() {
        let (cache, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut bytes = std::fs::read(file("library.hdf5")).unwrap();
        // Headers of the values stay; the library finds the damage where it reads the chunks.
        let middle = bytes.len() / 2;
        bytes[middle..middle + 6000].fill(0x5a);
        let damaged = folder.path().join("damaged.hdf5");
        std::fs::write(&damaged, bytes).unwrap();
        let output = outcrop(cache.path(), &["info", damaged.to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        assert!(
            copies(cache.path()).iter().all(|path| path.extension().is_some_and(|e| e == "h5")),
            "{said}"
        );

        let text = folder.path().join("text.hdf5");
        std::fs::write(&text, "no HDF5").unwrap();
        let copy = folder.path().join("copy.h5");
        let output = outcrop(cache.path(), &["__libhdf5", text.to_str().unwrap(), copy.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot be opened"));
        assert!(!copy.exists());
    }
}
