r"""An equation has one number, and LaTeX's words about numbers mean what they mean in LaTeX.

MyST numbers what stands in ``align`` and its like under a random name, and leaves ``\label``,
``\tag``, ``\notag`` and ``\eqref`` to MathJax. Here Sphinx numbers all of them. It gives a block
one number at most, so rows have none of their own, except for tags.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.math import MathDomain
from sphinx.util.nodes import make_refnode

from evergreen.pages import formulas, latex

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

NUMBER = "equation_number"
"""The attribute of a displayed formula with the number that it shows, without brackets."""

TAGS = "equation_tags"
"""What a page's metadata call its equations with a tag: the place and the tag, by label."""

_LABEL = re.compile(r"\s*\\label\s*\{([^{}]*)\}")
_TAG = re.compile(r"\s*\\tag\*?\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_NO_TAG = re.compile(r"\s*\\(?:notag|nonumber)(?![a-zA-Z])")
_REFERENCE = re.compile(r"\\(eqref|ref)\s*\{([^{}]*)\}")
_SIGNS = {r"\ast": "∗", r"\star": "⋆", r"\dagger": "†", r"\ddagger": "‡"}
# MyST takes matrices for equations too.
_NUMBERED = {"equation", "align", "alignat", "flalign", "gather", "multline", "eqnarray"}
_OF_ROWS = {"align", "alignat", "flalign", "gather", "eqnarray"}
_BARE = "equation-number"


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("doctree-read", _read)
    app.connect("missing-reference", _resolve_tag)
    # Once the formulas are written out (priority 400).
    app.connect("doctree-resolved", _show_numbers, priority=420)


def _read(app: Sphinx, doctree: nodes.document) -> None:
    """Count a page's equations anew, and make links of references in LaTeX."""
    env, name = app.env, app.env.docname
    domain = cast(MathDomain, env.get_domain("math"))
    authored = {label for label, (page, _) in domain.equations.items() if page == name}
    domain.clear_doc(name)
    domain.process_doc(env, name, doctree)
    tags: dict[str, tuple[str, str]] = {}
    count = 0
    for node in list(doctree.findall(nodes.math_block)):
        label = node.attributes.pop("label", None)
        if "amsmath" in node["classes"] or label not in authored:
            label = None  # a random one, or none
        _forget_target(node)
        node["number"], node["ids"] = None, []
        tagged = _take_tags(env, node, label)
        tags |= tagged
        node["anchors"] = [anchor for anchor, _tag in tagged.values()]
        numbered, label = _take_label(env, node, label)
        if numbered and NUMBER not in node and not node.get(formulas.TAGGED):
            count += 1
            node["label"] = label or f"{name}:{count}"
            node["number"], node["ids"] = count, [_anchor(node["label"])]
            if node["label"] not in authored:  # or Sphinx has looked already who else has it
                domain.note_equation(name, node["label"], location=node)
            domain.equations[node["label"]] = (name, count)
    if tags:
        env.metadata[name][TAGS] = tags
    _link(env, doctree)


def _forget_target(node: nodes.math_block) -> None:
    """Remove the place before a formula that links under its old label led to."""
    siblings = node.parent.children
    before = siblings[siblings.index(node) - 1] if siblings.index(node) else None
    if isinstance(before, nodes.target) and str(before.get("refid", "")).startswith("equation-"):
        node.parent.remove(before)


def _take_tags(
    env: BuildEnvironment, node: nodes.math_block, label: str | None
) -> dict[str, tuple[str, str]]:
    """Take the tag out of a formula that has one; return the places and tags of its labels."""
    text = node.astext()
    kind, body = latex.environment(text)
    tags = _TAG.findall(text)
    if not tags:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for row in latex.rows(body) if kind.removesuffix("*") in _OF_ROWS else [body]:
        tag = _TAG.search(row)
        for label_found in _LABEL.finditer(row):
            name = label_found[1].strip()
            if tag is None:
                what = rf"its row with the label {name} has no \tag, and others have one"
                raise formulas.wrong(env, env.docname, node, what, label_found[0].strip())
            found[name] = (_anchor(name), _plain(tag[1]))
    if len(tags) == 1:
        node[NUMBER] = _plain(tags[0])
        formulas.replace_text(node, _TAG.sub("", text))
        return {name: (_anchor(name), node[NUMBER]) for name in _labels(node, label)}
    if kind.removesuffix("*") not in _OF_ROWS:
        what = (
            rf"it has {len(tags)} \tags, and one number. Rows have their own in align, gather and "
            "their like"
        )
        raise formulas.wrong(env, env.docname, node, what)
    if label:
        what = rf"it has the label {label}, and its rows have tags. Give a row the \label"
        raise formulas.wrong(env, env.docname, node, what)
    node[formulas.TAGGED] = True
    starred = f"{kind.removesuffix('*')}*"
    formulas.replace_text(node, rf"\begin{{{starred}}}{body}\end{{{starred}}}")
    return found


def _take_label(
    env: BuildEnvironment, node: nodes.math_block, label: str | None
) -> tuple[bool, str | None]:
    """Take labels out of a formula; return whether it has a number, and the label it keeps."""
    labels = _labels(node, label)
    if len(labels) > 1 and not node.get(formulas.TAGGED):
        what = (
            f"it has the labels {' and '.join(labels)}, but one number. Keep one of them, or give "
            r"each row a \tag"
        )
        raise formulas.wrong(env, env.docname, node, what)
    text = node.astext()
    kind, body = latex.environment(text)
    rows = [row for row in latex.rows(body) if row.strip()]
    silent = all(_NO_TAG.search(row) for row in rows)
    formulas.replace_text(node, _NO_TAG.sub("", _LABEL.sub("", text)))
    return bool(labels) or (kind in _NUMBERED and not silent), next(iter(labels), None)


def _labels(node: nodes.math_block, label: str | None) -> list[str]:
    inner = [name.strip() for name in _LABEL.findall(node.astext())]
    return [label, *inner] if label else inner


def _plain(tag: str) -> str:
    """Return a tag as text, for what refers to it."""
    text = re.sub(r"\\text\w*\{([^{}]*)\}", r"\1", tag).replace("$", "").strip(" ()")
    for name, sign in _SIGNS.items():
        text = text.replace(name, sign)
    return text


def _anchor(label: str) -> str:
    return nodes.make_id(f"equation-{label}")


def _link(env: BuildEnvironment, doctree: nodes.document) -> None:
    r"""Make links of ``\eqref`` and ``\ref``, in the text and alone in a formula."""
    for formula in list(doctree.findall(nodes.math)):
        if found := _REFERENCE.fullmatch(formula.astext().strip()):
            formula.parent.replace(formula, _reference(env, found, formula))
    for text in formulas.texts(doctree):
        parts: list[nodes.Node] = []
        end = 0
        for found in _REFERENCE.finditer(text):
            parts += [nodes.Text(text[end : found.start()]), _reference(env, found, text.parent)]
            end = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def _reference(env: BuildEnvironment, found: re.Match[str], at: nodes.Node) -> nodes.Node:
    label = found[2].strip()
    link = addnodes.pending_xref(
        "",
        nodes.inline("", label),
        refdomain="math",
        reftype="eq",
        reftarget=label,
        refdoc=env.docname,
        refexplicit=False,
        refwarn=True,
    )
    link.source, link.line = at.source, at.line
    return link if found[1] == "eqref" else nodes.inline("", "", link, classes=[_BARE])


def _resolve_tag(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, _content: nodes.Node
) -> nodes.reference | None:
    """Resolve a reference to an equation that has a tag for a number."""
    if node.get("refdomain") != "math":
        return None
    for page, about in env.metadata.items():
        if node["reftarget"] in about.get(TAGS, {}):
            anchor, tag = about[TAGS][node["reftarget"]]
            text = (app.config.math_eqref_format or "({number})").format(number=tag)
            return make_refnode(app.builder, node["refdoc"], page, anchor, nodes.Text(text))
    return None


def _show_numbers(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Write the numbers beside equations and into formulas."""
    for bare in doctree.findall(nodes.inline):
        if _BARE in bare["classes"]:
            for text in list(bare.findall(nodes.Text)):
                text.parent.replace(text, nodes.Text(text.strip("()")))
    for node in formulas.formulas(doctree):
        if isinstance(node, nodes.math_block) and node["number"]:
            node[NUMBER] = _number(app, node["label"])
        text = node.astext()
        for found in _REFERENCE.finditer(text):
            number = _number(app, found[2].strip())
            if number is None:
                what = f"there is no equation with the label {found[2]}"
                raise formulas.wrong(app.env, name, node, what, found[0])
            shown = f"({number})" if found[1] == "eqref" else number
            text = text.replace(found[0], rf"\text{{{shown}}}")
        if text != node.astext():
            formulas.replace_text(node, text)


def _number(app: Sphinx, label: str) -> str | None:
    """Return what stands in the brackets beside an equation, or None if there is none."""
    config, domain = app.config, cast(MathDomain, app.env.get_domain("math"))
    if label not in domain.equations:
        tags = (about.get(TAGS, {}).get(label) for about in app.env.metadata.values())
        return next((tag for _anchor, tag in filter(None, tags)), None)
    page, number = domain.equations[label]
    if not (config.math_numfig and config.numfig):
        return str(number)
    numbers = app.env.toc_fignumbers.get(page, {}).get("displaymath", {}).get(_anchor(label), ())
    return str(config.math_numsep).join(".".join(map(str, numbers)).rsplit(".", 1))
