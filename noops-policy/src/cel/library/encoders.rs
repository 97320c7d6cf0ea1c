use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};

use super::{Call, Outcome};
use crate::cel::eval::EvaluationError;
use crate::cel::value::Value;

pub(super) fn encode(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Bytes(bytes)] => {
            call.fuel.spend_text(bytes.len().saturating_mul(2))?;
            Ok(Value::from(BASE64.encode(bytes)))
        }
        _ => call.refuse(),
    }
}

pub(super) fn decode(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            BASE64
                .decode(text.as_bytes())
                .map(Value::from)
                .map_err(|error| EvaluationError::invalid(complaint(&error)))
        }
        _ => call.refuse(),
    }
}

fn complaint(error: &DecodeError) -> String {
    match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => {
            format!("the text is not base64: see byte {at}")
        }
        _ => String::from("the text is not base64: it is cut short or padded wrongly"),
    }
}

/// Pads what it writes and reads it with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
