//! Checks an ONNX file before ONNX Runtime loads it.
//!
//! [`initializers`] lists the tensors with their shapes, so that a missing one is reported before
//! anything is loaded. It also rejects a graph whose weights are in another file, and [`is_plain`]
//! rejects everything else that could name a file or load code. Only the fields that are needed are
//! decoded; all others are skipped as unknown protocol buffer fields.

/// A tensor that a graph declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Initializer {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: Kind,
    /// The file that holds the tensor, for external data.
    pub location: Option<String>,
}

/// Element types that a weight may have. The numbers are `TensorProto.DataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Int64,
    Other(u64),
}

/// The initialisers of the main graph, in the file's order.
pub(super) fn initializers(model: &[u8]) -> Result<Vec<Initializer>, String> {
    let mut found = Vec::new();
    let mut graphs = 0;
    for field in Fields(model) {
        let (GRAPH, Value::Bytes(graph)) = field? else {
            continue;
        };
        graphs += 1;
        for field in Fields(graph) {
            if let (INITIALIZER, Value::Bytes(tensor)) = field? {
                found.push(initializer(tensor)?);
            }
        }
    }
    match graphs {
        1 => Ok(found),
        n => Err(format!("it holds {n} graphs, so it is not an ONNX model")),
    }
}

/// Whether the model is made of standard operators with their own small constants, and nothing else:
/// no other operators (some load compiled blobs from files), no functions, no graphs in graphs, no
/// sparse tensors, no constant that lies in a file. The networks of a bundle need no more.
pub(super) fn is_plain(model: &[u8]) -> Result<(), String> {
    // ONNX Runtime would take it for its own format, whatever else the bytes are.
    if model.get(4..8) == Some(b"ORTM") {
        return Err("it is ONNX Runtime's own format".into());
    }
    for field in Fields(model) {
        match field? {
            (GRAPH, Value::Bytes(graph)) => graph_is_plain(graph)?,
            (OPSETS, Value::Bytes(opset)) => {
                for field in Fields(opset) {
                    if let (OPSET_DOMAIN, Value::Bytes(domain)) = field? {
                        is_standard(domain)?;
                    }
                }
            }
            (TRAINING_INFO | FUNCTIONS, _) => {
                return Err("it has functions or a training graph".into());
            }
            _ => {}
        }
    }
    Ok(())
}

fn graph_is_plain(graph: &[u8]) -> Result<(), String> {
    for field in Fields(graph) {
        match field? {
            (NODE, Value::Bytes(node)) => node_is_plain(node)?,
            (SPARSE_INITIALIZER, _) => return Err("it has sparse tensors".into()),
            _ => {}
        }
    }
    Ok(())
}

