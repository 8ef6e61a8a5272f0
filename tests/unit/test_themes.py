"""Themes: every one is complete and readable, and a broken one is refused with the place and the reason."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

import themes
from themes import contrast, loader
from themes.vocabulary import BASE, GROUNDS, NOT_TEXT, ON_OWN_GROUND, TEXT, TOKENS

BUILT_IN = (
    "colourblind-dark",
    "colourblind-light",
    "dusk",
    "fjord",
    "high-contrast",
    "high-contrast-light",
    "paper",
    "quarterdeck-dark",
    "quarterdeck-light",
    "terminal",
)
MEASURABLE = tuple(name for name in BUILT_IN if name != "terminal")

CHILD = 'name = "mine"\ntitle = "Mine"\nextends = "quarterdeck-dark"\n'

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a theme file into the folder of user themes and returns that folder."""

    def write_theme(text: str, name: str = "mine") -> Path:
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write_theme


def built_in_text(name: str = "quarterdeck-dark") -> str:
    return (loader.BUILT_IN / f"{name}.toml").read_text(encoding="utf-8")


def as_mine(text: str) -> str:
    return text.replace('name = "quarterdeck-dark"', 'name = "mine"')


def test_the_built_in_themes_are_these() -> None:
    assert tuple(themes.load_all()) == BUILT_IN
    assert themes.DEFAULT in BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_theme_has_every_name_and_no_other(name: str) -> None:
    theme = themes.load(name)
    assert (theme.name, tuple(theme.base), tuple(theme.tokens)) == (name, tuple(BASE), tuple(TOKENS))
    assert theme.token("state.running") == theme.colour("state.running") == theme.tokens["state.running"]
    assert theme.base["background"] == theme.colour("background")
    with pytest.raises(KeyError):
        theme.token("state.sleeping")


@pytest.mark.parametrize("name", MEASURABLE)
def test_text_is_readable_on_every_ground(name: str) -> None:
    assert [str(finding) for finding in contrast.audit(themes.load(name))] == []


@pytest.mark.parametrize("name", MEASURABLE)
def test_what_the_audit_promises_is_measured_here_once_more(name: str) -> None:
    theme = themes.load(name)
    least = 7.0 if name.startswith("high-contrast") else 4.5
    assert theme.contrast == least
    states = [token for token in TOKENS if token.startswith(("state.", "risk.", "tool.", "meter.ok"))]
    assert set(states) <= set(TEXT)
    for token in (*states, "foreground", "muted", "text.reasoning", "md.link"):
        for ground in GROUNDS:
            assert contrast.ratio(theme.colour(token), theme.base[ground]) >= least
    for text, ground in ON_OWN_GROUND:
        assert contrast.ratio(theme.colour(text), theme.colour(ground)) >= least


def test_dark_and_light_say_what_they_are() -> None:
    for name in MEASURABLE:
        theme = themes.load(name)
        assert theme.dark == (contrast.luminance(theme.base["background"]) < 0.2)
        assert not theme.ansi


def test_the_terminal_theme_leaves_every_colour_to_the_terminal() -> None:
    theme = themes.load("terminal")
    assert theme.ansi
    assert {*theme.base.values(), *theme.tokens.values()} <= loader.ANSI_COLOURS
    assert contrast.audit(theme) == []


def test_the_vocabulary_is_consistent() -> None:
    assert not set(BASE) & set(TOKENS)
    assert all("." in token for token in TOKENS)
    assert not any("." in name for name in BASE)
    assert set(BASE) | set(TOKENS) >= NOT_TEXT
    assert {name for pair in ON_OWN_GROUND for name in pair} <= {*BASE, *TOKENS}
    assert set(GROUNDS) <= set(BASE)


def test_themes_are_values() -> None:
    first, second = themes.load("terminal"), themes.load("terminal")
    assert first == second
    assert hash(first) == hash(second)
    with pytest.raises(TypeError):
        first.tokens["state.ok"] = "#000000"  # type: ignore[index]


# Contrast


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#123456",) * 2 + (1.0,),
    ],
)
def test_the_contrast_ratio_is_that_of_wcag(first: str, second: str, expected: float) -> None:
    assert contrast.ratio(first, second) == pytest.approx(expected, abs=0.005)
    assert contrast.ratio(second, first) == contrast.ratio(first, second)


@pytest.mark.parametrize("colour", ["ansi_blue", "#fff", "red", "#ff00001"])
def test_contrast_is_defined_for_plain_colours_only(colour: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        contrast.luminance(colour)


def test_the_audit_names_the_pair_that_is_hard_to_read(write: Write) -> None:
    theme = themes.load("mine", write(CHILD + '[state]\nok = "#30353d"\n[base]\nborder_focus = "#222732"\n'))
    findings = contrast.audit(theme)
    assert {(finding.text, finding.ground) for finding in findings} == {
        (text, ground) for text in ("state.ok", "border_focus") for ground in GROUNDS
    }
    assert str(findings[0]).startswith("state.ok on background: 1.")
    assert str(findings[0]).endswith("wanted at least 4.5")


# Colour blindness: each matrix maps linear RGB to what a dichromat sees (Machado, Oliveira, Fernandes 2009).

DICHROMATS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
}
OPPOSITES = (
    ("state.ok", "state.failed"),
    ("state.running", "state.failed"),
    ("state.running", "state.waiting"),
    ("state.ok", "state.waiting"),
    ("diff.added", "diff.removed"),
    ("diff.added_bg", "diff.removed_bg"),
    ("risk.low", "risk.high"),
    ("meter.ok", "meter.over"),
    ("success", "error"),
)
CLEARLY_DIFFERENT = 12.0


