use std::borrow::Cow;
use std::fmt;

use sqlx::error::{DatabaseError, ErrorKind as Violation};

use super::*;

/// What a database answers, but for its words.
#[derive(Debug)]
struct Answer(&'static str);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Answer {}

impl DatabaseError for Answer {
    fn message(&self) -> &str {
        self.0
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.0))
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> Violation {
        Violation::Other
    }
}

fn answer(code: &'static str) -> sqlx::Error {
    sqlx::Error::Database(Box::new(Answer(code)))
}

fn lost_connection() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())
}

#[test]
fn a_kind_says_what_to_do() {
    use ErrorKind::{Corrupt, Invalid, Unauthorised, Unavailable};

    let postgres = [
        ("XX001", Corrupt),
        ("42P01", Corrupt),
        ("42501", Unauthorised),
        ("28P01", Unauthorised),
        ("22021", Invalid),
        ("54000", Invalid),
        ("3D000", Invalid),
        // Of a connection pool in between: nothing is wrong with the tables.
        ("42P05", Unavailable),
        // Serialization failure, deadlock, too many connections, waited too long, shut down.
        ("40001", Unavailable),
        ("40P01", Unavailable),
        ("53300", Unavailable),
        ("55P03", Unavailable),
        ("57P01", Unavailable),
    ];
    for (code, kind) in postgres {
        let error = Dialect::Postgres.translate("test", answer(code));
        assert_eq!(error.kind(), kind, "{code}");
    }
    // Busy, extended busy, read-only, moved while open, full, too big, corrupt, extended corrupt, not a database, no such table.
    let sqlite = [
        ("5", Unavailable),
        ("517", Unavailable),
        ("8", Unavailable),
        ("1032", Unavailable),
        ("13", Unavailable),
        ("18", Invalid),
        ("11", Corrupt),
        ("267", Corrupt),
        ("26", Corrupt),
        ("1", Corrupt),
    ];
    for (code, kind) in sqlite {
        let error = Dialect::Sqlite.translate("test", answer(code));
        assert_eq!(error.kind(), kind, "{code}");
    }
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        assert!(dialect.translate("test", lost_connection()).is_retryable());
        let address = sqlx::Error::Configuration("no port".into());
        assert_eq!(dialect.translate("test", address).kind(), Invalid);
    }
}

#[test]
fn a_commit_that_was_not_confirmed_is_not_called_undone() {
    let unknown = |dialect: Dialect, error: sqlx::Error| {
        let error = dialect.translate_commit("test", error);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        error.to_string().contains("may be done or not")
    };
    let postgres = Dialect::Postgres;
    assert!(unknown(postgres, lost_connection()));
    assert!(unknown(postgres, answer("57P01")));
    assert!(unknown(postgres, answer("08006")));
    assert!(unknown(postgres, answer("40003")));
    assert!(!unknown(postgres, answer("40001")));
    let sqlite = Dialect::Sqlite;
    assert!(unknown(sqlite, answer("1034")), "a failed synchronisation");
    assert!(unknown(sqlite, sqlx::Error::WorkerCrashed));
    assert!(!unknown(sqlite, answer("5")));
}
