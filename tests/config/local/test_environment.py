from config.local import environment


class TestCleaned:
    def test_drops_what_would_lead_python_and_pip_astray(self):
        poison = {
            "PIP_USER": "1",
            "PIP_TARGET": "/elsewhere",
            "PIP_PREFIX": "/elsewhere",
            "PYTHONPATH": "/elsewhere",
            "PYTHONHOME": "/elsewhere",
            "DJANGO_SETTINGS_MODULE": "elsewhere",
        }
        kept = environment.cleaned(poison)
        assert kept.pop("PIP_USER") == "0"
        assert not kept.keys() & poison.keys()

    def test_keeps_where_packages_come_from(self):
        chosen = {"PIP_INDEX_URL": "https://packages.example/simple", "PIP_CERT": "/a.pem", "PATH": "/bin"}
        assert environment.cleaned(chosen).items() >= chosen.items()

    def test_speaks_utf8(self):
        assert environment.cleaned({"LANG": "xx_XX"})["PYTHONUTF8"] == "1"

    def test_reaches_this_machine_without_a_proxy(self):
        kept = environment.cleaned({"no_proxy": "example.com,localhost", "NO_PROXY": "*"})
        assert kept["no_proxy"] == "example.com,localhost,127.0.0.1,::1"
        assert kept["NO_PROXY"] == "*"

    def test_means_the_same_local_folder_from_everywhere(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert environment.cleaned({"LOCAL_DIR": "here"})["LOCAL_DIR"] == str(tmp_path / "here")

    def test_keeps_variables_of_libpq_only_beside_an_address(self):
        chosen = {"PGPASSWORD": "x", "PGSSLMODE": "require"}
        assert not environment.cleaned(chosen).keys() & chosen.keys()
        given = {**chosen, "DATABASE_URL": "postgresql://db.example/meterbook"}
        assert environment.cleaned(given).items() >= chosen.items()
        assert not environment.cleaned({**chosen, "DATABASE_URL": " "}).keys() & chosen.keys()
