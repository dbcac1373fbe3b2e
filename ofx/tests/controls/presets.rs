//! The presets, and Reset To Defaults.

use crate::host::*;
use crate::support::*;
use crate::{THIRTY, render};

const NATURAL: i32 = 0;
const CALM: i32 = 1;
const SOFT_EDGE: i32 = 3;
const CUSTOM: i32 = 4;

fn preset(instance: &Instance) -> i32 {
    instance.get("preset").int()
}

fn number(instance: &Instance, name: &str) -> f64 {
    match instance.get(name) {
        ParamValue::Doubles(values) => values[0],
        other => panic!("{name} is {other:?}"),
    }
}

/// The values that the effect wrote since the last call, all of them in one edit of this name.
fn written_in_one_edit(instance: &Instance, name: &str) -> Vec<String> {
    let log = instance.log();
    instance.forget_records();
    assert_eq!(log.edits, [name]);
    let edited = log.param_writes.into_iter().filter(|write| write.in_edit);
    edited.map(|write| write.name).collect()
}

#[test]
fn a_preset_sets_the_controls_and_a_control_the_preset() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    assert_eq!(preset(&instance), NATURAL);
    let natural = render(&instance, THIRTY);
    instance.set_keys("articulation", 3);
    instance.forget_records();
    instance.edit("preset", CALM);
    assert_eq!(written_in_one_edit(&instance, "Preset").len(), 6);
    assert_eq!(
        (preset(&instance), instance.keys("articulation")),
        (CALM, 0)
    );
    assert_eq!(number(&instance, "articulation"), 0.7);
    let calm = render(&instance, THIRTY);
    assert!(calm != natural);
    let by_hand = speaking(&effect, Context::Filter);
    by_hand.edit("articulation", 0.7);
    assert!(render(&by_hand, THIRTY) == calm);
    assert_eq!(preset(&by_hand), CALM, "the controls have its values");

    instance.edit("maskFeather", 1.2);
    assert_eq!(preset(&instance), CUSTOM);
    assert_eq!(
        (
            number(&instance, "articulation"),
            number(&instance, "maskFeather")
        ),
        (0.7, 1.2)
    );
    // Nothing is written when nothing has to change, as when the user undoes.
    instance.forget_records();
    instance.edit("maskFeather", 1.3);
    let writes = instance.log().param_writes;
    assert!(
        writes.iter().all(|write| write.name == "status"),
        "{writes:?}"
    );
    instance.edit("maskFeather", 1.0);
    assert_eq!(preset(&instance), CALM);
    instance.edit("preset", CUSTOM);
    assert_eq!(preset(&instance), CALM, "no control is set otherwise");
    instance.edit("preset", SOFT_EDGE);
    assert_eq!(
        (
            number(&instance, "articulation"),
            number(&instance, "maskFeather")
        ),
        (1.0, 1.5)
    );
    instance.edit("preset", NATURAL);
    assert!(render(&instance, THIRTY) == natural);
    // Values that move belong to no preset; values that no project has do no harm.
    instance.set_keys("strength", 2);
    instance.changed("strength");
    assert_eq!(preset(&instance), CUSTOM);
    for nonsense in [-1, 99, i32::MAX, i32::MIN] {
        instance.edit("preset", nonsense);
        assert_eq!(preset(&instance), CUSTOM);
        assert_eq!(instance.keys("strength"), 2);
    }
    instance.assert_clean();
    by_hand.assert_clean();
}

#[test]
fn reset_sets_the_defaults_and_keeps_files_and_the_place_of_the_audio() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let untouched = effect.create(Context::Filter).unwrap();
    instance.edit("audioStart", 3);
    instance.edit("audioOffset", -40.0);
    let kept = [
        "audio",
        "audioStart",
        "audioOffset",
        "audioFrom",
        "onProblem",
        "person",
    ];
    let before = kept.map(|name| instance.get(name));
    let expected = render(&instance, THIRTY);
    let changes: [(&str, ParamValue); 9] = [
        ("strength", 0.4.into()),
        ("detail", 0.0.into()),
        ("maskGrow", 9.0.into()),
        ("inputColour", 2.into()),
        ("output", 2.into()),
        ("label", 3.into()),
        ("face", 2.into()),
        ("reference", 1.into()),
        ("device", 1.into()),
    ];
    for (name, value) in &changes {
        instance.edit(name, value.clone());
    }
    instance.set_keys("strength", 5);
    assert_eq!(preset(&instance), CUSTOM);
    assert!(render(&instance, THIRTY) != expected);
    instance.forget_records();
    instance.changed("reset");
    let written = written_in_one_edit(&instance, "Reset To Defaults");
    assert!(written.len() > 15, "{written:?}");
    for (name, _) in &changes {
        assert_eq!(instance.get(name), untouched.get(name), "{name}");
    }
    assert_eq!(kept.map(|name| instance.get(name)), before);
    assert_eq!((preset(&instance), instance.keys("strength")), (NATURAL, 0));
    assert!(render(&instance, THIRTY) == expected);
    instance.assert_clean();
}

/// Hosts without keyframes or without edits have none of these functions.
#[test]
fn presets_and_reset_work_without_edits_and_keyframes() {
    let suite = c"OfxParameterSuite";
    let bare = [
        "paramGetNumKeys",
        "paramDeleteAllKeys",
        "paramEditBegin",
        "paramEditEnd",
    ];
    let plugin = open_plugin(
        bare.into_iter()
            .fold(HostOptions::default(), |options, name| {
                options.without_function(suite, name)
            }),
    );
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    instance.edit("preset", CALM);
    assert_eq!(number(&instance, "articulation"), 0.7);
    instance.set_timeline(12.0, 0.0, 99.0);
    instance.changed("referenceHere");
    assert_eq!(instance.get("referenceFrame").int(), 12);
    instance.changed("reset");
    assert_eq!(number(&instance, "articulation"), 1.0);
    assert_eq!(
        (preset(&instance), instance.get("reference").int()),
        (NATURAL, 0)
    );
    instance.assert_clean();
}
