//! EXR pictures of display-referred frames: how their numbers become light.

use exr::meta::attribute::Chromaticities;
use exr::prelude::{FlatSamples, Vec2, f16};
use stylelipsync::Transfer;

use crate::movie::probe::{Colour, Movie};
use crate::open_exr::NewFile;
use crate::picture::{Depth, Picture};

/// What a clip's colour tags say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    transfer: Transfer,
    /// CIE 1931 x and y of red, green, blue and white; `None` for those of Rec. 709, which EXR assumes.
    primaries: Option<[[f32; 2]; 4]>,
}

const D65: [f32; 2] = [0.3127, 0.329];
const BT2020: [[f32; 2]; 4] = [[0.708, 0.292], [0.17, 0.797], [0.131, 0.046], D65];
const P3: [[f32; 2]; 3] = [[0.68, 0.32], [0.265, 0.69], [0.15, 0.06]];

impl Light {
    /// Of a movie, else of pictures, which are sRGB. Video of a usual dynamic range is taken for sRGB, as an EXR
    /// picture becomes a movie.
    pub fn of(movie: Option<&Movie>) -> Self {
        let colour = movie.map(|movie| &movie.colour);
        let linear = colour.is_some_and(|c| c.transfer.as_deref() == Some("linear"));
        Self {
            transfer: match colour.and_then(Colour::hdr) {
                Some(transfer) => transfer,
                None if linear => Transfer::Linear,
                None => Transfer::Srgb,
            },
            primaries: colour.and_then(primaries),
        }
    }

    fn chromaticities(&self) -> Option<Chromaticities> {
        let [red, green, blue, white] = self.primaries?.map(|[x, y]| Vec2(x, y));
        Some(Chromaticities {
            red,
            green,
            blue,
            white,
        })
    }

    /// Encodes a frame that came from no EXR picture: light in half float, alpha where the clip has it. A `marked` one
    /// states that it is synthetic.
    ///
    /// # Errors
    /// An error message.
    pub fn encode(&self, picture: &Picture, marked: bool) -> Result<Vec<u8>, String> {
        let layout = picture.layout;
        let file = NewFile {
            size: [layout.width as usize, layout.height as usize],
            window: None,
            pixel_aspect: layout.pixel_aspect() as f32,
            chromaticities: self.chromaticities(),
            marked,
        };
        let [red, green, blue, alpha] = self.planes(picture).map(FlatSamples::F16);
        let colours = [("B", blue), ("G", green), ("R", red)];
        match layout.alpha {
            true => {
                let [b, g, r] = colours;
                file.encode([("A", alpha), b, g, r])
            }
            false => file.encode(colours),
        }
    }

    /// Planes of red, green, blue and alpha in half float. Colours are light, 1 is diffuse white, and multiplied by
    /// alpha, as EXR wants them.
    fn planes(&self, picture: &Picture) -> [Vec<f16>; 4] {
        let most = match picture.layout.depth {
            Depth::Eight => u8::MAX.into(),
            Depth::Sixteen => u16::MAX,
            Depth::Float => return linear_planes(&bytemuck::pod_collect_to_vec(&picture.data)),
        };
        let level = |value: u16| f64::from(value) / f64::from(most);
        let light: Vec<f32> = (0..=most)
            .map(|value| self.transfer.light(level(value)) as f32)
            .collect();
        let values: Vec<u16> = match picture.layout.depth {
            Depth::Eight => picture.data.iter().map(|value| u16::from(*value)).collect(),
            _ => bytemuck::pod_collect_to_vec(&picture.data),
        };
        let mut linear: Vec<f32> = values.iter().map(|v| light[usize::from(*v)]).collect();
        for (pixel, values) in linear.chunks_exact_mut(4).zip(values.chunks_exact(4)) {
            let alpha = level(values[3]) as f32;
            pixel[3] = 1.0;
            pixel.iter_mut().for_each(|value| *value *= alpha);
        }
        linear_planes(&linear)
    }
}

fn linear_planes(pixels: &[f32]) -> [Vec<f16>; 4] {
    [0, 1, 2, 3].map(|place| {
        let values = pixels.iter().skip(place).step_by(4);
        values.map(|value| f16::from_f32(*value)).collect()
    })
}

fn primaries(colour: &Colour) -> Option<[[f32; 2]; 4]> {
    let [red, green, blue] = P3;
    match colour.primaries.as_deref() {
        Some("bt2020") => Some(BT2020),
        Some("smpte432") => Some([red, green, blue, D65]),
        Some("smpte431") => Some([red, green, blue, [0.314, 0.351]]),
        Some("bt470bg") => Some([[0.64, 0.33], [0.29, 0.6], [0.15, 0.06], D65]),
        Some("smpte170m" | "smpte240m") => Some([[0.63, 0.34], [0.31, 0.595], [0.155, 0.07], D65]),
        None if colour.is_hdr() => Some(BT2020),
        _ => None,
    }
}