def linear(colour: str) -> tuple[float, float, float]:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def lab(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    """CIELAB (D65) of linear RGB, in which distance is about what the eye sees."""
    red, green, blue = rgb
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen_by(dichromat: str, colour: str) -> tuple[float, float, float]:
    rgb = linear(colour)
    rows = DICHROMATS[dichromat]
    red, green, blue = (min(1.0, max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True)))) for row in rows)
    return lab((red, green, blue))


@pytest.mark.parametrize("dichromat", DICHROMATS)
@pytest.mark.parametrize("pair", OPPOSITES, ids=" ".join)
def test_opposites_differ_for_the_colour_blind(pair: tuple[str, str], dichromat: str) -> None:
    theme = themes.load("colourblind-dark")
    first, second = (seen_by(dichromat, theme.colour(name)) for name in pair)
    assert math.dist(first, second) >= CLEARLY_DIFFERENT


# User themes and broken files


def test_a_user_theme_can_change_a_few_colours_of_a_built_in_one(write: Write) -> None:
    folder = write(CHILD + '[state]\nrunning = "#ABCDEF"\n')
    theme, parent = themes.load("mine", folder), themes.load("quarterdeck-dark")
    assert theme.token("state.running") == "#abcdef"
    assert {**theme.tokens, "state.running": parent.token("state.running")} == dict(parent.tokens)
    assert (theme.base, theme.dark, theme.contrast) == (parent.base, parent.dark, parent.contrast)
    assert list(themes.load_all(folder)) == [*BUILT_IN, "mine"]


def test_a_user_theme_can_be_complete_in_itself(write: Write) -> None:
    assert themes.load("mine", write(as_mine(built_in_text()))).tokens == themes.load("quarterdeck-dark").tokens


def test_a_user_theme_wins_over_a_built_in_one_of_its_name(write: Write) -> None:
    text = 'name = "terminal"\ntitle = "Mine"\nextends = "terminal"\ndark = false\n'
    folder = write(text, "terminal")
    assert themes.load("terminal", folder).title == "Mine"
    assert not themes.load_all(folder)["terminal"].dark
    assert themes.load("terminal").title != "Mine"


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('title = "Mine"', "name", "one line of text, found None"),
        ('name = "other"\ntitle = "Mine"', "name", 'expected "mine"'),
        (CHILD.replace('title = "Mine"', 'title = "a\\u001b[31m"'), "title", "one line of text"),
        (CHILD + "dark = 1", "dark", "true or false, found 1"),
        (CHILD + "contrast = 40", "contrast", "from 1 to 21, found 40"),
        (CHILD + "contrast = true", "contrast", "from 1 to 21, found True"),
        (CHILD.replace("quarterdeck-dark", "mine"), "extends", "a built-in theme (colourblind-dark"),
        (CHILD + "[stat]\n", "stat", 'did you mean "state"?'),
        (CHILD + '[state]\nruning = "#000000"', "state.runing", 'did you mean "running"?'),
        (CHILD + '[state]\nzzz = "#000000"', "state.zzz", "expected one of queued, running"),
        (CHILD + '[base]\nforground = "#000000"', "base.forground", 'did you mean "foreground"?'),
        (CHILD + '[base]\nforeground = "blue"', "base.foreground", "ansi_blue\", found 'blue'"),
        (CHILD + '[state]\nok = "#12345"', "state.ok", "found '#12345'"),
        (CHILD + "[state]\nok = 12", "state.ok", "found 12"),
        (CHILD + 'state = "#000000"', "state", "expected a table [state]"),
        (as_mine(built_in_text()).replace("queued =", "# queued ="), "state.queued", "missing: expected a colour"),
        (as_mine(built_in_text()).replace("muted =", "# muted ="), "base.muted", "secondary text"),
        (as_mine(built_in_text()).replace("dark = true", ""), "dark", "true or false, found None"),
        ("name = ", "", "expected a TOML file"),
    ],
)
def test_a_broken_theme_is_refused_with_file_key_and_expectation(
    text: str, key: str, expected: str, write: Write
) -> None:
    folder = write(text)
    with pytest.raises(themes.ThemeError) as caught:
        themes.load("mine", folder)
    error = caught.value
    assert (error.file, error.key) == (folder / "mine.toml", key)
    assert expected in error.expected
    assert str(error) == ": ".join(part for part in (str(error.file), key, error.expected) if part)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(themes.ThemeError, match="UTF-8"):
        themes.load("mine", tmp_path)


def test_an_unknown_theme_is_refused_with_the_known_names(write: Write) -> None:
    with pytest.raises(themes.ThemeError, match=r"'nope'.*colourblind-dark.*mine.*terminal"):
        themes.load("nope", write(CHILD))
    with pytest.raises(themes.ThemeError):
        themes.load("../themes/terminal")


def test_one_broken_user_theme_does_not_hide_the_others(write: Write) -> None:
    write(CHILD.replace("mine", "good"), "good")
    folder = write("name = ")
    with pytest.raises(themes.ThemeError):
        themes.load_all(folder)
    problems: list[themes.ThemeError] = []
    assert list(themes.load_all(folder, problems=problems)) == [*BUILT_IN, "good"]
    assert [problem.file for problem in problems] == [folder / "mine.toml"]


def test_a_missing_folder_of_user_themes_is_no_error(tmp_path: Path) -> None:
    assert list(themes.load_all(tmp_path / "absent")) == list(BUILT_IN)
