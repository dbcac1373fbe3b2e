"""The whole recipe: each training step is given the rights, and finished steps are not run again.

From models/: python -m unittest tests.test_recipe
"""
import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import recipe
from data import files


class Recipe(unittest.TestCase):
    def options(self, folder, *more):
        return ["--data", folder, "--out", folder, "--rights", "cleared", "--scale", "0.5", *more]

    def test_nothing_is_trained_without_the_rights(self):
        with tempfile.TemporaryDirectory() as folder:
            arguments = recipe.parse(self.options(folder))
            for step in recipe.steps(arguments):
                command = recipe.complete(step, arguments)
                free = step.name in ("heads", "negatives", "unpaired")      # read packed clips, or no data
                self.assertEqual(command[-2:] == ["--rights", "cleared"], not free, step.name)
                self.assertTrue(command[1] == "-m" or Path(command[1]).exists(), command[1])
            # The cleared data has too few people for it.
            self.assertNotIn("recognition", [step.name for step in recipe.steps(arguments)])
            self.assertIn("recognition", recipe.step_names())
            mesh = next(step for step in recipe.steps(arguments) if step.name == "mesh")
            command = recipe.complete(mesh, arguments)
            self.assertEqual(command[command.index("--minutes") + 1], "20")

    def test_lips_close_in_voices_that_tell_when(self):
        texts = ["--text", "en-us=a.txt", "--text", "flite=a.txt", "--text", "festival:cmu=a.txt"]
        with tempfile.TemporaryDirectory() as folder:
            arguments = recipe.parse(self.options(folder, *texts))
            commands = {step.name: recipe.complete(step, arguments) for step in recipe.steps(arguments)}
        given = lambda step: [part for part in commands[step] if part.endswith("a.txt")]
        self.assertEqual(given("speech"), ["en-us=a.txt", "flite=a.txt", "festival:cmu=a.txt"])
        self.assertEqual(given("shape"), ["en-us=a.txt"])

    def test_finished_steps_are_not_run_again(self):
        with tempfile.TemporaryDirectory() as folder:
            files.write_json(Path(folder) / "recipe.json", {"heads": 1, "prepare": 2})
            ran = []
            with mock.patch.object(recipe, "run", ran.append):
                recipe.main(self.options(folder, "--only", "prepare", "mesh", "shape"))
            self.assertEqual([Path(command[1]).name for command in ran], ["train_mesh.py", "train_shape.py"])
            self.assertEqual(set(files.read_json(Path(folder) / "recipe.json")), {"heads", "prepare", "mesh", "shape"})
            with self.assertRaisesRegex(SystemExit, "before these steps: negatives"):
                with mock.patch.object(recipe, "run", ran.append):
                    recipe.main(self.options(folder, "--only", "mesh", "--bundle", folder))

    def test_an_unknown_step_is_named(self):
        with contextlib.redirect_stderr(io.StringIO()) as text, self.assertRaises(SystemExit):
            recipe.parse(self.options("x", "--only", "mesh", "paint"))
        self.assertIn("no such step: paint", text.getvalue())


if __name__ == "__main__":
    unittest.main()
