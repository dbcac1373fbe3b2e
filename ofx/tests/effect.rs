//! What hosts can rely on: the effect in its bundle, in a test host with real suites and images.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![cfg(any(target_os = "linux", windows))]

mod host;
mod support;

use host::*;
use support::*;

/// A frame as the effect renders it in a host with default options.
fn expected(index: usize, depth: Depth) -> Vec<u8> {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let connection = Connection { depth, ..clip() };
    instance.connect("Source", connection);
    let rendered = instance.render(index as f64, &RenderOptions::default());
    assert!(rendered.status.is_ok(), "{:?}", rendered.status);
    instance.assert_clean();
    rendered.bytes
}

#[test]
fn the_description_is_complete() {
    let plugin = open_plugin(HostOptions::default());
    let [info] = plugin.infos() else {
        panic!("there is one effect in the binary");
    };
    assert_eq!(
        (info.identifier.as_str(), info.api_version),
        ("org.stylelipsync.LipSync", 1)
    );
    for context in [Context::Filter, Context::General] {
        let effect = plugin.start(context);
        for (name, about) in effect.params(context) {
            let text = |property| about.string(property).unwrap_or_default();
            assert!(!text(c"OfxPropLabel").is_empty(), "{name} has no label");
            let kind = text(c"OfxParamPropType");
            let group = ["OfxParamTypeGroup", "OfxParamTypePage"].contains(&kind.as_str());
            assert!(
                group || text(c"OfxParamPropHint").len() > 20,
                "{name} has no hint"
            );
            if ["OfxParamTypeInteger", "OfxParamTypeDouble"].contains(&kind.as_str()) {
                for range in [
                    c"OfxParamPropMin",
                    c"OfxParamPropMax",
                    c"OfxParamPropDisplayMin",
                    c"OfxParamPropDisplayMax",
                ] {
                    assert!(about.has(range), "{name} has no {range:?}");
                }
            }
        }
        let clips = effect.clips(context).len();
        assert_eq!(clips, if context == Context::General { 3 } else { 2 });
        effect.assert_clean();
    }
}

#[test]
fn every_bit_depth_and_memory_layout_gives_the_same_pixels() {
    for depth in [Depth::Byte, Depth::Short, Depth::Half, Depth::Float] {
        let plain = expected(30, depth);
        let source = untouched(30, depth);
        assert_ne!(plain, source, "{depth:?}: nothing was changed");
        let plugin = open_plugin(HostOptions::default());
        let effect = plugin.start(Context::Filter);
        let instance = speaking(&effect, Context::Filter);
        for (negative_rows, padding, corner) in [
            (true, 0, [0, 0]),
            (false, 32, [0, 0]),
            (true, 16, [-100, 37]),
        ] {
            instance.connect(
                "Source",
                Connection {
                    depth,
                    negative_rows,
                    padding,
                    bounds: Rect::new(
                        corner[0],
                        corner[1],
                        corner[0] + WIDTH as i32,
                        corner[1] + HEIGHT as i32,
                    ),
                    ..clip()
                },
            );
            instance.clip_changed("Source");
            for (negative_output, output_padding) in [(false, 0), (true, 48)] {
                let options = RenderOptions {
                    negative_rows: negative_output,
                    padding: output_padding,
                    ..RenderOptions::default()
                };
                let rendered = instance.render(30.0, &options);
                assert!(rendered.status.is_ok());
                assert!(
                    rendered.bytes == plain,
                    "{depth:?} {negative_rows} {padding} {corner:?} {negative_output} {output_padding}"
                );
            }
        }
        instance.assert_clean();
        // The effect changes the lower face only: the rows above it are the source, bit for bit.
        let above = plain.len() * 2 / 5;
        assert!(plain[..above] == source[..above]);
    }
}

#[test]
fn rgb_is_rendered_and_alpha_passes_through() {
    let painted = [Depth::Byte, Depth::Float].map(|depth| (depth, expected(30, depth)));
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    for (depth, wanted) in painted {
        let size = depth.bytes();
        instance.connect(
            "Source",
            Connection {
                depth,
                components: Components::Rgb,
                ..clip()
            },
        );
        instance.clip_changed("Source");
        let rendered = instance.render(30.0, &RenderOptions::default());
        let colours = wanted
            .chunks_exact(4 * size)
            .flat_map(|pixel| pixel[..3 * size].to_vec());
        assert!(rendered.status.is_ok());
        assert!(colours.eq(rendered.bytes.iter().copied()), "{depth:?}");
        instance.connect(
            "Source",
            Connection {
                depth,
                components: Components::Alpha,
                ..clip()
            },
        );
        instance.clip_changed("Source");
        let rendered = instance.render(30.0, &RenderOptions::default());
        assert!(rendered.status.is_ok());
        let source = frame(30).unwrap().encode(depth, Components::Alpha);
        assert!(rendered.bytes == source);
    }
    instance.assert_clean();
}

