#!/usr/bin/env python3
"""What a shared library or program exports and needs, and whether it names paths of this machine.

    binary.py exports FILE            the exported names, one a line
    binary.py check FILE [PREFIX]...  fails for an import that no system of that kind has, for a path of
                                      this machine, and for an export without one of the prefixes
    binary.py glibc FILE...           the newest version of glibc that Linux files need
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

# What every system has. MSVC: the C runtime is linked statically, see the workflow file.
ALLOWED = {
    "pe": r"(kernel32|ntdll|msvcrt|userenv|ws2_32|advapi32|bcrypt|bcryptprimitives|dbghelp|ole32|shell32"
    r"|api-ms-win-[a-z0-9-]+)\.dll",
    "elf": r"(libc|libm|libgcc_s|libpthread|libdl)\.so\.[0-9]+|ld-linux-[a-z0-9-]+\.so\.[0-9]+",
    "macho": r"(/usr/lib/|/System/Library/).*|@rpath/(libstylelipsync\.1\.dylib|StyleLipSync\.ofx)",
}


def kind(file):
    with open(file, "rb") as stream:
        start = stream.read(8)
    if start[:2] == b"MZ":
        return "pe"
    if start[:4] == b"\x7fELF":
        return "elf"
    if start[:4] in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"):
        return "macho"
    if start == b"!<arch>\n":
        return "archive"
    sys.exit(f"{file}: neither a program nor a library")


def tool(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True, errors="replace").stdout


def pe_table(file):
    objdump = shutil.which("x86_64-w64-mingw32-objdump") or "objdump"
    return tool(objdump, "-p", file)


def exports(file):
    match kind(file):
        case "pe":
            table = pe_table(file).partition("[Ordinal/Name Pointer] Table")[2]
            return re.findall(r"^\s*\[\s*\d+\](?:\s*\+base\[\s*\d+\]\s+[0-9a-f]+)?\s+(\w+)$", table, re.M)
        case "elf":
            lines = tool("nm", "--dynamic", "--defined-only", file).splitlines()
            return [line.split()[-1] for line in lines]
        case "macho":
            lines = tool("nm", "-gU", file).splitlines()
            return sorted({line.split()[-1].removeprefix("_") for line in lines if len(line.split()) == 3})
    return []


def imports(file):
    match kind(file):
        case "pe":
            return {name.lower() for name in re.findall(r"DLL Name: (\S+)", pe_table(file))}
        case "elf":
            return set(re.findall(r"^\s*NEEDED\s+(\S+)", tool("objdump", "-p", file), re.M))
        case "macho":
            lines = tool("otool", "-L", file).splitlines()
            return {line.split()[0] for line in lines if line.startswith("\t")}
    return set()


def machine_paths():
    root = pathlib.Path(__file__).resolve().parents[2]
    home = pathlib.Path.home()
    cargo = os.environ.get("CARGO_HOME", home / ".cargo")
    paths = {str(path) for path in (root, home / ".cargo", home / ".rustup", cargo)}
    return sorted(paths | {path.replace("\\", "/") for path in paths} | {"/usr/src/rustc-"})


def check(file, prefixes):
    found = []
    content = pathlib.Path(file).read_bytes()
    found += [f"names {path}" for path in machine_paths() if path.encode() in content]
    of = kind(file)
    if of != "archive":
        found += [f"needs {name}" for name in sorted(imports(file)) if not re.fullmatch(ALLOWED[of], name)]
    if prefixes:
        names = exports(file)
        found += [f"exports {name}" for name in names if not name.startswith(tuple(prefixes))]
        if not names:
            found.append("exports nothing")
    for problem in found:
        print(f"{file}: {problem}", file=sys.stderr)
    if of != "archive":
        print(f"{os.path.basename(file)}: needs {', '.join(sorted(imports(file)))}")
    return not found


def glibc(files):
    tables = "".join(tool("objdump", "-T", file) for file in files)
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([0-9.]+)", tables)}
    return ".".join(map(str, max(versions)))


def main():
    match sys.argv[1:]:
        case ["exports", file]:
            print("\n".join(exports(file)))
        case ["check", file, *prefixes]:
            sys.exit(0 if check(file, prefixes) else 1)
        case ["glibc", *files] if files:
            print(glibc(files))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
