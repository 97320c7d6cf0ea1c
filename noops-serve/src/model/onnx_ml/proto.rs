//! The messages of ONNX, as far as inference needs them.
//!
//! Field numbers are those of `onnx.proto3`. Fields that are not named here are skipped.

use noops_core::Error;

use super::error::corrupt;
use super::protobuf::{Field, Reader};

/// A model: a graph, and the operator sets its operators are from.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelProto {
    pub(super) graph: Option<GraphProto>,
    /// Per domain, with an empty name for the default one, the version.
    pub(super) opsets: Vec<(String, i64)>,
}

impl ModelProto {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut model = Self::default();
        each(bytes, |number, field| {
            match number {
                7 => model.graph = Some(GraphProto::parse(field.bytes()?)?),
                8 => model.opsets.push(opset(field.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(model)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct GraphProto {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) initializers: Vec<TensorProto>,
    pub(super) inputs: Vec<ValueInfoProto>,
    pub(super) outputs: Vec<ValueInfoProto>,
    pub(super) sparse_initializers: usize,
}

impl GraphProto {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut graph = Self::default();
        each(bytes, |number, field| {
            match number {
                1 => graph.nodes.push(NodeProto::parse(field.bytes()?)?),
                5 => graph.initializers.push(TensorProto::parse(field.bytes()?)?),
                11 => graph.inputs.push(ValueInfoProto::parse(field.bytes()?)?),
                12 => graph.outputs.push(ValueInfoProto::parse(field.bytes()?)?),
                15 => graph.sparse_initializers += 1,
                _ => {}
            }
            Ok(())
        })?;
        Ok(graph)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct NodeProto {
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) domain: String,
    pub(super) attributes: Vec<AttributeProto>,
}

impl NodeProto {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut node = Self::default();
        each(bytes, |number, field| {
            match number {
                1 => node.inputs.push(field.text()?),
                2 => node.outputs.push(field.text()?),
                3 => node.name = field.text()?,
                4 => node.kind = field.text()?,
                5 => node.attributes.push(AttributeProto::parse(field.bytes()?)?),
                7 => node.domain = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }
}

/// An attribute of a node, with every kind of value it may have side by side as the wire has them.
#[derive(Clone, Debug, Default)]
pub(super) struct AttributeProto {
    pub(super) name: String,
    pub(super) float: Option<f32>,
    pub(super) int: Option<i64>,
    pub(super) text: Option<Vec<u8>>,
    pub(super) tensor: Option<TensorProto>,
    pub(super) floats: Vec<f32>,
    pub(super) ints: Vec<i64>,
    pub(super) texts: Vec<Vec<u8>>,
    /// The type that the model declares; 0 where it does not.
    pub(super) declared: i64,
}

impl AttributeProto {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut attribute = Self::default();
        each(bytes, |number, field| {
            match number {
                1 => attribute.name = field.text()?,
                2 => attribute.float = Some(field.single()?),
                3 => attribute.int = Some(field.signed()?),
                4 => attribute.text = Some(field.bytes()?.to_vec()),
                5 => attribute.tensor = Some(TensorProto::parse(field.bytes()?)?),
                7 => field.append_single(&mut attribute.floats)?,
                8 => field.append_signed(&mut attribute.ints)?,
                9 => attribute.texts.push(field.bytes()?.to_vec()),
                20 => attribute.declared = field.signed()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(attribute)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct TensorProto {
    pub(super) name: String,
    pub(super) dims: Vec<i64>,
    pub(super) data_type: i64,
    pub(super) floats: Vec<f32>,
    pub(super) ints: Vec<i64>,
    pub(super) longs: Vec<i64>,
    pub(super) doubles: Vec<f64>,
    pub(super) texts: Vec<Vec<u8>>,
    pub(super) raw: Vec<u8>,
    /// Whether the values are in another file.
    pub(super) external: bool,
}

impl TensorProto {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut tensor = Self::default();
        each(bytes, |number, field| {
            match number {
                1 => field.append_signed(&mut tensor.dims)?,
                2 => tensor.data_type = field.signed()?,
                4 => field.append_single(&mut tensor.floats)?,
                5 => field.append_signed(&mut tensor.ints)?,
                6 => tensor.texts.push(field.bytes()?.to_vec()),
                7 | 11 => field.append_signed(&mut tensor.longs)?,
                8 => tensor.name = field.text()?,
                9 => tensor.raw = field.bytes()?.to_vec(),
                10 => field.append_double(&mut tensor.doubles)?,
                14 => tensor.external = field.unsigned()? != 0,
                _ => {}
            }
            Ok(())
        })?;
        Ok(tensor)
    }
}

/// What a model says of an input or output.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueInfoProto {
    pub(super) name: String,
    pub(super) kind: KindProto,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum KindProto {
    #[default]
    Unknown,
    /// A tensor: the code of its elements, and its dimensions where they are known.
    Tensor {
        element: i64,
        dims: Option<Vec<Option<i64>>>,
    },
    /// A sequence, which in these models is one of maps from class to score.
    Sequence,
}

impl ValueInfoProto {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut info = Self::default();
        each(bytes, |number, field| {
            match number {
                1 => info.name = field.text()?,
                2 => info.kind = KindProto::parse(field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(info)
    }
}

impl KindProto {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut kind = Self::default();
        each(bytes, |number, field| {
            match number {
                1 => kind = Self::tensor(field.bytes()?)?,
                4 | 5 => kind = Self::Sequence,
                _ => {}
            }
            Ok(())
        })?;
        Ok(kind)
    }

    fn tensor(bytes: &[u8]) -> Result<Self, Error> {
        let (mut element, mut dims) = (0, None);
        each(bytes, |number, field| {
            match number {
                1 => element = field.signed()?,
                2 => {
                    let known: &mut Vec<Option<i64>> = dims.insert(Vec::new());
                    each(field.bytes()?, |number, field| {
                        if number == 1 {
                            known.push(dimension(field.bytes()?)?);
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self::Tensor { element, dims })
    }
}

fn dimension(bytes: &[u8]) -> Result<Option<i64>, Error> {
    let mut value = None;
    each(bytes, |number, field| {
        if number == 1 {
            value = Some(field.signed()?);
        }
        Ok(())
    })?;
    Ok(value)
}

fn opset(bytes: &[u8]) -> Result<(String, i64), Error> {
    let (mut domain, mut version) = (String::new(), 0);
    each(bytes, |number, field| {
        match number {
            1 => domain = field.text()?,
            2 => version = field.signed()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((domain, version))
}

/// Hands every field of a message to `read`.
fn each<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(u64, Field<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::new(bytes);
    while let Some((number, field)) = reader.next()? {
        read(number, field).map_err(|error| {
            // Where several messages are nested, the outermost field helps to find the place.
            corrupt("a message is malformed")
                .with("field", number)
                .caused_by(error)
        })?;
    }
    Ok(())
}
