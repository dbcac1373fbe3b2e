//! The presets of the look, and the button that sets the controls to their defaults. Each is one edit,
//! which the user can undo as one.

use std::ffi::CStr;

use crate::controls::*;
use crate::error::Result;
use crate::host::Host;
use crate::parameters::Parameters;

/// The controls that a preset sets.
const CONTROLS: [&CStr; 6] = [
    STRENGTH,
    ARTICULATION,
    DETAIL,
    MASK_GROW,
    MASK_FEATHER,
    COLOUR_MATCH,
];

/// Their values, in the order of the options of *Preset*. The first one has the defaults.
const PRESETS: [[f64; CONTROLS.len()]; 4] = [
    [1.0, 1.0, 1.0, 0.0, 1.0, 1.0],
    [1.0, 0.7, 1.0, 0.0, 1.0, 1.0],
    [1.0, 1.3, 1.0, 0.0, 1.0, 1.0],
    [1.0, 1.0, 1.0, 0.0, 1.5, 1.0],
];

/// The option of *Preset* after those: the controls are set otherwise.
const CUSTOM: i32 = PRESETS.len() as i32;

/// Sets the controls of the preset that the user chose.
///
/// # Errors
/// [`ActionError::Host`](crate::error::ActionError::Host) where the host refuses a parameter.
pub fn apply(host: &Host, parameters: &Parameters) -> Result<()> {
    let chosen = usize::try_from(parameters.int(host, PRESET)?).ok();
    let Some(values) = chosen.and_then(|chosen| PRESETS.get(chosen)) else {
        return Ok(());
    };
    parameters.edit(host, c"Preset", || {
        CONTROLS
            .iter()
            .zip(values)
            .try_for_each(|(control, value)| parameters.set_double(host, control, *value))
    })
}

/// Lets *Preset* show the preset that the controls have, or *Custom*. A control with keyframes has none.
///
/// # Errors
/// As [`apply`].
pub fn show(host: &Host, parameters: &Parameters) -> Result<()> {
    let mut values = [0.0; CONTROLS.len()];
    let mut animated = false;
    for (control, value) in CONTROLS.iter().zip(&mut values) {
        *value = parameters.double(host, control, 0.0)?;
        animated |= parameters.is_animated(host, control)?;
    }
    let alike = |preset: &[f64; CONTROLS.len()]| {
        let mut pairs = preset.iter().zip(&values);
        pairs.all(|(one, other)| (one - other).abs() < 1e-6)
    };
    let found = PRESETS.iter().position(alike).filter(|_| !animated);
    let shown = found.map_or(CUSTOM, |found| found as i32);
    if parameters.int(host, PRESET)? == shown {
        return Ok(());
    }
    parameters.set_int(host, PRESET, shown)
}

/// Sets all controls to their defaults, but for files, texts, and those that place the audio.
///
/// # Errors
/// As [`apply`].
pub fn reset(host: &Host, parameters: &Parameters) -> Result<()> {
    let groups = GROUPS.iter().filter(|group| group.has_reset);
    let controls = groups.flat_map(|group| group.controls);
    parameters.edit(host, c"Reset To Defaults", || {
        for control in controls {
            let name = control.name;
            match control.kind {
                ControlKind::Int { default, .. } | ControlKind::Choice(_, default) => {
                    parameters.set_int(host, name, default)?
                }
                ControlKind::Double { default, .. } => {
                    parameters.set_double(host, name, default)?
                }
                ControlKind::Text(_) | ControlKind::Point | ControlKind::Button => {}
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(name: &CStr) -> &'static Control {
        let mut controls = GROUPS.iter().flat_map(|group| group.controls);
        controls.find(|control| control.name == name).unwrap()
    }

    #[test]
    fn presets_fit_their_controls() {
        let ControlKind::Choice(options, default) = control(PRESET).kind else {
            panic!("a choice")
        };
        assert_eq!((options.len(), default), (PRESETS.len() + 1, 0));
        assert_eq!(options[CUSTOM as usize], c"Custom");
        for (number, preset) in PRESETS.iter().enumerate() {
            assert!(
                !PRESETS[..number].contains(preset),
                "{number} is one before"
            );
            for (name, value) in CONTROLS.iter().zip(preset) {
                let ControlKind::Double { default, range, .. } = control(name).kind else {
                    panic!("a number")
                };
                assert!((range[0]..=range[1]).contains(value), "{name:?} {value}");
                assert!(number > 0 || default == *value, "{name:?} {value}");
            }
        }
    }
}