#[test]
fn any_order_any_number_of_threads_and_instances_give_the_same_bytes() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let times = [28usize, 29, 30, 31];
    let instance = speaking(&effect, Context::Filter);
    let render = |instance: &Instance, index: usize| {
        let rendered = instance.render(index as f64, &RenderOptions::default());
        assert!(rendered.status.is_ok());
        rendered.bytes
    };
    let in_order: Vec<_> = times
        .iter()
        .map(|index| render(&instance, *index))
        .collect();
    // In reverse order, by another instance, after the caches are purged.
    instance.action(c"OfxActionPurgeCaches");
    let other = speaking(&effect, Context::Filter);
    for (index, wanted) in times.iter().zip(&in_order).rev() {
        assert!(render(&other, *index) == *wanted, "frame {index} backwards");
    }
    let eight: Vec<_> = (0..8).map(|_| speaking(&effect, Context::Filter)).collect();
    std::thread::scope(|scope| {
        for (number, one) in eight.iter().enumerate() {
            let (render, in_order) = (&render, &in_order);
            scope.spawn(move || {
                let at = number % times.len();
                assert!(render(one, times[at]) == in_order[at], "instance {number}");
            });
        }
        for thread in 0..2 {
            let (instance, render, in_order) = (&instance, &render, &in_order);
            scope.spawn(move || {
                for at in [thread, 3 - thread] {
                    assert!(
                        render(instance, times[at]) == in_order[at],
                        "thread {thread}"
                    );
                }
            });
        }
    });
    for one in eight.iter().chain([&instance, &other]) {
        one.assert_clean();
    }
}

#[test]
fn every_host_lifecycle_gives_the_same_bytes() {
    let wanted = expected(30, Depth::Float);
    for lifecycle in [Lifecycle::HostSupport, Lifecycle::PerFrame] {
        let plugin = open_plugin(HostOptions {
            lifecycle,
            ..HostOptions::default()
        });
        let effect = plugin.start(Context::Filter);
        let instance = speaking(&effect, Context::Filter);
        let rendered = instance.render(30.0, &RenderOptions::default());
        assert!(rendered.bytes == wanted, "{lifecycle:?}");
        instance.assert_clean();
        effect.assert_clean();
    }
    // Without temporal clip access: another smoothing and reference, and the same bytes in any order.
    let plugin = open_plugin(HostOptions {
        temporal_access: false,
        lifecycle: Lifecycle::PerFrame,
        ..HostOptions::default()
    });
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    let render = |time: f64| instance.render(time, &RenderOptions::default()).bytes;
    let (first, second) = (render(30.0), render(31.0));
    assert!(first != untouched(30, Depth::Float));
    assert!(render(31.0) == second && render(30.0) == first);
    instance.assert_clean();
}

#[test]
fn optional_suites_may_be_missing_and_required_ones_may_not() {
    let wanted = expected(30, Depth::Byte);
    let bare = HostOptions::named("DaVinciResolve")
        .without_suite(c"OfxMessageSuite", 2)
        .without_suite(c"OfxProgressSuite", 1)
        .without_suite(c"OfxProgressSuite", 2)
        .without_suite(c"OfxTimeLineSuite", 1)
        .without_suite(c"OfxMemorySuite", 1)
        .without_suite(c"OfxMultiThreadSuite", 1)
        .without_function(c"OfxMessageSuite", "setPersistentMessage");
    let options = HostOptions {
        all_clips_connected: true,
        ..bare
    };
    let plugin = open_plugin(options);
    let effect = plugin.start(Context::General);
    let instance = speaking(&effect, Context::General);
    instance.connect(
        "Source",
        Connection {
            depth: Depth::Byte,
            ..clip()
        },
    );
    assert!(instance.render(30.0, &RenderOptions::default()).bytes == wanted);
    instance.set("audio", "/nowhere.wav");
    // Without the message suite, a problem still lets the source pass.
    let rendered = instance.render(30.0, &RenderOptions::default());
    assert!(rendered.status.is_ok());
    assert!(rendered.bytes == untouched(30, Depth::Byte));
    instance.assert_clean();
    drop((instance, effect, plugin));
    for (suite, member) in [
        (c"OfxPropertySuite", None),
        (c"OfxImageEffectSuite", None),
        (c"OfxParameterSuite", None),
        (c"OfxImageEffectSuite", Some("clipGetImage")),
        (c"OfxParameterSuite", Some("paramGetValue")),
        (c"OfxPropertySuite", Some("propGetInt")),
    ] {
        let options = HostOptions::default();
        let options = match member {
            None => options.without_suite(suite, 1),
            Some(member) => options.without_function(suite, member),
        };
        let plugin = open_plugin(options);
        assert!(!plugin.effect().load().is_ok(), "{suite:?} {member:?}");
    }
}

