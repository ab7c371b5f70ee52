"""Running the steps that are not current: order, kernels, progress, workflow managers."""

import sys

# jsonschema, and so nbformat, would spend two seconds to make a grammar of internet addresses from
# this package; no notebook needs that, and jsonschema does without it where it is not installed
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
