//! The trace a request belongs to, as W3C Trace Context has it.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

use noops_core::unit_hash;

/// The trace and the span of a request, read from and written to the header `traceparent`.
///
/// # Examples
///
/// ```
/// use noops_serve::telemetry::TraceContext;
///
/// let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let caller = TraceContext::parse(header).unwrap();
/// assert_eq!(caller.to_string(), header);
/// assert!(caller.is_sampled());
///
/// let ours = caller.child(7);
/// assert_eq!(ours.trace_id(), caller.trace_id());
/// assert_ne!(ours.span_id(), caller.span_id());
/// assert!(TraceContext::parse("00-0-0-0").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: NonZeroU128,
    span: NonZeroU64,
    flags: u8,
}

impl TraceContext {
    /// A new trace.
    #[must_use]
    pub fn new(trace: NonZeroU128, span: NonZeroU64) -> Self {
        Self {
            trace,
            span,
            flags: 0,
        }
    }

    /// Reads a header by the rules of W3C Trace Context level 1: lower-case hexadecimal digits, no zero ids, no version `ff`. A later
    /// version may have more after the flags; version `00` may not. Anything else is no trace: the caller begins its own, as the
    /// specification says.
    ///
    /// # Complexity
    ///
    /// Constant: of a long header only the beginning is read.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let bytes = header.as_bytes();
        let version = hexadecimal(bytes.get(0..2)?)?;
        let separators = [2, 35, 52].map(|at| bytes.get(at) == Some(&b'-'));
        let ends_well = match bytes.get(55) {
            None => true,
            Some(next) => version > 0 && *next == b'-',
        };
        if version == 0xff || separators.contains(&false) || !ends_well {
            return None;
        }
        Some(Self {
            trace: NonZeroU128::new(hexadecimal(bytes.get(3..35)?)?)?,
            span: NonZeroU64::new(u64::try_from(hexadecimal(bytes.get(36..52)?)?).ok()?)?,
            flags: u8::try_from(hexadecimal(bytes.get(53..55)?)?).ok()?,
        })
    }

    /// The same trace with a span of its own, which a seed decides: the number of the request, say. The same seed under the same
    /// parent gives the same span.
    #[must_use]
    pub fn child(self, seed: u64) -> Self {
        let hash = unit_hash(&self.to_string(), &seed.to_string());
        // Zero is no span id.
        let span = NonZeroU64::new(hash).unwrap_or(NonZeroU64::MIN);
        Self { span, ..self }
    }

    /// The id of the trace.
    #[must_use]
    pub fn trace_id(self) -> NonZeroU128 {
        self.trace
    }

    /// The id of the span.
    #[must_use]
    pub fn span_id(self) -> NonZeroU64 {
        self.span
    }

    /// Whether the caller may have recorded the trace.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl fmt::Display for TraceContext {
    /// The header, of version `00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Flags nobody knows are not passed on.
        let flags = self.flags & SAMPLED;
        write!(f, "00-{:032x}-{:016x}-{flags:02x}", self.trace, self.span)
    }
}

/// The `tracing` span of a request, with the ids by which logs and traces of other services meet it.
#[must_use]
pub fn request_span(trace: &TraceContext, model: &str, request_id: &str) -> tracing::Span {
    tracing::info_span!(
        target: "noops_serve::request",
        "predict",
        model,
        request_id,
        trace_id = %format_args!("{:032x}", trace.trace),
        span_id = %format_args!("{:016x}", trace.span),
    )
}

fn hexadecimal(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((number << 4) | u128::from(digit))
    })
}

const SAMPLED: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sampling::tests::Heard;
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn headers_the_specification_forbids_are_no_trace() {
        for header in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = HEADER.replacen("00", "cc", 1) + "-what-the-future-brings";
        assert_eq!(TraceContext::parse(&later), TraceContext::parse(HEADER));
    }

    #[test]
    fn a_span_carries_the_ids() {
        let heard = Heard::default();
        let trace = TraceContext::parse(HEADER).unwrap();
        tracing::subscriber::with_default(heard.clone(), || {
            let _span = request_span(&trace, "fraud", "r-1");
        });
        assert_eq!(
            heard.0.lock().unwrap().as_slice(),
            [
                "predict model=\"fraud\" request_id=\"r-1\" trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331"
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace in 1u128.., span in 1u64.., flags in 0u8..2) {
            let context = TraceContext {
                trace: NonZeroU128::new(trace).unwrap(),
                span: NonZeroU64::new(span).unwrap(),
                flags,
            };
            prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        }

        #[test]
        fn no_header_panics(header in ".{0,80}", cut in 0usize..56) {
            let _ = TraceContext::parse(&header);
            let spliced: String = HEADER.chars().take(cut).chain(header.chars()).collect();
            if let Some(read) = TraceContext::parse(&spliced) {
                prop_assert!(TraceContext::parse(&read.to_string()).is_some());
            }
        }
    }
}
