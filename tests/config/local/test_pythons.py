import sys

import pytest

from config.local import pythons


class TestIsSuitable:
    @pytest.mark.parametrize(
        ("version", "answer"),
        [((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False), ((2, 7), False)],
    )
    def test_takes_3_11_to_3_14(self, version, answer):
        assert pythons.is_suitable(version) is answer


class TestFindOnPath:
    def test_passes_over_a_stand_in_that_only_complains(self, tmp_path):
        stand_in = tmp_path / "python3.14"
        stand_in.write_text("#!/bin/sh\necho 'python3.14: command not found' >&2\nexit 127\n")
        stand_in.chmod(0o755)
        assert pythons.find_on_path({"PATH": str(tmp_path)}) is None

    def test_passes_over_a_file_with_the_name_of_another_version(self, tmp_path):
        other = 14 if sys.version_info[1] != 14 else 13
        (tmp_path / f"python3.{other}").symlink_to(sys.executable)
        assert pythons.find_on_path({"PATH": str(tmp_path)}) is None

    def test_finds_one_that_runs(self, tmp_path):
        real = tmp_path / f"python3.{sys.version_info[1]}"
        real.symlink_to(sys.executable)
        assert pythons.find_on_path({"PATH": f"/nowhere:{tmp_path}"}) == str(real)


class TestNoneFound:
    def test_names_what_is_needed_and_what_is_there(self):
        told = pythons.none_found((3, 9))
        assert "3.11 to 3.14 is needed, but this is 3.9" in told
        assert "\n" not in told
