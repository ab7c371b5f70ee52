"""Figures, and text that would run if a page inserted it as HTML."""

import matplotlib.pyplot as plt
import nbformat
import numpy as np

RUNS = "<script>document.title = 'ran'</script><img src=x onerror=\"document.title='ran'\">"
MARKDOWN = f"""# Quality & <b>control</b>

Which cells to *trust*. {RUNS} [a link](javascript:document.title='ran')
![a picture](http://127.0.0.1:9/tracker.png)

| a | b |
|---|--:|
| 1 | 2 |
"""
TABLE = f"""<style>td {{color: red}}</style><div>Before {RUNS}</div>
<table onclick="document.title='ran'"><tr><th>gene</th><th colspan="2">count &amp; more</th></tr>
<tr><td>{RUNS}CD3E</td><td>1</td><td>2</td></tr></table>after</table></div></main>"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"
onload="document.title='ran'"><rect width="40" height="20" fill="teal"/>
<script>parent.document.title = 'ran'</script></svg>"""


def drawn(size=(4, 3), noise=0):
    """Return a matplotlib figure; if `noise` is set, one that compresses badly."""
    figure, axes = plt.subplots(figsize=size, dpi=100)
    random = np.random.default_rng(0)
    axes.imshow(random.random((noise, noise)), interpolation="none") if noise else axes.plot([1, 2])
    plt.close(figure)
    return figure


def outputs():
    """Return notebook outputs, some of which would run if a page trusted their MIME type."""
    new = nbformat.v4.new_output
    return [
        new("stream", text=f"\x1b[31mred\x1b[0m {RUNS}\n10%\r100%\n"),
        new("display_data", data={"text/html": TABLE, "text/plain": "a table"}),
        new("display_data", data={"text/html": RUNS, "text/plain": "not html"}),
        new("display_data", data={"application/javascript": "document.title = 'ran'"}),
        new("display_data", data={"image/svg+xml": SVG}),
        new("display_data", data={"text/markdown": MARKDOWN}),
        new(
            "error", ename="ValueError", evalue=RUNS, traceback=[f"\x1b[1mValueError\x1b[0m {RUNS}"]
        ),
    ]
