"""Files that scripts in R and shell, and shell lines of notebooks, read and write."""

import re
from collections.abc import Iterator
from functools import partial

from .places import HOLE, Place, has_file_suffix

# whether a script writes a file (None if unknown), the file, and the line
FileUse = tuple[bool | None, Place, str]

WRITES_R = re.compile(
    r"(?:write[.\w]*|fwrite|saveRDS|save|ggsave|pdf|png|svg|tiff|jpeg|sink|writeMM|"
    r"dir\.create|export|qsave|SaveH5Seurat|h5write|saveWorkbook|write_\w+|cat)$"
)
READS_R = re.compile(
    r"(?:read[.\w]*|fread|load|scan|import|qread|vroom|Read10X\w*|Load\w+|h5read|source|"
    r"readRDS|readMM|open_dataset|read_\w+|file\.exists)$"
)
WRITES_JULIA = re.compile(r"(?:write\w*|save\w*|jldsave|jldopen|serialize|export\w*)$")
READS_JULIA = re.compile(r"(?:read\w*|load\w*|deserialize|include|isfile|File|Table)$")
HERE_JULIA = re.compile(r"pwd\(\)|@__DIR__")
SUM_JULIA = re.compile(r"(\"[^\"]*\"|\b[A-Za-z_]\w*)\s*\*\s*(\"[^\"]*\")")
STRING = re.compile(r""""((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'""")
FILE_PATH = re.compile(r"file\.path\(((?:\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*,?)+)\)")
# calls that join strings and variables into a path
JOINED = re.compile(r"(?<![\w.])(file\.path|joinpath|paste0|here(?:::here)?)\(([^()]*)\)")
ASSIGNED = re.compile(r"^\s*([A-Za-z.][\w.]*)\s*(?:<-|=)\s*(\"[^\"\n]*\"|'[^'\n]*')\s*;?\s*$")
NAME = re.compile(r"(?<![\w.\"'/$@])[A-Za-z.][\w.]*(?![\w.]*\s*[(\w])")
# a path with a folder or a suffix, and not a URL
LIKE = re.compile(r"(?![a-z]+://)(?:[^\s]*[/\\][^\s]*[\w]|[^\s/\\]+)\.\w{1,8}(?:\.gz)?$")
PROGRAMS = (".py", ".R", ".r", ".sh", ".ipynb", ".Rmd", ".smk", ".qmd", ".pl", ".jl", ".m")
COPY = frozenset("cp mv ln rsync install".split())
SHOW = frozenset(
    "cat head tail less more wc grep zgrep egrep awk gawk sed sort uniq cut zcat gzcat bzcat xzcat "
    "diff cmp md5sum sha256sum shasum jq unzip gunzip tar column paste join".split()
)
WRITE = frozenset("tee touch writefile".split())
SHELL_MAGICS = frozenset("bash sh script system sx !".split())
FILE_MAGICS = frozenset("writefile file".split())
SILENT = frozenset(
    "echo printf ls mkdir rm cd pushd popd pip conda mamba export set test load run".split()
)


def literal_files(source: str, language: str) -> Iterator[FileUse]:
    """Yield what a script does with each file whose path it spells out, and the line."""
    lines = [without_comment(line) for line in source.splitlines()]
    if language == "julia":
        lines = [HERE_JULIA.sub('"."', line) for line in lines]
        lines = [re.sub(r"\$\(?(\w+)\)?", r"{\1}", line) for line in lines]
    texts = _assigned(lines, language) if language != "shell" else {}
    for line, code in zip(source.splitlines(), lines, strict=True):
        uses = _in_r(code, texts, language) if language != "shell" else _in_shell(code)
        for writes, path in uses:
            place = _place(path)
            if not LIKE.match(place.text.replace(HOLE, "x")) or path.endswith(PROGRAMS):
                continue
            # `adj.P.Val` is a column
            if writes is not None or "/" in place.text or has_file_suffix(place):
                yield writes, place, line.strip()


