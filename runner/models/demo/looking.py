"""Phrases that look at the working folder."""

from __future__ import annotations

import re
import shlex

from runner.models.demo.intents import CURRENT, Describe, Intent, ListFiles, ReadFile, RunCommand, Search
from runner.models.demo.words import FILE, FOLDER, NAME, SHOW, Found, Table, Words, pattern

_TO = r"\s*(?:-|\u2013|\.\.|:|to|until|till|through|and)\s*"
_SPAN = (
    rf"(?:[\s,(]+(?:(?:from|only|just|the) )*lines? (?P<start>\d+)(?:{_TO}(?P<end>\d+))?\)?"
    r"|:(?P<from>\d+)(?:-(?P<to>\d+))?"
    r"|[\s,(]+(?:from )?(?P<since>\d+) ?(?:to|-) ?(?P<till>\d+)\)?)?"
)
_THE_FILE = r"(?:the )?(?:(?:file|contents? of|text of)(?: the)?(?: file)? )?"
_QUESTION = r"(?:what(?:'s| is| are)|what do (?:we|you|i) (?:have|see)|what have we(?: got)?|look around|look)"
_ITEMS = (
    r"(?:(?:(?:all|of|the|my|our|these) )*(?:files|folders|contents?|entries|directory|folder|tree|everything)"
    r"|what(?:'s| is) (?:here|there|inside))"
)
_SEARCH = r"(?:search|find|grep|look|locate|scan)"
_REGEX = r"(?P<regex>(?:the )?(?:regex|regexp|regular expression) )?"
_FIRST_WORDS = re.compile(
    r"^(?:for )?(?:(?:all|every|any|the) )*(?:(?:occurrences?|uses|mentions|lines?|instances) (?:of|with|containing) )?"
    r"(?:the (?:word|text|pattern|string) )?",
    re.IGNORECASE,
)


def _list(words: Words, found: Found) -> Intent | None:
    part: str | None = found["path"]
    path = words.path(part, CURRENT)
    if path is None:
        return None
    if part is not None and re.search(r"[^/]\.\w{1,5}$", path) and found.groupdict().get("question"):
        return ReadFile(path)
    return ListFiles(path)


def _read(words: Words, found: Found) -> Intent | None:
    path = words.path(found["path"])
    if path is None or path.lower() in {"me", "my", "your", "a", "an", "the", "minds", "mind", "for", "in"}:
        return None
    if path == CURRENT or path.endswith("/"):
        return ListFiles(path)
    return ReadFile(path, *_span(found))


def _read_named(words: Words, found: Found) -> Intent | None:
    return _read(words, found) if words.looks_like_file(found["path"]) else None


def _span(found: Found) -> tuple[int | None, int | None]:
    groups = found.groupdict()
    if groups.get("first"):
        return 1, int(groups["first"])
    for first, last in (("start", "end"), ("from", "to"), ("since", "till")):
        if groups.get(first):
            return int(groups[first]), int(groups[last] or groups[first])
    return None, None


def _describe(words: Words, found: Found) -> Intent | None:
    path = words.path(found["path"])
    return Describe(path) if path is not None and words.looks_like_file(found["path"]) else None


def _count_lines(words: Words, found: Found) -> Intent | None:
    path = words.path(found["path"])
    return None if path is None else RunCommand(f"wc -l {shlex.quote(path)}")


def _find_named(words: Words, found: Found) -> Intent | None:
    name = words.marked.value(found["name"].rstrip("?!"))
    return RunCommand(f"find . -name {shlex.quote(name)} -not -path './.git/*'")


def _search(words: Words, found: Found) -> Intent | None:
    part = _FIRST_WORDS.sub("", found["pattern"].strip())
    wanted = words.marked.value(part if words.marked.quote(part) else part.rstrip("?!"))
    path = words.path(found.groupdict().get("path"), CURRENT)
    if not wanted.strip() or path is None:
        return None
    slashes = re.fullmatch(r"/(.+)/", wanted)
    if slashes:
        return Search(slashes[1], path, is_regex=True)
    return Search(wanted, path, is_regex=bool(found.groupdict().get("regex")))


def _search_file(words: Words, found: Found) -> Intent | None:
    """ "look X" and "search X for Y" are searches only where X can be a place."""
    place = found["path"]
    here = words.path(place) == CURRENT
    return _search(words, found) if here or not re.search(r"\s", place) else None


