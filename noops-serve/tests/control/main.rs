//! The control loop, lived through: a world, a service and its controller, through the public interface only.

mod foreign;
mod host;
mod inputs;
mod learning;
mod model;
mod policies;
mod recovery;
mod refusal;
mod verify;
mod world;