def in_magics(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the language, the code and the line of magics that may read or write files."""
    name = lines[0][2:].split(" ")[0] if lines and lines[0].startswith("%%") else ""
    if name == "R":
        yield "r", "\n".join(lines[1:]), lines[0]
        return
    if name in FILE_MAGICS:
        lines = lines[:1]
    elif name and name not in SHELL_MAGICS:
        return
    for line in lines:
        text = line.strip().lstrip("!%")
        program = text.split(" ")[0]
        if line.strip()[:2] == "%R":
            yield "r", text.removeprefix("R"), line
        elif line.strip()[:1] != "%" or program in COPY | SHOW | WRITE or name:
            yield "shell", text, line


def spelled_out(source: str) -> set[str]:
    """Return the strings in R code that can be replaced in place."""
    codes = [FILE_PATH.sub(one_string, without_comment(line)) for line in source.splitlines()]
    return {a or b for code in codes for a, b in STRING.findall(code)}


def one_string(match: re.Match[str]) -> str:
    """Return `file.path("a", "b")` as one quoted string."""
    return '"' + "/".join(a or b for a, b in STRING.findall(match[1])) + '"'


def without_comment(line: str) -> str:
    """Return a line without its comment."""
    bare = STRING.sub(lambda match: "x" * len(match[0]), line)
    return line[: bare.index("#")] if "#" in bare else line


def _place(path: str) -> Place:
    """Return a path whose names in braces are holes."""
    holes = tuple(re.findall(r"\{([^{}]*)\}", path))
    text = re.sub(r"\{[^{}]*\}", HOLE, path).replace("\\\\", "/")
    return Place(text, holes, (None,) * len(holes))


# --- R ---


def _assigned(lines: list[str], language: str) -> dict[str, str]:
    """Return the variables that are assigned one string, and nothing else."""
    assigned: dict[str, list[str]] = {}
    for line in lines:
        known_texts = {
            name: texts[0] for name, texts in assigned.items() if len(texts) == 1 and texts[0]
        }
        match = ASSIGNED.match(_put_together(line, known_texts, language))
        assignment = re.match(r"\s*([A-Za-z.][\w.]*)\s*(?:<-|=)(?!=)", line)
        if match or assignment:
            name = (match or assignment)[1]  # type: ignore[index]
            assigned.setdefault(name, []).append(match[2][1:-1] if match else "")
    return {name: texts[0] for name, texts in assigned.items() if len(texts) == 1 and texts[0]}


def _in_r(line: str, texts: dict[str, str], language: str) -> Iterator[tuple[bool | None, str]]:
    line = _put_together(line, texts, language)
    if not ASSIGNED.match(line):
        start = re.match(r"\s*[A-Za-z.][\w.]*\s*(?:<-|=)(?!=)", line)
        head = start[0] if start else ""
        rest = NAME.sub(lambda match: _quoted(match[0], texts), line[len(head) :])
        line = head + rest
    for match in STRING.finditer(line):
        yield _does(line[: match.start()], language), match[1] or match[2] or ""


def _put_together(line: str, texts: dict[str, str], language: str) -> str:
    """Return a line in which joined strings are merged into one."""
    line = JOINED.sub(partial(_joined, texts=texts), line)
    return SUM_JULIA.sub(partial(_summed, texts=texts), line) if language == "julia" else line


def _quoted(name: str, texts: dict[str, str]) -> str:
    return f'"{texts[name]}"' if name in texts else name


def _joined(match: re.Match[str], texts: dict[str, str]) -> str:
    """Return `paste0(folder, "/x.csv")` as one text, in which unknown names are in braces."""
    parts = []
    for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^,]+", match[2]):
        argument = part.strip()
        if not argument or re.match(r"(?:sep|collapse|fsep)\s*=", argument):
            continue
        literal = argument[1:-1] if argument[0] in "\"'" else texts.get(argument)
        parts.append(
            literal if literal is not None else "{" + re.sub(r"[{}\"']", "", argument) + "}"
        )
    return '"' + ("" if match[1] == "paste0" else "/").join(parts) + '"'


def _summed(match: re.Match[str], texts: dict[str, str]) -> str:
    """Return `folder * "/x.csv"` of Julia as one text."""
    first = match[1]
    before = first[1:-1] if first[0] == '"' else texts.get(first, f"{{{first}}}")
    return f'"{before}{match[2][1:]}'


def _does(before: str, language: str) -> bool | None:
    """Tell whether the innermost call that is open before a string writes; None if unknown."""
    open_calls: list[str] = []
    for token in re.finditer(r"([\w.]+(?:::+[\w.]+)?)?\s*(\()|(\))", STRING.sub('""', before)):
        if token[2]:
            open_calls.append(token[1] or "")
        elif open_calls:
            open_calls.pop()
    last = (open_calls[-1] if open_calls else "").rpartition(":")[2]
    if language == "julia":
        last = last.rpartition(".")[2]  # `CSV.write`
        return True if WRITES_JULIA.match(last) else False if READS_JULIA.match(last) else None
    if WRITES_R.match(last):
        # only `cat(…, file = "x")` writes
        return True if last != "cat" or re.search(r"file\s*=\s*$", before) else None
    return False if READS_R.match(last) else None


# --- shell ---


def _in_shell(line: str) -> Iterator[tuple[bool | None, str]]:
    line = re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda match: f"{{{match[1] or match[2]}}}", line)
    for command in re.split(r"\|\|?|&&|;", line):
        yield from _of_command(re.findall(r">>?|<|\"[^\"]*\"|'[^']*'|[^\s<>]+", command))


def _of_command(words: list[str]) -> Iterator[tuple[bool | None, str]]:
    program = next((w for w in words if "=" not in w and w != "sudo"), "").lstrip("%!")
    program = program.rpartition("/")[2]
    before, files, folder = "", [], ""
    for word in words[1:]:
        bare = word.strip("\"'")
        path = bare.rpartition("=")[2] if bare.startswith("-") else bare
        is_path = not word.startswith(("#", ">", "<")) and "://" not in path and path[:1] != "-"
        if before in (">", ">>"):
            yield True, path
        elif before == "<":
            yield False, path
        elif _is_output(before) or (_is_output(bare) and bare != path):
            yield True, path
        elif before == "-P" and program == "wget":
            folder = path
        elif is_path and word not in (">", ">>", "<"):
            files.append(path)
        before = word
    urls = [word.strip("\"'") for word in words if "://" in word]
    yield from ((True, f"{folder}/{url.rpartition('/')[2]}") for url in urls if folder)
    if program in COPY and len(files) > 1:
        *sources, target = files
        yield from ((False, path) for path in sources)
        names = [path.rpartition("/")[2] for path in sources]
        is_file = LIKE.match(_place(target).text.replace(HOLE, "x"))
        yield from ((True, target if is_file else f"{target.rstrip('/')}/{n}") for n in names)
    elif program not in SILENT:
        does = False if program in SHOW else True if program in WRITE else None
        yield from ((does, path) for path in files)


def _is_output(option: str) -> bool:
    return option.partition("=")[0] in ("-o", "-O", "--output", "--out", "--outfile")
