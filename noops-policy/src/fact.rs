mod cell;
mod decl;
mod schema;
mod slots;
mod value;

pub use decl::FactDecl;
pub use schema::FactSchema;
pub use slots::{FactEntry, FactRecord, FactState, Facts};
pub use value::{FactType, FactValue};

pub(crate) use decl::is_identifier;
