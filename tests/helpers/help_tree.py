"""LibreOffice help pages of the true shape, as the Debian packages have them, for tests."""

from collections.abc import Mapping

FOLDERS = {"en": "en-US", "de": "de", "es": "es", "fr": "fr"}

PAGE = """<!DOCTYPE html>
<html lang="{folder}" dir="ltr">
<head>
<base href="../../../../">
<title>General</title>
<script type="text/javascript" src="{folder}/bookmarks.js" defer></script>
</head>
<body>
<header id="TopLeftHeader"><a class="logo" href="x"><p dir="auto">LibreOffice 7.4 Help</p></a></header>
<div id="DisplayArea" itemprop="softwareHelp" itemscope="true">
      <a name="bm_id3147211"></a>
{elements}
</div>
<footer><p id="bm_module" dir="auto"></p></footer>
</body>
</html>
"""


def element(name: str, inner: str, css: str = "paragraph") -> str:
    """A paragraph, or for names `hd_...` a heading."""
    if name.startswith("hd_"):
        return f'      <h2 id="{name}" dir="auto">{inner}</h2>'
    return f'      <p id="{name}" class="{css}" dir="auto">{inner}</p>'


def page_files(page: str, elements: Mapping[str, list[str]]) -> dict[str, str]:
    """Contents by path within a package root, for `page` such as swriter/01/05040500, with `elements` by language."""
    return {
        f"usr/share/libreoffice/help/{FOLDERS[language]}/text/{page}.html": PAGE.format(
            folder=FOLDERS[language], elements="\n".join(lines)
        )
        for language, lines in elements.items()
    }


def plain_page(page: str, texts: Mapping[str, list[str]]) -> dict[str, str]:
    """A page of plain paragraphs: text n of every language is that of par_idn."""
    return page_files(
        page,
        {
            language: [element(f"par_id{number}", text) for number, text in enumerate(lines)]
            for language, lines in texts.items()
        },
    )
