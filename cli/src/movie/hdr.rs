//! The static metadata of HDR10: mastering display colour volume (SMPTE ST 2086) and content light level
//! (CTA-861.3).

use serde::Deserialize;

/// What a movie states; each part may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StaticMetadata {
    pub mastering: Option<Mastering>,
    pub light: Option<LightLevel>,
}

/// The display that the movie was mastered on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mastering {
    /// CIE 1931 x and y of red, green, blue and white.
    pub chromaticities: [[f64; 2]; 4],
    /// Lowest and highest luminance in cd/m2.
    pub luminance: [f64; 2],
}

/// In cd/m2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LightLevel {
    /// MaxCLL: of the brightest pixel.
    pub content: u32,
    /// MaxFALL: the average of the brightest frame.
    pub average: u32,
}

/// One entry of ffprobe's `side_data_list`, of a stream or a frame.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SideData {
    #[serde(rename = "side_data_type", default)]
    pub kind: String,
    pub rotation: Option<f64>,
    red_x: Option<String>,
    red_y: Option<String>,
    green_x: Option<String>,
    green_y: Option<String>,
    blue_x: Option<String>,
    blue_y: Option<String>,
    white_point_x: Option<String>,
    white_point_y: Option<String>,
    min_luminance: Option<String>,
    max_luminance: Option<String>,
    max_content: Option<u32>,
    max_average: Option<u32>,
}

impl StaticMetadata {
    /// Finds both parts among what ffprobe reports.
    pub fn find<'a>(side_data: impl Iterator<Item = &'a SideData>) -> Self {
        let mut found = Self::default();
        for side in side_data {
            found.mastering = found.mastering.or_else(|| side.mastering());
            found.light = found.light.or_else(|| {
                let (content, average) = side.max_content.zip(side.max_average)?;
                Some(LightLevel { content, average })
            });
        }
        found
    }

    pub fn is_empty(&self) -> bool {
        self.mastering.is_none() && self.light.is_none()
    }

    /// The parameters of libx265, each with a colon before it.
    pub fn x265(&self) -> String {
        let mut text = String::new();
        if let Some(Mastering {
            chromaticities: [red, green, blue, white],
            luminance: [low, high],
        }) = self.mastering
        {
            let point = |[x, y]: [f64; 2]| format!("({:.0},{:.0})", x * 50_000.0, y * 50_000.0);
            let (low, high) = (low * 10_000.0, high * 10_000.0);
            text += &format!(
                ":master-display=G{}B{}R{}WP{}L({high:.0},{low:.0})",
                point(green),
                point(blue),
                point(red),
                point(white)
            );
        }
        if let Some(LightLevel { content, average }) = self.light {
            text += &format!(":max-cll={content},{average}");
        }
        text
    }
}

impl SideData {
    /// What it is, in plain words, where no result keeps it.
    pub fn lost(&self) -> Option<String> {
        let is = |names: &[&str]| names.iter().any(|name| self.kind.contains(name));
        let base = "the picture is its base layer's";
        Some(if is(&["DOVI", "Dolby Vision"]) {
            format!("Dolby Vision: {base}")
        } else if is(&["2094-40", "HDR10+"]) {
            format!("HDR10+: {base}, and static metadata stays")
        } else if is(&["Dynamic", "Spherical", "Stereo"]) {
            self.kind.clone()
        } else {
            return None;
        })
    }

    fn mastering(&self) -> Option<Mastering> {
        let number = |text: &Option<String>| ratio(text.as_deref()?);
        let point = |x, y| Some([number(x)?, number(y)?]);
        Some(Mastering {
            chromaticities: [
                point(&self.red_x, &self.red_y)?,
                point(&self.green_x, &self.green_y)?,
                point(&self.blue_x, &self.blue_y)?,
                point(&self.white_point_x, &self.white_point_y)?,
            ],
            luminance: [number(&self.min_luminance)?, number(&self.max_luminance)?],
        })
    }
}

fn ratio(text: &str) -> Option<f64> {
    let (num, den) = text.split_once('/')?;
    let value = num.parse::<f64>().ok()? / den.parse::<f64>().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ffprobe_s_report_becomes_the_encoder_s_parameters() {
        let report = r#"[{"side_data_type": "Display Matrix", "rotation": -90},
            {"side_data_type": "Mastering display metadata", "red_x": "34000/50000",
             "red_y": "16000/50000", "green_x": "13250/50000", "green_y": "34500/50000",
             "blue_x": "7500/50000", "blue_y": "3000/50000", "white_point_x": "15635/50000",
             "white_point_y": "16450/50000", "min_luminance": "1/10000",
             "max_luminance": "10000000/10000"},
            {"side_data_type": "Content light level metadata", "max_content": 1000,
             "max_average": 400}]"#;
        let list: Vec<SideData> = serde_json::from_str(report).unwrap();
        let found = StaticMetadata::find(list.iter());
        assert_eq!(
            found.x265(),
            ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)\
             :max-cll=1000,400"
        );
        assert!(StaticMetadata::find(list[..1].iter()).is_empty());
    }
}
