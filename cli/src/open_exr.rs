//! OpenEXR pictures. The result of one is its source with other red, green and blue: all other channels, layers and
//! attributes stay, as do pixels outside the display window. Frames of movies become new files.

use std::io::Cursor;

use exr::meta::attribute::{AttributeValue, Chromaticities, Text};
use exr::prelude::{
    AnyChannel, AnyChannels, Encoding, FlatImage, FlatSamples, Image, ImageAttributes,
    IntegerBounds, Layer, LayerAttributes, ReadChannels, ReadLayers, SmallVec, Vec2, WritableImage,
    f16, read,
};
use stylelipsync::provenance::DIGITAL_SOURCE_TYPE;

use crate::ai_metadata::EXR_ATTRIBUTE;

/// The most bytes of a decoded picture.
const LARGEST: u64 = 4 << 30;

/// A decoded file, and which of its layers is shown.
#[derive(Clone, Debug)]
pub struct Original {
    image: FlatImage,
    layer: usize,
}

/// The display window: packed rows of RGBA in 32-bit float.
pub struct Decoded {
    pub width: u32,
    pub height: u32,
    pub alpha: bool,
    pub data: Vec<u8>,
    pub original: Original,
}

/// Whether the bytes are an EXR file's.
pub fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x76, 0x2f, 0x31, 0x01])
}

/// Decodes the first layer with channels R, G and B. The picture is the display window; it is black and transparent
/// where the data window does not cover it.
///
/// # Errors
/// An error message.
pub fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let image: FlatImage = read()
        .no_deep_data()
        .largest_resolution_level()
        .all_channels()
        .all_layers()
        .all_attributes()
        .from_buffered(Cursor::new(bytes))
        .map_err(|error| error.to_string())?;
    let colours = ["R", "G", "B"];
    let layer = (0..image.layer_data.len())
        .find(|layer| {
            colours
                .iter()
                .all(|name| channel(&image, *layer, name).is_some())
        })
        .ok_or_else(|| {
            format!(
                "no layer has channels R, G and B: there are {}",
                names(&image)
            )
        })?;
    let size = image.attributes.display_window.size;
    let too_large = || format!("{}x{} is too large", size.width(), size.height());
    let width = u32::try_from(size.width()).map_err(|_| too_large())?;
    let height = u32::try_from(size.height()).map_err(|_| too_large())?;
    let alpha = channel(&image, layer, "A").is_some();
    // The header alone states the size: a small file must not take all memory.
    let bytes = (u64::from(width) * u64::from(height)).checked_mul(16);
    let bytes = bytes
        .filter(|bytes| *bytes <= LARGEST)
        .ok_or_else(too_large)?;
    let mut data = vec![0; usize::try_from(bytes).map_err(|_| too_large())?];
    let original = Original { image, layer };
    for (place, name) in ["R", "G", "B", "A"].into_iter().enumerate() {
        let Some(channel) = channel(&original.image, layer, name) else {
            // Opaque.
            for pixel in data.chunks_exact_mut(16) {
                pixel[12..].copy_from_slice(&1f32.to_ne_bytes());
            }
            continue;
        };
        original.each_shown(|shown, stored| {
            let value = match &channel.sample_data {
                FlatSamples::F16(values) => values[stored].to_f32(),
                FlatSamples::F32(values) => values[stored],
                FlatSamples::U32(values) => values[stored] as f32,
            };
            data[shown * 16 + place * 4..][..4].copy_from_slice(&value.to_ne_bytes());
        });
    }
    Ok(Decoded {
        width,
        height,
        alpha,
        data,
        original,
    })
}

/// Encodes the file again with other pixels, as [`decode`] gave them; a `marked` one states that it is
/// synthetic.
///
/// # Errors
/// An error message.
pub fn encode(original: &Original, data: &[u8], marked: bool) -> Result<Vec<u8>, String> {
    let mut original = original.clone();
    if marked {
        mark(&mut original.image.attributes)?;
    }
    let layer = original.layer;
    for (place, name) in ["R", "G", "B"].into_iter().enumerate() {
        let channels = &mut original.image.layer_data[layer].channel_data.list;
        let Some(at) = channels.iter().position(|c| c.name.eq(name)) else {
            continue;
        };
        // Taken out meanwhile, since the places are the original's.
        let mut samples =
            std::mem::replace(&mut channels[at].sample_data, FlatSamples::U32(Vec::new()));
        original.each_shown(|shown, stored| {
            let value = &data[shown * 16 + place * 4..][..4];
            let value = value.try_into().map_or(0.0, f32::from_ne_bytes);
            match &mut samples {
                FlatSamples::F16(values) => values[stored] = f16::from_f32(value),
                FlatSamples::F32(values) => values[stored] = value,
                FlatSamples::U32(values) => values[stored] = value as u32,
            }
        });
        original.image.layer_data[layer].channel_data.list[at].sample_data = samples;
    }
    let mut bytes = Cursor::new(Vec::new());
    let written = original.image.write().to_buffered(&mut bytes);
    written.map_err(|error| error.to_string())?;
    Ok(bytes.into_inner())
}

