"""Phrases about the demo model and Quarterdeck themselves."""

from __future__ import annotations

from runner.models.demo.intents import AllOfThem, Intent, Resume, Say, Tour
from runner.models.demo.words import Builder, Found, Table, Words, pattern

_REAL = (
    r"(?:real|other|different|another|better|proper|local|claude|gpt|openai|anthropic|gemini|mistral|ollama|api|llm)"
)


def _always(intent: Intent) -> Builder:
    def build(words: Words, found: Found) -> Intent | None:
        return intent

    return build


CHATTING: Table = (
    (
        pattern(
            r"(?:(?:give|take|show|start|begin|do|i want|i'd like|me|us|on|for|with) )*"
            r"(?:(?:the|a|an|short|quick|guided|little) )*"
            r"tour(?: (?:of|through|around) .{0,40})?"
        ),
        _always(Tour()),
    ),
    (
        pattern(
            r"(?:(?:please )?(?:can you )?help (?:me )?(?:to )?get(?:ting)? started|get(?:ting)? started|show me around"
            r"|walk me through (?:this|quarterdeck|it)|(?:what is|teach me|introduce me to|introduce) quarterdeck"
            r"|how (?:do|can|should) i (?:use|start|begin|get started)(?: with)?(?: (?:this|it|quarterdeck))?"
            r"|how does (?:this|it|quarterdeck) work|demo|give me a demo|demonstrate)"
        ),
        _always(Tour()),
    ),
    (pattern(r"(?:hi|hello|hey|good (?:morning|evening|day|afternoon))(?: there)?"), _always(Say("greeting"))),
    (
        pattern(r"(?:thanks|thank you|thx|great|nice|cool|ok|okay|perfect)(?: a lot| very much)?"),
        _always(Say("thanks")),
    ),
    (
        pattern(
            r"(?:help(?: me)?|\?|what can you do(?: for me)?|what do you (?:do|understand|know)|(?:who|what) are you"
            r"|(?:which|what) (?:ai|model|llm) (?:is this|are you)"
            r"|are you (?:a |an )?(?:real|ai|llm|model|intelligent|demo|human)\b.{0,40}|commands|examples)"
        ),
        _always(Say("identity")),
    ),
    (
        pattern(
            r"(?:how (?:do|can|to)(?: i)? )?(?:connect|use|configure|set ?up|switch to|get)(?: to)?"
            rf"(?: (?:a|an|the|my))? {_REAL}\b[\w\s-]{{0,60}}",
        ),
        _always(Say("connect")),
    ),
    (pattern(r"(?:continue|go on|carry on|resume|proceed|keep going)"), _always(Resume())),
    (
        pattern(
            r"(?:yes,? )?(?:all(?: of (?:them|it))?|every(?:where| one| occurrence)|both(?: of them)?"
            r"|(?:change|replace) (?:them )?all(?: of them)?)"
        ),
        _always(AllOfThem()),
    ),
)
