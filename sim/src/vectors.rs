//! Tables of test vectors: TSV, `#` for comments, `#cols` for names, `\\ \r \n \t \0 \xHH` for bytes.

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    columns: &'a [&'a str],
    fields: Vec<&'a str>,
}

/// Calls `check` for each row of a table, and says in a panic which row it was.
///
/// # Panics
///
/// If the table is not in the form, or holds no row, or if `check` does.
pub fn each(table: &str, mut check: impl FnMut(&Row<'_>)) {
    struct Blame<'a>(&'a str);
    impl Drop for Blame<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("in row {}", self.0);
            }
        }
    }
    let names = table.lines().find_map(|line| line.strip_prefix("#cols\t")).expect("the table names its columns");
    let columns: Vec<&str> = names.split('\t').collect();
    let mut rows = 0;
    for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let row = Row { columns: &columns, fields: line.split('\t').collect() };
        let _blame = Blame(row.fields[0]);
        assert_eq!(row.fields.len(), columns.len(), "fields of {line}");
        check(&row);
        rows += 1;
    }
    assert!(rows > 0, "the table holds no row");
}

impl<'a> Row<'a> {
    /// The row's name.
    pub fn id(&self) -> &'a str {
        self.fields[0]
    }

    /// The text of a column as it stands in the table.
    ///
    /// # Panics
    ///
    /// If there is no such column.
    pub fn raw(&self, column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| *name == column);
        self.fields[at.unwrap_or_else(|| panic!("no column {column}"))]
    }

    /// The bytes of a column, `None` for `~`.
    pub fn bytes(&self, column: &str) -> Option<Vec<u8>> {
        let raw = self.raw(column);
        (raw != "~").then(|| unescape(raw))
    }

    /// The text of a column that holds no raw bytes, `None` for `~`.
    ///
    /// # Panics
    ///
    /// If it holds some.
    pub fn text(&self, column: &str) -> Option<String> {
        self.bytes(column).map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    /// A number, `None` for `~`.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn number<T: std::str::FromStr>(&self, column: &str) -> Option<T>
    where
        T::Err: std::fmt::Debug,
    {
        self.text(column).map(|text| text.parse().expect("a number"))
    }

    /// The items of a column whose name ends in `[]`; none for `~`.
    pub fn list(&self, column: &str) -> Vec<Vec<u8>> {
        match self.raw(column) {
            "~" => Vec::new(),
            raw => raw.split('|').map(unescape).collect(),
        }
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        if letter != b'\\' {
            bytes.push(letter);
            continue;
        }
        bytes.push(match letters.next().expect("an escape") {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'x' => {
                let digits = [letters.next().expect("a digit"), letters.next().expect("a digit")];
                u8::from_str_radix(std::str::from_utf8(&digits).expect("digits"), 16).expect("digits")
            }
            other => other,
        });
    }
    bytes
}