LOOKING: Table = (
    (
        pattern(
            r"(?:find|locate|search for|look for) (?:(?:all|any|the|every) )*files?"
            rf" (?:named|called|with (?:the )?name|matching|like) (?P<name>{NAME})"
        ),
        _find_named,
    ),
    (
        pattern(
            r"(?:how many lines(?: (?:are|does|has))?(?: there)?|count (?:the )?(?:number of )?lines)"
            rf"(?: (?:in|of))? (?:the )?(?:file )?(?P<path>{NAME})(?: (?:has|have))?"
        ),
        _count_lines,
    ),
    (
        pattern(
            r"(?:how many|count(?: the)?(?: number of)?) files(?: (?:are|do) (?:there|here|we have|i have))?(?: here)?"
            rf"(?: (?:in|under|inside) (?P<path>{FOLDER}))?"
        ),
        _list,
    ),
    (pattern(rf"(?P<question>{_QUESTION})(?: (?:there|here))?(?: (?:in|inside|under) (?P<path>{FOLDER}))?"), _list),
    (
        pattern(
            r"(?:what|which) (?:files|folders|things)(?: and (?:files|folders|directories))?"
            r"(?: (?:are|do (?:we|you|i) (?:have|see)|exist))?(?: (?:there|here))?"
            rf"(?: (?:in|inside|under) (?P<path>{FOLDER}))?"
        ),
        _list,
    ),
    (
        pattern(
            rf"(?:list|{SHOW}|ls|dir) (?:me )?{_ITEMS}(?: (?:and|or) (?:the )?(?:files|folders|directories))?"
            rf"(?: (?:here|there|listing))?(?: (?:in|of|from|inside|under) (?P<path>{FOLDER}))?"
        ),
        _list,
    ),
    (pattern(rf"(?:ls|dir|list)(?: -\w+)?(?: (?P<path>{FOLDER}))?"), _list),
    (pattern(rf"(?:{SHOW} )?(?:the )?first (?P<first>\d+) lines? (?:of|in|from) (?:the )?(?P<path>{NAME})"), _read),
    (
        pattern(
            rf"(?:{SHOW} )?(?:the )?lines? (?P<start>\d+)(?:{_TO}(?P<end>\d+))? (?:of|in|from) (?:the )?(?:file )?"
            rf"(?P<path>{NAME})"
        ),
        _read,
    ),
    (
        pattern(
            rf"what(?:'s| does| is)(?: (?:in|inside))? {_THE_FILE}(?P<path>{NAME})(?: (?:say|contain|look like|hold))?"
        ),
        _read_named,
    ),
    (
        pattern(
            rf"(?:{SHOW}) (?:me )?(?:the )?(?:file|contents? of|text of)(?: the)?(?: file)? (?P<path>{FILE}){_SPAN}"
        ),
        _read,
    ),
    (pattern(rf"(?:read|cat|open|view) (?:me )?(?:the )?(?P<path>{FILE}){_SPAN}"), _read),
    (pattern(rf"{SHOW} (?:the )?(?P<path>{FILE}){_SPAN}"), _read_named),
    (
        pattern(
            r"(?:summari[sz]e|describe|explain|analy[sz]e|review|give me a summary of|what is the gist of) "
            rf"(?:the )?(?:file )?(?P<path>{NAME})(?: (?:to|for) me)?"
        ),
        _describe,
    ),
    (
        pattern(
            rf"{_SEARCH} (?:(?:in|through|inside|across|all) )*(?P<path>{FOLDER}) for {_REGEX}"
            r"(?P<pattern>.+?)"
        ),
        _search_file,
    ),
    (
        pattern(
            rf"{_SEARCH} (?:for )?{_REGEX}(?P<pattern>.+?)"
            rf" (?:in|inside|under|within|across|through) (?:the )?(?:files? (?:in )?)?(?P<path>{FOLDER})"
        ),
        _search,
    ),
    (
        pattern(
            rf"(?:{_SEARCH} for|find|grep|locate|search)"
            rf" {_REGEX}(?P<pattern>.+?)"
        ),
        _search,
    ),
    (
        pattern(
            r"(?:where(?:'s| is| are| do we use| does) (?P<pattern>.+?)"
            r"(?: (?:used|defined|mentioned|called|located|appear|occur))?"
            rf"(?: (?:in|under|inside) (?P<path>{FOLDER}))?)"
        ),
        _search,
    ),
    (
        pattern(
            r"(?:which|what) (?:files?|lines?) (?:contains?|mentions?|uses?|has|have|say) (?P<pattern>.+?)"
            rf"(?: (?:in|under|inside) (?P<path>{FOLDER}))?"
        ),
        _search,
    ),
)
