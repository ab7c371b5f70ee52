"""Files that scripts in R and shell read and write, where their names are literal."""

import re
from collections.abc import Iterator

WRITES_R = re.compile(
    r"(?:write[.\w]*|fwrite|saveRDS|save|ggsave|pdf|png|svg|tiff|jpeg|sink|writeMM|"
    r"dir\.create|export|qsave|SaveH5Seurat|h5write)$"
)
CALL = re.compile(r"([\w.]+(?:::+[\w.]+)?)\s*\(")
STRING = re.compile(r""""((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'""")
FILE_PATH = re.compile(r"file\.path\(((?:\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*,?)+)\)")
FILE = re.compile(r"[^\s\"'<>|;&()$`*?{}]+")
# a folder or a suffix, and no address of a page
LIKE = re.compile(r"(?![a-z]+://)(?:[^\s]*[/\\][^\s]*[\w]|[^\s/\\]+)\.\w{1,6}(?:\.gz)?$")
PROGRAMS = (".py", ".R", ".r", ".sh", ".ipynb", ".Rmd", ".smk")


def literal_files(source: str, language: str) -> Iterator[tuple[bool, str, str]]:
    """Yield whether a script writes a file, its literal path, and the line."""
    for line in source.splitlines():
        code = without_comment(line)
        found = _in_r(code) if language != "shell" else _in_shell(code)
        for writes, path in found:
            if LIKE.match(path) and not path.endswith(PROGRAMS):
                yield writes, path.replace("\\\\", "/"), line.strip()


def _in_r(line: str) -> Iterator[tuple[bool, str]]:
    line = FILE_PATH.sub(one_string, line)
    for found in STRING.finditer(line):
        yield _is_written(line[: found.start()]), found[1] or found[2] or ""


def one_string(found: re.Match[str]) -> str:
    """Return the one text of `file.path("a", "b")`, in quotes."""
    return '"' + "/".join(a or b for a, b in STRING.findall(found[1])) + '"'


def _is_written(before: str) -> bool:
    """Tell whether the innermost call that is open at the end of a line's beginning writes."""
    open_calls: list[str] = []
    last = ""
    for token in re.finditer(r"([\w.]+(?:::+[\w.]+)?)?\s*(\()|(\))", STRING.sub('""', before)):
        if token[2]:
            open_calls.append(token[1] or "")
        elif open_calls:
            open_calls.pop()
    last = open_calls[-1] if open_calls else ""
    return bool(WRITES_R.match(last.rpartition(":")[2]))


def _in_shell(line: str) -> Iterator[tuple[bool, str]]:
    before = ""
    for word in re.findall(r">>?|\||[^\s>|]+", line):
        path = word.strip("\"'").rpartition("=")[2].strip("\"'")
        option = word if word.startswith("-") else ""
        if FILE.fullmatch(path) and not word.startswith("#"):
            yield before in (">", ">>") or _is_output(before) or _is_output(option), path
        before = word


def _is_output(option: str) -> bool:
    return option.partition("=")[0] in ("-o", "-O", "--output", "--out", "--outfile")


def without_comment(line: str) -> str:
    """Return a line without its comment."""
    bare = STRING.sub(lambda found: "x" * len(found[0]), line)
    return line[: bare.index("#")] if "#" in bare else line
