"""Running the steps that are not current: order, kernels, progress, workflow managers."""

import sys

# With this package, jsonschema, which nbformat uses, would spend two seconds building a grammar of
# internet addresses that no notebook needs. Without it, jsonschema skips that.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
