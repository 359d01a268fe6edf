r"""What Temml knows of LaTeX, and MathJax in JupyterLab does not.

Found by giving each name in Temml 0.13 to MathJax 3.2.2 with all its packages. It is written
otherwise, so that a notebook shows what its page shows, or refused.
"""

from __future__ import annotations

# Names and characters in turn.
_CHARACTERS = (
    "AE Æ Alpha Α Angstrom Å Beta Β Bot ⫫ Chi Χ Coppa Ϙ DH Ð DJ Đ Earth ⊕ Epsilon Ε Eta Η Iota "
    "Ι Kappa Κ Koppa Ϟ L Ł Mu Μ NG Ŋ Nand ⊼ Nor ⊽ Nu Ν O Ø OE Œ Omicron Ο Otimes ⨷ P ¶ Perp ⫫ "
    "QED ∎ Rho Ρ Sampi Ϡ Sqcap ⩎ Sqcup ⩏ Stigma Ϛ TH Þ Tau Τ VDash ⊫ Vee ⩔ Wedge ⩓ Xor ⊻ Zeta Ζ "
    "ae æ arceq ≘ astrosun ☉ backcong ≌ backdprime ‶ backtrprime ‷ ballotx ✗ barcap ⩃ barcup ⩂ "
    "barvee ⊽ bigcupdot ⨃ bigcupplus ⨄ bigdoublevee ⨇ bigdoublewedge ⨈ bigsqcap ⨅ "
    "blackhourglass ⧗ boxast ⧆ boxbox ⧈ boxcircle ⧇ boxslash ⧄ capbarcup ⩈ capdot ⩀ capovercup "
    "⩇ cent ¢ circledequal ⊜ circledparallel ⦷ circledvert ⦶ circlehbar ⦵ closedvarcap ⩍ "
    "closedvarcup ⩌ coloncolon ∷ coloncolonequals ⩴ colonequals ≔ concavediamond ⟡ "
    "concavediamondtickleft ⟢ concavediamondtickright ⟣ coppa ϙ copyright © cupovercap ⩆ dag † "
    "ddag ‡ dh ð diameter ⌀ dj đ dotminus ∸ dotsx … doublebarvee ⩢ dprime ″ eqdef ≝ eqeq ⩵ "
    "eqeqeq ⩶ equalscolon ≕ female ♀ fint ⨏ fullouterjoin ⟗ hourglass ⧖ iddots ⋰ imageof ⊷ "
    "intBar ⨎ intbar ⨍ intcap ⨙ intclockwise ∱ intcup ⨚ interleave ⫴ intlarhk ⨗ intx ⨘ invamp ⅋ "
    "invlazys ∾ koppa ϟ l Ł lAngle ⟪ lBrace ⦃ leftmodels ⊨ leftmoon ☾ leftouterjoin ⟕ lightning "
    "↯ llangle ⦉ llbracket ⟦ llparenthesis ⦇ lozengeminus ⟠ lq ‘ male ♂ mapsfrom ↤ mathellipsis "
    "… mathsterling £ measeq ≞ minuscolon ∹ minusdot ⨪ minusfdots ⨫ minusrdots ⨬ multimapboth ⧟ "
    "multimapinv ⟜ ng ŋ notni ∌ nsubset ⊄ nsupset ⊅ o ø obar ⌽ obslash ⦸ odiv ⨸ oe œ "
    "ogreaterthan ⧁ oiiint ∰ oiint ∯ olessthan ⧀ operp ⦹ origof ⊶ otimeshat ⨶ parr ⅋ permil ‰ "
    "pointint ⨕ pounds £ qprime ⁗ questeq ≟ rAngle ⟫ rBrace ⦄ rightmoon ☽ rightouterjoin ⟖ "
    "rppolint ⨒ rq ′ rrangle ⦊ rrbracket ⟧ rrparenthesis ⦈ sampi ϡ scoh ⌢ scpolint ⨓ shift ↕ "
    "shneg ↑ shpos ↓ shuffle ⧢ sincoh ⌣ smashtimes ⨳ smiley ☺ sqint ⨖ ss ß sslash ⫽ "
    "standardstate ⦵ stareq ≛ stigma ϛ strictfi ⥼ strictif ⥽ sun ☼ threedotcolon ⫶ "
    "triangleminus ⨺ triangleplus ⨹ triangletimes ⨻ trprime ‴ twocaps ⩋ twocups ⩊ typecolon ⦂ "
    "upand ⅋ varclubsuit ♧ varcoppa ϙ vardiamondsuit ♦ varheartsuit ♥ varointclockwise ∲ "
    "varspadesuit ♤ varvdots ⋮ veedot ⟇ veedoublebar ⩣ veeeq ≚ veeonvee ⩖ wedgebar ⩟ wedgedot ⟑ "
    "wedgedoublebar ⩠ wedgeonwedge ⩕ wedgeq ≙ whitesquaretickleft ⟤ whitesquaretickright ⟥ "
)

_OPERATORS = "arcctg arctg ch cosec cotg ctg cth sgn sh tg th"
_WITHOUT_MEANING = "DOTSB DOTSI DOTSX allowbreak nobreak relax"

_REFUSED = (
    "AA H Overrightarrow aa angl angln c chemequilibrium coh coloncolonapprox coloncolonminus "
    "coloncolonsim equalscoloncolon equilibriumLeft equilibriumRight euro expandafter "
    "footnotesize incoh long longdiv longleftharpoondown longrightharpoonup mesomerism "
    "minuscoloncolon noexpand oc odv overgroup overleftharpoon overrightharpoon pdv phase r "
    "reflectbox sixptsize sout textcircled textmd textsc u underbar undergroup utilde v verb "
    "widecheck wideparen with wn yields yieldsLeft yieldsLeftRight "
)

WRITTEN: dict[str, str] = {
    **dict(zip(_CHARACTERS.split()[::2], _CHARACTERS.split()[1::2], strict=True)),
    **{name: rf"\operatorname{{{name}}}" for name in _OPERATORS.split()},
    **dict.fromkeys(_WITHOUT_MEANING.split(), ""),
    "N": r"\mathbb{N}",
    "R": r"\mathbb{R}",
    "Z": r"\mathbb{Z}",
    "argmax": r"\operatorname*{arg\,max}",
    "argmin": r"\operatorname*{arg\,min}",
    "bm": r"\boldsymbol",
    "bold": r"\mathbf",
    "colonminus": r"\mathrel{:-}",
    "coloneqq": r"\mathrel{:=}",
    "emph": r"\textit",
    "enskip": r"\enspace",
    "eqqcolon": r"\mathrel{=:}",
    "equal": "=",
    "mathbbm": r"\mathbb",
    "mathds": r"\mathbb",
    "medspace": r"\:",
    "operatornamewithlimits": r"\operatorname*",
    "plim": r"\operatorname*{plim}",
    "ratio": r"\mathrel{:}",
    "thickspace": r"\;",
    "vcentcolon": r"\mathrel{:}",
}
"""By the name of a command, without the backslash, what is written for it."""

REFUSED = frozenset(_REFUSED.split())
"""Commands that nothing short stands for."""
