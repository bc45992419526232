"""What the web process loads when it starts."""

import subprocess
import sys

STARTED = """
import sys
import config.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


class TestStart:
    def test_loads_no_library_that_only_exports_need(self):
        ran = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True)
        loaded = set(ran.stdout.split())
        assert "billing" in loaded
        assert loaded & {"pyarrow", "openpyxl", "xlsxwriter", "typst", "boto3"} == set()