#[test]
fn an_abort_at_any_point_ends_the_render_at_once_and_has_no_later_effect() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    // An instance without references, and no face or audio in the caches.
    let fresh = || {
        let instance = speaking(&effect, Context::Filter);
        instance.action(c"OfxActionPurgeCaches");
        instance
    };
    let render = |instance: &Instance| instance.render(30.0, &RenderOptions::default());
    // The reference's clip stays in the cache: the second render is the one to compare with.
    render(&fresh());
    let whole = fresh();
    let expected = render(&whole).bytes;
    let polls = whole.abort_polls();
    assert!(polls > 10, "only {polls} checks for an abort");
    for number in [0, 1, 2, polls / 3, 2 * polls / 3, polls - 2, polls - 1] {
        let instance = fresh();
        instance.abort_when(Interrupt::after(number));
        let aborted = render(&instance);
        assert!(aborted.aborted && aborted.status.is_ok());
        // The first answer "yes" is the last question: nothing was done after it.
        assert_eq!(instance.abort_polls(), number + 1);
        instance.abort_when(Interrupt::never());
        assert!(render(&instance).bytes == expected, "after {number} checks");
        instance.assert_clean();
    }
}

#[test]
fn a_saved_project_renders_the_same_bytes_when_it_is_opened_again() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    instance.edit("strength", 0.7);
    instance.edit("audioOffset", 120.0);
    instance.edit("reference", 1);
    instance.edit("referenceFrame", 12);
    let before = instance.render(40.0, &RenderOptions::default());
    let saved = instance.save();
    instance.destroy();
    let again = effect.create(Context::Filter).unwrap();
    again.connect("Source", clip());
    again.restore(&saved);
    let after = again.render(40.0, &RenderOptions::default());
    assert!(before.status.is_ok() && before.bytes == after.bytes);
    assert!(before.bytes != untouched(40, Depth::Float));
    again.assert_clean();
}

/// Resolve creates and destroys instances at each edit, with several of a clip alive.
#[test]
fn instances_are_created_and_destroyed_often() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let first = speaking(&effect, Context::Filter);
    let wanted = first.render(30.0, &RenderOptions::default()).bytes;
    let mut alive = Vec::new();
    for number in 0..200 {
        let instance = effect.create(Context::Filter).unwrap();
        if number % 50 == 0 {
            instance.connect("Source", clip());
            instance.set("audio", other_speech().as_str());
            assert!(instance.render(30.0, &RenderOptions::default()).bytes == wanted);
        }
        alive.push(instance);
        if alive.len() > 3 {
            alive.remove(0).assert_clean();
        }
    }
    drop(first);
    let last = speaking(&effect, Context::Filter);
    assert!(last.render(30.0, &RenderOptions::default()).bytes == wanted);
    last.assert_clean();
}

/// Invalid calls return a failure status, and the instance still works afterwards.
#[test]
fn invalid_calls_get_a_status() {
    let plugin = open_plugin(HostOptions::default());
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    for action in [None, Some(c"OfxActionOfTomorrow")] {
        for handle in [RawHandle::Null, RawHandle::Own] {
            let status = instance.raw(action, handle, None, None);
            assert!(!status.is_ok(), "{action:?} {handle:?}");
        }
    }
    // Actions without an instance, or without arguments.
    for action in [
        c"OfxImageEffectActionRender",
        c"OfxImageEffectActionIsIdentity",
        c"OfxImageEffectActionGetFramesNeeded",
        c"OfxActionInstanceChanged",
        c"OfxActionSyncPrivateData",
        c"OfxActionDestroyInstance",
        c"OfxActionDescribe",
        c"OfxActionCreateInstance",
    ] {
        let status = effect.raw(Some(action), RawHandle::Null, None, None);
        assert!(!status.is_ok(), "{action:?} without an instance");
    }
    for action in [
        c"OfxImageEffectActionRender",
        c"OfxImageEffectActionIsIdentity",
    ] {
        let status = instance.raw(Some(action), RawHandle::Own, None, None);
        assert!(!status.is_ok(), "{action:?} without arguments");
    }
    // The instance still works.
    instance.take_violations();
    effect.take_violations();
    let rendered = instance.render(30.0, &RenderOptions::default());
    assert!(rendered.bytes != untouched(30, Depth::Float));
    instance.assert_clean();
}

/// A user can send the log file: it names the host, and has every message and failure.
#[test]
fn the_log_file_names_the_host_and_has_every_problem() {
    let plugin = open_plugin(HostOptions::named("AHostForTheLog"));
    let effect = plugin.start(Context::Filter);
    let instance = speaking(&effect, Context::Filter);
    instance.set("audio", "/nowhere/for-the-log.wav");
    instance.render(30.0, &RenderOptions::default());
    let action = c"OfxImageEffectActionRender";
    let failed = instance.raw(Some(action), RawHandle::Own, None, None);
    assert!(!failed.is_ok());
    let log = log_text();
    for part in [
        "AHostForTheLog",
        "/nowhere/for-the-log.wav",
        "OfxImageEffectActionRender: the render action has no time",
    ] {
        assert!(log.contains(part), "{part} is not in:\n{log}");
    }
}
