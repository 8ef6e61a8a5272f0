"""What the demo model says of itself and of Quarterdeck."""

from __future__ import annotations

from typing import Literal

from runner.models.demo.stage import shorten

NOTICE = (
    "This is Quarterdeck's built-in demo model: a handful of rules, no intelligence, offline and free. "
    "The tools, the approvals and the results are real."
)

ABILITIES = """\
I understand a few wishes about the working folder, for example:

- what is here · list files in src
- read README.md lines 1-20 · search for TODO in src
- create notes.txt with "hello" · change "hello" to "goodbye" in notes.txt
- run `ls -la`
- create a.txt with hi and then run cat a.txt
- change "red" to "blue" in a.txt and b.txt (several files, one question)
- make a plan: list files, then run date · ask me which colour: red, green or blue
- fetch https://example.com
- tour: a short tour of Quarterdeck"""

CONNECT = """\
To work with a real model, give Quarterdeck one:

- Set the provider's key in the environment before you start, for example `ANTHROPIC_API_KEY` or `OPENAI_API_KEY`. \
With a key set and no model configured, Quarterdeck takes that provider.
- A local or private server: a named model in `config.toml`, `[models."my/model"]` with `model` and `api_base`.
- Then choose it with `/model` (also in the middle of a run), or start with `--model NAME`. \
`quarterdeck models` lists what is known, `quarterdeck doctor` tells what is missing."""

GREETING = f"Hello. {ABILITIES}"
IDENTITY = f"I am a demo model, no AI: I match your words against a table of phrases.\n\n{ABILITIES}\n\n{CONNECT}"
THANKS = "You are welcome. I am a table of phrases, but the program is real; say “tour” to see more of it."
NOTHING_LEFT = "There is nothing left to go on with: what you asked for before is finished."
NOT_A_QUESTION = "I did not just ask which occurrences you mean, so I do not know what “all” refers to."

CONTROL = """\
While a run goes on, you are in command:

- `/stop` lets the current step finish; `/abort` closes the connection and ends every process at once.
- `/pause` waits at the next step. A message sent meanwhile is queued and read at the next turn.
- `/model` switches the model, `/sessions` finds old conversations, `/help` lists every key.

`demo/slow` is there for trying stop and abort, `demo/flaky` for seeing retries."""


def cannot(text: str) -> str:
    """An honest answer to what is not understood."""
    return (
        f"I do not understand “{shorten(text, 120)}”. I am a built-in demo model without any intelligence, so I can "
        f"only do what my table of phrases knows.\n\n{ABILITIES}\n\n{CONNECT}"
    )


def say(topic: Literal["greeting", "identity", "connect", "thanks", "nothing_left"]) -> str:
    match topic:
        case "greeting":
            return GREETING
        case "identity":
            return IDENTITY
        case "connect":
            return CONNECT
        case "thanks":
            return THANKS
        case "nothing_left":
            return NOTHING_LEFT
