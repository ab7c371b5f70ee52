"""Names of `project_under_test` for tests that still use functions."""

from project_under_test import ANSWERS, REAL_DATA, TEMPLATE, ProjectUnderTest, arguments, generate

__all__ = ["ANSWERS", "REAL_DATA", "TEMPLATE", "Baked", "arguments", "files", "generate", "record"]

Baked = ProjectUnderTest
record = ProjectUnderTest.record
files = ProjectUnderTest.files
