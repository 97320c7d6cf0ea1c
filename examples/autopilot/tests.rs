//! What the example promises beyond what its modules test themselves.

mod bad_input;
mod features;