/// States in a file's attributes that its picture is synthetic.
fn mark(attributes: &mut ImageAttributes) -> Result<(), String> {
    let text = |text: &str| Text::new_or_none(text).ok_or("a text that EXR does not hold");
    let (name, value) = (text(EXR_ATTRIBUTE)?, text(DIGITAL_SOURCE_TYPE)?);
    attributes.other.insert(name, AttributeValue::Text(value));
    Ok(())
}

/// A file that was none before, of one layer.
pub struct NewFile {
    /// Width and height of the pixels that are there.
    pub size: [usize; 2],
    /// The rectangle of the whole picture, where it is another one; the pixels begin where it does.
    pub window: Option<IntegerBounds>,
    /// Width to height of one pixel.
    pub pixel_aspect: f32,
    /// `None` for those of Rec. 709.
    pub chromaticities: Option<Chromaticities>,
    /// Whether it states that it is synthetic.
    pub marked: bool,
}

impl NewFile {
    /// Encodes planes, in alphabetic order of their names, without loss.
    ///
    /// # Errors
    /// An error message.
    pub fn encode<const N: usize>(
        &self,
        channels: [(&str, FlatSamples); N],
    ) -> Result<Vec<u8>, String> {
        let size = Vec2(self.size[0], self.size[1]);
        let window = self
            .window
            .unwrap_or_else(|| IntegerBounds::from_dimensions(size));
        let mut attributes = ImageAttributes::new(window);
        attributes.pixel_aspect = self.pixel_aspect;
        attributes.chromaticities = self.chromaticities;
        if self.marked {
            mark(&mut attributes)?;
        }
        let list: SmallVec<[AnyChannel<FlatSamples>; 4]> = channels
            .into_iter()
            .map(|(name, samples)| AnyChannel::new(name, samples))
            .collect();
        let layer = LayerAttributes {
            layer_position: window.position,
            ..LayerAttributes::default()
        };
        let layer = Layer::new(size, layer, Encoding::SMALL_LOSSLESS, AnyChannels { list });
        let mut bytes = Cursor::new(Vec::new());
        let written = Image::new(attributes, layer)
            .write()
            .to_buffered(&mut bytes);
        written.map_err(|error| error.to_string())?;
        Ok(bytes.into_inner())
    }
}

impl Original {
    /// Whether the primaries are those of Rec. 709, which the networks know.
    pub fn is_rec709(&self) -> bool {
        let stated = self.image.attributes.chromaticities;
        stated.is_none_or(|c| (c.red.x() - 0.64).abs() < 0.005 && (c.green.y() - 0.6).abs() < 0.005)
    }

    /// The rectangle of the picture in the file's own coordinates.
    pub fn display_window(&self) -> IntegerBounds {
        self.image.attributes.display_window
    }

    /// Width to height of one pixel; `None` for a square one, and where the file states nonsense.
    pub fn pixel_aspect(&self) -> Option<[u32; 2]> {
        const UNIT: f32 = 10_000.0;
        let ratio = self.image.attributes.pixel_aspect;
        let stated = ratio != 1.0 && (1.0 / UNIT..UNIT).contains(&ratio);
        stated.then_some([(ratio * UNIT).round() as u32, UNIT as u32])
    }

    /// Calls with the index of each pixel of the display window and of the same pixel in the data window.
    fn each_shown(&self, mut call: impl FnMut(usize, usize)) {
        let layer = &self.image.layer_data[self.layer];
        let window = self.image.attributes.display_window;
        let position = layer.attributes.layer_position;
        let [dx, dy] = [
            i64::from(position.x()) - i64::from(window.position.x()),
            i64::from(position.y()) - i64::from(window.position.y()),
        ];
        let (width, height) = (window.size.width() as i64, window.size.height() as i64);
        let stored_width = layer.size.width() as i64;
        for y in 0..layer.size.height() as i64 {
            for x in 0..stored_width {
                let (left, top) = (x + dx, y + dy);
                if (0..width).contains(&left) && (0..height).contains(&top) {
                    call(
                        (top * width + left) as usize,
                        (y * stored_width + x) as usize,
                    );
                }
            }
        }
    }
}

/// A channel of full resolution.
fn channel<'a>(
    image: &'a FlatImage,
    layer: usize,
    name: &str,
) -> Option<&'a AnyChannel<FlatSamples>> {
    let mut channels = image.layer_data[layer].channel_data.list.iter();
    channels.find(|channel| {
        channel.name.eq(name) && channel.sampling.x() == 1 && channel.sampling.y() == 1
    })
}

fn names(image: &FlatImage) -> String {
    let layers = image.layer_data.iter();
    let names: Vec<String> = layers
        .flat_map(|layer| layer.channel_data.list.iter())
        .map(|channel| channel.name.to_string())
        .collect();
    names.join(", ")
}
