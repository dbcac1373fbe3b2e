//! What the effect's binary exports and what it needs, read from its ELF tables.
//! `packaging/windows/test` does the same for the Windows DLL.
#![cfg(target_os = "linux")]

use elf::ElfBytes;
use elf::abi::{DF_1_NODELETE, DF_SYMBOLIC, DT_FLAGS, DT_FLAGS_1, DT_NEEDED};
use elf::endian::NativeEndian;

use crate::support::*;

#[test]
fn only_the_entry_points_are_exported() {
    let bytes = std::fs::read(effect_file()).unwrap();
    let file = ElfBytes::<NativeEndian>::minimal_parse(&bytes).unwrap();
    let (symbols, names) = file.dynamic_symbol_table().unwrap().unwrap();
    let defined = symbols.iter().filter(|symbol| !symbol.is_undefined());
    let mut exported: Vec<_> = defined
        .map(|symbol| names.get(symbol.st_name as usize).unwrap())
        .collect();
    exported.sort_unstable();
    assert_eq!(
        exported,
        ["OfxGetNumberOfPlugins", "OfxGetPlugin", "OfxSetHost"]
    );
}

/// The binary needs the libraries of a C compiler and nothing else. `-Bsymbolic`: it uses its own
/// symbols, not those of other plug-ins. `-z nodelete`: it stays mapped, since ONNX Runtime keeps a
/// pointer to the log function.
#[test]
fn only_system_libraries_are_needed() {
    let bytes = std::fs::read(effect_file()).unwrap();
    let file = ElfBytes::<NativeEndian>::minimal_parse(&bytes).unwrap();
    let (_, names) = file.dynamic_symbol_table().unwrap().unwrap();
    let dynamic = file.dynamic().unwrap().unwrap();
    let (mut needed, mut flags, mut flags_1) = (Vec::new(), 0, 0);
    for entry in dynamic.iter() {
        match entry.d_tag {
            DT_NEEDED => needed.push(names.get(entry.d_val() as usize).unwrap()),
            DT_FLAGS => flags = entry.d_val() as i64,
            DT_FLAGS_1 => flags_1 = entry.d_val() as i64,
            _ => {}
        }
    }
    assert!(needed.iter().any(|name| name.starts_with("libc.so")));
    for name in needed {
        // `libc.so.6`, `ld-linux-x86-64.so.2`
        let stem = name.split(['.', '-']).next().unwrap();
        let system = ["libc", "libm", "libgcc_s", "libpthread", "libdl", "ld"];
        assert!(system.contains(&stem), "{name}");
    }
    assert!(flags & DF_SYMBOLIC != 0 && flags_1 & DF_1_NODELETE != 0);
}
