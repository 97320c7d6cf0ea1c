//! Values of two shapes brought to one.

use std::borrow::Cow;

use noops_core::Error;

use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::value::elements;

/// The shape that both shapes are stretched to.
pub(super) fn common(left: &[usize], right: &[usize]) -> Result<Vec<usize>, Error> {
    let rank = left.len().max(right.len());
    let mut shape = Vec::with_capacity(rank);
    for axis in (0..rank).rev() {
        let at = |dims: &[usize]| dims.iter().rev().nth(axis).copied().unwrap_or(1);
        shape.push(match (at(left), at(right)) {
            (1, size) | (size, 1) => size,
            (one, other) if one == other => one,
            _ => {
                return Err(failed("two shapes do not go together")
                    .with("left", format_args!("{left:?}"))
                    .with("right", format_args!("{right:?}")));
            }
        });
    }
    elements(&shape)?;
    Ok(shape)
}

/// The values of `from` repeated to fill `to`, which is a shape that `from` can be stretched to.
pub(super) fn stretch<'a, T: Clone>(values: &'a [T], from: &[usize], to: &[usize]) -> Cow<'a, [T]> {
    let count = to.iter().product();
    let leading = from.iter().take_while(|&&dim| dim == 1).count();
    let kept = from.get(leading..).unwrap_or_default();
    if values.len() == count {
        Cow::Borrowed(values)
    } else if to.ends_with(kept) {
        Cow::Owned(values.iter().cycle().take(count).cloned().collect())
    } else {
        let picked = places(from, to);
        let picked = picked.iter().filter_map(|&place| values.get(place));
        Cow::Owned(picked.cloned().collect())
    }
}

/// For every element of `to`, where in `from` it comes from.
pub(super) fn places(from: &[usize], to: &[usize]) -> Vec<usize> {
    let mut places = vec![0_usize];
    let mut stride = 1_usize;
    // From the last axis outwards: each repeats what is inside it, moved by its stride.
    for (axis, &size) in to.iter().rev().enumerate() {
        let own = from.iter().rev().nth(axis).copied().unwrap_or(1);
        let step = if own == 1 { 0 } else { stride };
        let inside = std::mem::take(&mut places);
        places.reserve(inside.len().saturating_mul(size));
        for index in 0..size {
            places.extend(inside.iter().map(|place| place + index * step));
        }
        stride = stride.saturating_mul(own);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_stretched_as_numpy_does() {
        assert_eq!(common(&[2, 1, 3], &[4, 1]).unwrap(), [2, 4, 3]);
        assert_eq!(common(&[], &[2]).unwrap(), [2]);
        assert!(common(&[2], &[3]).is_err());
        assert!(common(&[1 << 20, 1], &[1, 1 << 20]).is_err());
        // numpy.broadcast_to(numpy.array([[1], [2]]), (2, 3)).ravel()
        assert_eq!(*stretch(&[1, 2], &[2, 1], &[2, 3]), [1, 1, 1, 2, 2, 2]);
        assert_eq!(*stretch(&[1, 2], &[2], &[2, 2]), [1, 2, 1, 2]);
        assert_eq!(*stretch(&[1, 2], &[2, 1, 1], &[2, 2, 1]), [1, 1, 2, 2]);
        assert_eq!(*stretch(&[7], &[], &[3]), [7, 7, 7]);
    }
}
