//! The canonical bytes of cells and the canonical names of types.

use arrow_array::cast::AsArray;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array, OffsetSizeTrait, PrimitiveArray, downcast_primitive_array};
use arrow_buffer::ToByteSlice;
use arrow_schema::{DataType, TimeUnit};
use arrow_select::take::take;

/// The name of a type: the same for every encoding of the same values; `None` for a type without a canonical form.
pub(super) fn type_name(kind: &DataType) -> Option<String> {
    name_within(kind, DEEPEST)
}

/// Appends the cells of a column; `None` for a type without a canonical form.
pub(super) fn write_cells(array: &dyn Array, out: &mut Vec<u8>) -> Option<()> {
    downcast_primitive_array!(
        array => {
            write_primitives(array, out);
            Some(())
        }
        DataType::Null => {
            out.resize(out.len().saturating_add(array.len()), NULL);
            Some(())
        }
        DataType::Boolean => {
            let flag = |flag: bool, out: &mut Vec<u8>| out.push(u8::from(flag));
            write_each(array.as_boolean_opt()?.iter(), out, flag);
            Some(())
        }
        DataType::Utf8 => write_bytes(array.as_string_opt::<i32>()?.iter(), out),
        DataType::LargeUtf8 => write_bytes(array.as_string_opt::<i64>()?.iter(), out),
        DataType::Utf8View => write_bytes(array.as_string_view_opt()?.iter(), out),
        DataType::Binary => write_bytes(array.as_binary_opt::<i32>()?.iter(), out),
        DataType::LargeBinary => write_bytes(array.as_binary_opt::<i64>()?.iter(), out),
        DataType::BinaryView => write_bytes(array.as_binary_view_opt()?.iter(), out),
        DataType::FixedSizeBinary(_) => {
            write_bytes(array.as_fixed_size_binary_opt()?.iter(), out)
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let plain = take(dictionary.values().as_ref(), dictionary.keys(), None).ok()?;
            write_cells(plain.as_ref(), out)
        }
        DataType::List(_) => write_lists::<i32>(array, out),
        DataType::LargeList(_) => write_lists::<i64>(array, out),
        DataType::FixedSizeList(_, _) => {
            let lists = array.as_fixed_size_list_opt()?;
            (0..lists.len()).try_for_each(|row| {
                let list = lists.is_valid(row).then(|| lists.value(row));
                write_list(list.as_deref(), out)
            })
        }
        DataType::Struct(_) => {
            let structs = array.as_struct_opt()?;
            (0..structs.len()).try_for_each(|row| {
                if structs.is_null(row) {
                    out.push(NULL);
                    return Some(());
                }
                out.push(VALUE);
                let mut fields = structs.columns().iter();
                fields.try_for_each(|field| write_cells(field.slice(row, 1).as_ref(), out))
            })
        }
        _ => None
    )
}

fn name_within(kind: &DataType, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let name = match kind {
        DataType::Null => "null".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "int8".to_owned(),
        DataType::Int16 => "int16".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::UInt8 => "uint8".to_owned(),
        DataType::UInt16 => "uint16".to_owned(),
        DataType::UInt32 => "uint32".to_owned(),
        DataType::UInt64 => "uint64".to_owned(),
        DataType::Float16 => "float16".to_owned(),
        DataType::Float32 => "float32".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Date32 => "date32".to_owned(),
        DataType::Date64 => "date64".to_owned(),
        DataType::Time32(unit) => format!("time32 {}", unit_name(*unit)),
        DataType::Time64(unit) => format!("time64 {}", unit_name(*unit)),
        DataType::Duration(unit) => format!("duration {}", unit_name(*unit)),
        DataType::Timestamp(unit, None) => format!("timestamp {}", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => {
            format!("timestamp {} {zone}", unit_name(*unit))
        }
        DataType::Decimal32(precision, scale) => format!("decimal32 {precision} {scale}"),
        DataType::Decimal64(precision, scale) => format!("decimal64 {precision} {scale}"),
        DataType::Decimal128(precision, scale) => format!("decimal128 {precision} {scale}"),
        DataType::Decimal256(precision, scale) => format!("decimal256 {precision} {scale}"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::FixedSizeBinary(length) => format!("binary {length}"),
        DataType::Dictionary(_, values) => name_within(values, depth)?,
        DataType::List(item) | DataType::LargeList(item) => {
            format!("list ({})", name_within(item.data_type(), depth)?)
        }
        DataType::FixedSizeList(item, length) => {
            format!("list {length} ({})", name_within(item.data_type(), depth)?)
        }
        DataType::Struct(fields) => {
            let mut name = "struct (".to_owned();
            for field in fields {
                // The length keeps a name with punctuation from passing for two fields.
                let (label, kind) = (field.name(), name_within(field.data_type(), depth)?);
                name.push_str(&format!("{} {label} {kind};", label.len()));
            }
            name.push(')');
            name
        }
        _ => return None,
    };
    Some(name)
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

fn write_primitives<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, out: &mut Vec<u8>) {
    write_each(array.iter(), out, |value, out| {
        let start = out.len();
        out.extend_from_slice(value.to_byte_slice());
        if cfg!(target_endian = "big") {
            out.get_mut(start..).unwrap_or_default().reverse();
        }
    });
}

fn write_bytes<B: AsRef<[u8]>>(
    cells: impl Iterator<Item = Option<B>>,
    out: &mut Vec<u8>,
) -> Option<()> {
    write_each(cells, out, |bytes, out| {
        let bytes: &[u8] = bytes.as_ref();
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    });
    Some(())
}

fn write_each<V>(
    cells: impl Iterator<Item = Option<V>>,
    out: &mut Vec<u8>,
    write: impl Fn(V, &mut Vec<u8>),
) {
    for cell in cells {
        match cell {
            None => out.push(NULL),
            Some(value) => {
                out.push(VALUE);
                write(value, out);
            }
        }
    }
}

fn write_lists<O: OffsetSizeTrait>(array: &dyn Array, out: &mut Vec<u8>) -> Option<()> {
    let lists = array.as_list_opt::<O>()?;
    (0..lists.len()).try_for_each(|row| {
        let list = lists.is_valid(row).then(|| lists.value(row));
        write_list(list.as_deref(), out)
    })
}

fn write_list(list: Option<&dyn Array>, out: &mut Vec<u8>) -> Option<()> {
    let Some(list) = list else {
        out.push(NULL);
        return Some(());
    };
    out.push(VALUE);
    out.extend_from_slice(&(list.len() as u64).to_le_bytes());
    write_cells(list, out)
}

const NULL: u8 = 0;
const VALUE: u8 = 1;

/// How deep types may be nested, so that no type exhausts the stack.
const DEEPEST: usize = 32;