fn node_is_plain(node: &[u8]) -> Result<(), String> {
    for field in Fields(node) {
        match field? {
            (NODE_DOMAIN, Value::Bytes(domain)) => is_standard(domain)?,
            (ATTRIBUTE, Value::Bytes(attribute)) => {
                for field in Fields(attribute) {
                    match field? {
                        (TENSOR | TENSORS, Value::Bytes(tensor)) => is_inline(tensor)?,
                        (SUBGRAPH | SUBGRAPHS, _) => {
                            return Err("a node has a subgraph".into());
                        }
                        (SPARSE_TENSOR | SPARSE_TENSORS, _) => {
                            return Err("it has sparse tensors".into());
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_standard(domain: &[u8]) -> Result<(), String> {
    match domain {
        b"" | b"ai.onnx" => Ok(()),
        other => Err(format!(
            "it has operators of {:?}, not of ONNX itself",
            String::from_utf8_lossy(other)
        )),
    }
}

/// A message that is given twice is merged: either field alone is one too many.
fn is_inline(tensor: &[u8]) -> Result<(), String> {
    for field in Fields(tensor) {
        match field? {
            (DATA_LOCATION, Value::Number(0)) => {}
            (EXTERNAL_DATA | DATA_LOCATION, _) => {
                return Err("a constant is stored in a file".into());
            }
            _ => {}
        }
    }
    Ok(())
}

const GRAPH: u64 = 7; // ModelProto.graph
const OPSETS: u64 = 8; // ModelProto.opset_import
const OPSET_DOMAIN: u64 = 1; // OperatorSetIdProto.domain
const TRAINING_INFO: u64 = 20;
const FUNCTIONS: u64 = 25;
const NODE: u64 = 1; // GraphProto.node
const SPARSE_INITIALIZER: u64 = 15;
const ATTRIBUTE: u64 = 5; // NodeProto.*
const NODE_DOMAIN: u64 = 7;
const TENSOR: u64 = 5; // AttributeProto.*
const SUBGRAPH: u64 = 6;
const TENSORS: u64 = 10;
const SUBGRAPHS: u64 = 11;
const SPARSE_TENSOR: u64 = 22;
const SPARSE_TENSORS: u64 = 23;
const INITIALIZER: u64 = 5; // GraphProto.initializer
const DIMS: u64 = 1; // TensorProto.*
const DATA_TYPE: u64 = 2;
const NAME: u64 = 8;
const EXTERNAL_DATA: u64 = 13;
const DATA_LOCATION: u64 = 14;
const KEY: u64 = 1; // StringStringEntryProto.*
const VALUE: u64 = 2;

fn initializer(tensor: &[u8]) -> Result<Initializer, String> {
    let (mut name, mut shape, mut kind) = (String::new(), Vec::new(), Kind::Other(0));
    let (mut external, mut location) = (false, None);
    let size = |dim: u64| usize::try_from(dim).map_err(|_| format!("a dimension of {dim}"));
    for field in Fields(tensor) {
        match field? {
            (DIMS, Value::Number(dim)) => shape.push(size(dim)?),
            // Repeated numbers may come packed.
            (DIMS, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    shape.push(size(varint(&mut packed)?)?);
                }
            }
            (DATA_TYPE, Value::Number(number)) => {
                kind = match number {
                    1 => Kind::Float,
                    7 => Kind::Int64,
                    other => Kind::Other(other),
                }
            }
            (NAME, Value::Bytes(text)) => name = string(text)?,
            (DATA_LOCATION, Value::Number(place)) => external = place == 1,
            (EXTERNAL_DATA, Value::Bytes(entry)) => {
                let (mut key, mut value) = (String::new(), String::new());
                for field in Fields(entry) {
                    match field? {
                        (KEY, Value::Bytes(text)) => key = string(text)?,
                        (VALUE, Value::Bytes(text)) => value = string(text)?,
                        _ => {}
                    }
                }
                if key == "location" {
                    location = Some(value);
                }
            }
            _ => {}
        }
    }
    if name.is_empty() {
        return Err("an initialiser has no name".into());
    }
    let location = external.then(|| location.unwrap_or_default());
    Ok(Initializer {
        name,
        shape,
        kind,
        location,
    })
}

fn string(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name is not UTF-8".into())
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of one protocol buffers message.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[]; // nothing after a broken field can be trusted
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Value<'a>), String> {
        let key = varint(&mut self.0)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = varint(&mut self.0)?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            wire => return Err(format!("wire type {wire}, which ONNX does not use")),
        };
        Ok((key >> 3, value))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (head, tail) = self.0.split_at_checked(length).ok_or("it is truncated")?;
        self.0 = tail;
        Ok(head)
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or("it is truncated")?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number of more than 64 bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: &[u8] = include_bytes!("probe.onnx");

    #[test]
    fn a_real_file_is_read() {
        let found = initializers(PROBE).unwrap();
        let shape = vec![2, 2, 3, 3];
        let expected = Initializer {
            name: "w".into(),
            shape,
            kind: Kind::Float,
            location: None,
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn every_cut_of_a_file_is_an_error_or_a_list_and_never_a_panic() {
        let mut errors = 0;
        for length in 0..PROBE.len() {
            errors += usize::from(initializers(&PROBE[..length]).is_err());
        }
        assert!(errors > PROBE.len() / 2, "{errors} of {}", PROBE.len());
    }

    #[test]
    fn a_length_beyond_the_end_is_an_error() {
        // Field 7, wire type 2, a length of 2^63.
        let hostile = [
            0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00,
        ];
        assert_eq!(initializers(&hostile).unwrap_err(), "it is truncated");
        assert!(initializers(&[0xff; 16]).unwrap_err().contains("64 bits"));
        assert!(initializers(b"").unwrap_err().contains("0 graphs"));
    }

    /// A field of a number below 2048 that holds these bytes.
    fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
        let key = number << 3 | 2;
        let length = bytes.len() as u64;
        let mut out = Vec::new();
        for number in [key, length] {
            out.extend([(number & 0x7f) as u8 | 0x80, (number >> 7) as u8]);
        }
        out.extend_from_slice(bytes);
        out
    }

    #[test]
    fn only_plain_models_are_taken() {
        assert_eq!(is_plain(PROBE), Ok(()));
        let node = |inside: Vec<u8>| field(GRAPH, &field(NODE, &inside));
        let attribute = |inside: Vec<u8>| node(field(ATTRIBUTE, &inside));
        let tensor = |inside: &[u8]| attribute(field(TENSOR, inside));
        let location = [field(KEY, b"location"), field(VALUE, b"/etc/passwd")].concat();
        assert_eq!(is_plain(&tensor(&[14 << 3, 0])), Ok(()));
        assert_eq!(is_plain(&node(field(NODE_DOMAIN, b"ai.onnx"))), Ok(()));
        for (model, word) in [
            (tensor(&[14 << 3, 1]), "in a file"),
            (tensor(&field(EXTERNAL_DATA, &location)), "in a file"),
            (
                attribute(field(TENSORS, &field(EXTERNAL_DATA, &location))),
                "in a file",
            ),
            (attribute(field(SUBGRAPH, b"")), "subgraph"),
            (attribute(field(SUBGRAPHS, b"")), "subgraph"),
            (attribute(field(SPARSE_TENSOR, b"")), "sparse"),
            (attribute(field(SPARSE_TENSORS, b"")), "sparse"),
            (field(GRAPH, &field(SPARSE_INITIALIZER, b"")), "sparse"),
            (node(field(NODE_DOMAIN, b"com.microsoft")), "com.microsoft"),
            (field(OPSETS, &field(OPSET_DOMAIN, b"x")), "\"x\""),
            (field(FUNCTIONS, b""), "functions"),
            (field(TRAINING_INFO, b""), "functions"),
            (field(2, b"ORTM, a polyglot"), "own format"),
        ] {
            let refusal = is_plain(&model).unwrap_err();
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = (initializers(&bytes), is_plain(&bytes));
        }
    }
}
