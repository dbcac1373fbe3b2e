#!/usr/bin/env python3
"""What a release contains: the licences of all crates, and a software bill of materials.

    inventory.py TARGET FOLDER [--component NAME VERSION LICENCE FILE]... [--text TITLE FILE]...

Writes FOLDER/LICENSES-THIRD-PARTY.txt and FOLDER/sbom.cdx.json (CycloneDX 1.5). Crates are those that are
compiled into the library, the command line and the effect for TARGET: no build scripts, procedural
macros or tests. --component adds a file that is not a crate (ONNX Runtime) to the bill; --text adds a
licence text. A licence that deny.toml does not allow is an error. So is a crate without a licence file, unless
another crate of its repository has one, or its licence has a text in this repository.
"""

import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ("stylelipsync", "stylelipsync-cli", "stylelipsync-ofx")
# By the SPDX expression: the text for a crate that brings none.
OWN_TEXTS = {"MIT": "LICENSE-MIT", "Apache-2.0": "LICENSE-APACHE"}
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)", re.I)


def metadata(target):
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    for platform in platforms(target):
        command += ["--filter-platform", platform]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def platforms(target):
    if target == "universal-apple-darwin":
        return ["aarch64-apple-darwin", "x86_64-apple-darwin"]
    return [target]


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def compiled(data):
    """The packages that are compiled in, by their id, each with the ids of what it uses."""
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    todo = [key for key, package in packages.items() if package["name"] in SHIPPED]
    uses = {}
    while todo:
        key = todo.pop()
        if key in uses:
            continue
        normal = [
            dependency["pkg"]
            for dependency in nodes[key]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
        uses[key] = [used for used in normal if not is_macro(packages[used])]
        todo += uses[key]
    found = sorted(uses, key=lambda key: (packages[key]["name"], packages[key]["version"]))
    return [packages[key] for key in found], uses


def checksums():
    """SHA-256 of each crate's archive, by name and version, from Cargo.lock."""
    lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
    entry = r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"'
    return {(name, version): checksum for name, version, checksum in re.findall(entry, lock)}


def spdx(package):
    return (package["license"] or "NOASSERTION").replace("/", " OR ")


def is_allowed(expression, allowed):
    """Whether an SPDX expression holds with the licences `allowed`."""
    tokens = re.findall(r"[()]|[^\s()]+(?:\s+WITH\s+[^\s()]+)?", expression)

    def either():
        holds = both()
        while tokens[:1] == ["OR"]:
            tokens.pop(0)
            holds = both() or holds
        return holds

    def both():
        holds = one()
        while tokens[:1] == ["AND"]:
            tokens.pop(0)
            holds = one() and holds
        return holds

    def one():
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        holds = either()
        tokens.pop(0)
        return holds

    return either()


def check_licences(packages):
    allowed = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"]
    wrong = [package for package in packages if not is_allowed(spdx(package), allowed)]
    for package in wrong:
        print(f"{package['name']} {package['version']}: {spdx(package)} is not in deny.toml", file=sys.stderr)
    if wrong:
        sys.exit(1)


def text_of(file):
    return file.read_text(encoding="utf-8", errors="replace").strip()


def write_text(path, text):
    """The same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def licence_files(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    files = [file for file in sorted(folder.iterdir()) if LICENCE_FILE.match(file.name) and file.is_file()]
    files += [file for file in sorted(folder.glob("[Ll][Ii][Cc][Ee][Nn][Ss][Ee]*/*")) if file.is_file()]
    return [text_of(file) for file in files]


def licence_texts(package, packages):
    # A crate without a licence file has that of another crate of the same repository.
    same = [other for other in packages if other["repository"] == package["repository"] is not None]
    for other in [package, *(other for other in same if other["license"] == package["license"])]:
        if texts := licence_files(other):
            return texts
    for name, file in OWN_TEXTS.items():
        if name in re.split(r"[^\w.-]+", spdx(package)):
            text = text_of(ROOT / file)
            authors = ", ".join(package["authors"]) or f"the authors of {package['name']}"
            return [re.sub(r"Copyright \(c\).*", f"Copyright (c) {authors}", text)]
    sys.exit(f"{package['name']} {package['version']}: no licence file, and {spdx(package)} has no text here")


def write_licences(packages, texts, path):
    by_text = {}
    for package in packages:
        if package["source"] is None:
            continue
        for text in licence_texts(package, packages):
            # MPL-2.0 asks that users are told where the source is.
            source = f", source: {package['repository']}" if package["repository"] else ""
            title = f"{package['name']} {package['version']} ({spdx(package)}){source}"
            by_text.setdefault(text, []).append(title)
    for title, file in texts:
        by_text.setdefault(text_of(pathlib.Path(file)), []).append(title)
    rule = "=" * 100
    parts = ["Software of others in this package, and its licences."]
    for text, names in sorted(by_text.items(), key=lambda item: item[1]):
        parts.append(f"{rule}\n" + "\n".join(names) + f"\n{rule}\n\n{text}")
    write_text(path, "\n\n".join(parts) + "\n")
    return len(by_text)


def component(package, sums):
    name, version = package["name"], package["version"]
    entry = {
        "type": "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "licenses": [{"expression": spdx(package)}],
        "purl": f"pkg:cargo/{name}@{version}",
    }
    if (name, version) in sums:
        entry["hashes"] = [{"alg": "SHA-256", "content": sums[name, version]}]
    return entry


def write_bill(packages, uses, extra, target, path):
    sums = checksums()
    refs = {package["id"]: f"pkg:cargo/{package['name']}@{package['version']}" for package in packages}
    version = next(package["version"] for package in packages if package["name"] == "stylelipsync")
    top = {"type": "application", "bom-ref": "libstylelipsync", "name": "libstylelipsync", "version": version}
    components = [component(package, sums) for package in packages]
    others = []
    for name, number, licence, file in extra:
        content = hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()
        others.append(name)
        components.append(
            {
                "type": "library",
                "bom-ref": name,
                "name": name,
                "version": number,
                "licenses": [{"license": {"id": licence}}],
                "hashes": [{"alg": "SHA-256", "content": content}],
            }
        )
    shipped = [refs[package["id"]] for package in packages if package["name"] in SHIPPED]
    graph = [{"ref": top["bom-ref"], "dependsOn": sorted(shipped + others)}]
    graph += [{"ref": refs[key], "dependsOn": sorted({refs[use] for use in used})} for key, used in uses.items()]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": top, "properties": [{"name": "target", "value": target}]},
        "components": components,
        "dependencies": sorted(graph, key=lambda node: node["ref"]),
    }
    # Made from the content, so that the same release has the same bill.
    content = json.dumps(bill, sort_keys=True)
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    write_text(path, json.dumps(bill, indent=1, sort_keys=True) + "\n")
    return len(components)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("folder", type=pathlib.Path)
    names = ("NAME", "VERSION", "LICENCE", "FILE")
    parser.add_argument("--component", nargs=4, action="append", default=[], metavar=names)
    parser.add_argument("--text", nargs=2, action="append", default=[], metavar=("TITLE", "FILE"))
    given = parser.parse_args()
    packages, uses = compiled(metadata(given.target))
    check_licences(packages)
    texts = write_licences(packages, given.text, given.folder / "LICENSES-THIRD-PARTY.txt")
    parts = write_bill(packages, uses, given.component, given.target, given.folder / "sbom.cdx.json")
    print(f"{texts} licence texts, {parts} components")


if __name__ == "__main__":
    main()
