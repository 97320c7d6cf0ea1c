use proptest::prelude::*;

use super::*;
use crate::protocol::Code;

pub(crate) fn any_data() -> impl Strategy<Value = TensorData> {
    fn many<T: std::fmt::Debug + Clone + 'static>(
        element: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Vec<T>> {
        prop::collection::vec(element, 0..20)
    }
    prop_oneof![
        many(any::<bool>()).prop_map(TensorData::Bool),
        many(any::<u8>()).prop_map(TensorData::Uint8),
        many(any::<u16>()).prop_map(TensorData::Uint16),
        many(any::<u32>()).prop_map(TensorData::Uint32),
        many(any::<u64>()).prop_map(TensorData::Uint64),
        many(any::<i8>()).prop_map(TensorData::Int8),
        many(any::<i16>()).prop_map(TensorData::Int16),
        many(any::<i32>()).prop_map(TensorData::Int32),
        many(any::<i64>()).prop_map(TensorData::Int64),
        many(any::<u16>()).prop_map(TensorData::Fp16),
        many(any::<f32>().prop_filter("finite", |value| value.is_finite()))
            .prop_map(TensorData::Fp32),
        many(any::<f64>().prop_filter("finite", |value| value.is_finite()))
            .prop_map(TensorData::Fp64),
        many(many(any::<u8>())).prop_map(TensorData::Bytes),
    ]
}

pub(crate) fn any_tensor() -> impl Strategy<Value = Tensor> {
    (any_data(), any::<bool>()).prop_map(|(data, column)| {
        let len = data.len() as u64;
        let shape = if column { vec![len, 1] } else { vec![len] };
        Tensor::new("x", shape, data).unwrap()
    })
}

proptest! {
    #[test]
    fn raw_bytes_come_back(tensor in any_tensor()) {
        let raw = tensor.raw();
        prop_assert_eq!(raw.len(), tensor.raw_len());
        let shape = tensor.shape().to_vec();
        prop_assert_eq!(Tensor::from_raw("x", tensor.datatype(), shape, &raw).unwrap(), tensor);
    }

    #[test]
    fn a_byte_more_or_less_is_refused(tensor in any_tensor(), extra in any::<u8>()) {
        let mut raw = tensor.raw();
        raw.push(extra);
        let read = |bytes: &[u8]| Tensor::from_raw("x", tensor.datatype(), tensor.shape().to_vec(), bytes);
        prop_assert!(read(&raw).is_err());
        raw.truncate(raw.len().saturating_sub(2));
        if tensor.raw_len() > 0 {
            prop_assert!(read(&raw).is_err());
        }
    }

    #[test]
    fn no_bytes_of_strings_are_trusted(bytes in prop::collection::vec(any::<u8>(), 0..64), elements in 0..u64::MAX) {
        if let Ok(tensor) = Tensor::from_raw("x", DataType::Bytes, vec![elements], &bytes) {
            prop_assert_eq!(tensor.raw(), bytes);
        }
    }
}

#[test]
fn little_endian_is_what_numpy_writes() {
    // numpy.array([1, -2], "<i4").tobytes() and numpy.array([1.5], "<f4").tobytes()
    let integers = Tensor::new("x", vec![2], TensorData::Int32(vec![1, -2])).unwrap();
    assert_eq!(integers.raw(), [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    let floats = Tensor::new("x", vec![1], TensorData::Fp32(vec![1.5])).unwrap();
    assert_eq!(floats.raw(), [0, 0, 0xc0, 0x3f]);
    // tritonclient.utils.serialize_byte_tensor(numpy.array([b"ab", b""], dtype=object))
    let strings = Tensor::new(
        "x",
        vec![2],
        TensorData::Bytes(vec![b"ab".to_vec(), vec![]]),
    )
    .unwrap();
    assert_eq!(strings.raw(), [2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0]);
}

#[test]
fn a_shape_that_no_memory_holds_is_refused_and_not_allocated() {
    for shape in [vec![u64::MAX], vec![1 << 40, 1 << 40], vec![1 << 62]] {
        for datatype in DataType::ALL {
            let error = Tensor::from_raw("x", datatype, shape.clone(), &[1; 16]).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.message().contains("`x`"), "{error}");
        }
    }
}

#[test]
fn an_empty_dimension_empties_the_whole_however_large_the_others() {
    let shape = vec![u64::MAX, 0, u64::MAX];
    assert!(Tensor::new("x", shape, TensorData::Fp32(vec![])).is_ok());
}

#[test]
fn a_scalar_has_one_element() {
    assert!(Tensor::new("x", vec![], TensorData::Fp32(vec![1.0])).is_ok());
    assert!(Tensor::new("x", vec![], TensorData::Fp32(vec![])).is_err());
}

#[test]
fn names_of_datatypes_read_back() {
    for datatype in DataType::ALL {
        assert_eq!(datatype.name().parse(), Ok(datatype));
    }
    let error = "BF16".parse::<DataType>().unwrap_err();
    assert!(error.message().contains("FP32"), "{error}");
}

#[test]
fn a_truth_value_is_0_or_1() {
    assert!(Tensor::from_raw("x", DataType::Bool, vec![2], &[0, 1]).is_ok());
    assert!(Tensor::from_raw("x", DataType::Bool, vec![2], &[0, 2]).is_err());
}
