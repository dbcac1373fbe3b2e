"""The files under models/: no import cycle, no long function, commands that explain themselves.

From models/: python -m unittest tests.test_structure
"""
import ast
import contextlib
import importlib
import io
import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

MODELS = Path(__file__).parent.parent
LONGEST = 80                                    # lines of a function
FILES = sorted(p for p in MODELS.rglob("*.py") if "tests" not in p.parts)


def module_of(path):
    """`data.mel` for data/mel.py. Files of head/ import each other by their plain names, but are named as the rest."""
    return ".".join(path.relative_to(MODELS).with_suffix("").parts).removesuffix(".__init__")


def imports(path, names):
    """Modules among `names` that a file imports anywhere, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            asked = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            asked = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in asked:
            own = f"{module_of(path.parent)}.{name}" if path.parent != MODELS else name
            found |= {candidate for candidate in (name, own) if candidate in names}
    return found - {module_of(path)}


def cycle(graph):
    """The modules of one import cycle of {module: modules that it imports}, in order; [] if there is none."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return path[path.index(module):] + [module]
        if module in done:
            return []
        path.append(module)
        for imported in sorted(graph[module]):
            if found := visit(imported):
                return found
        path.pop()
        done.add(module)
        return []
    return next((found for module in sorted(graph) if (found := visit(module))), [])


class Structure(unittest.TestCase):
    def test_no_file_cycle(self):
        names = {module_of(path) for path in FILES}
        graph = {module_of(path): imports(path, names) for path in FILES}
        self.assertEqual(" -> ".join(cycle(graph)), "")
        self.assertIn("train_mesh", graph["train_generator"])           # the graph is not empty
        self.assertIn("head.shading", graph["head.render"])
        self.assertIn("data.mel", graph["data.sync"])

    def test_a_cycle_is_found(self):
        self.assertEqual(cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}), ["b", "c", "b"])
        self.assertEqual(cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}), [])

    def test_functions_are_short(self):
        long = [f"{module_of(path)}.{node.name}: {node.end_lineno - node.lineno + 1} lines"
                for path in FILES for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > LONGEST]
        self.assertEqual(long, [])

    def test_lints(self):
        ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
        if not ruff:
            self.skipTest("ruff is not installed")
        answer = subprocess.run([ruff, "check", "--no-cache", str(MODELS)], capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)


class Help(unittest.TestCase):
    """Each command that the README names parses --help."""

    MISSING = {"matplotlib", "mediapipe", "onnxruntime", "PIL", "numba", "scipy", "hama"}     # of single commands

    def test_help(self):
        commands = [path for path in FILES if "def main(" in path.read_text() and path.parent.name != "head"]
        self.assertGreater(len(commands), 15)
        for path in commands:
            with self.subTest(command=module_of(path)):
                try:
                    module = importlib.import_module(module_of(path))
                except ModuleNotFoundError as error:
                    if error.name not in self.MISSING:
                        raise
                    self.skipTest(f"{error.name} is not installed")
                text = io.StringIO()
                with (mock.patch.object(sys, "argv", [path.name, "--help"]), contextlib.redirect_stdout(text),
                      self.assertRaises(SystemExit) as end):
                    module.main()
                self.assertEqual(end.exception.code, 0)
                self.assertIn("usage:", text.getvalue())


if __name__ == "__main__":
    unittest.main()
