"""The Jinja extension that `cookiecutter.json` names: the filters of this version of the template.

Early versions named `answer_filters` there and left it in memory. If cruft generates such a version
and this one in the same process, Python would reuse the old module for this one.
"""

import sys

for module in [name for name in sys.modules if name.startswith("answer_") and name != __name__]:
    del sys.modules[module]

from answer_filters import AnswerFilters  # noqa: E402

__all__ = ["AnswerFilters"]
