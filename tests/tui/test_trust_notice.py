"""A folder that is not trusted yet says on the screen that its configuration wants more than it gets."""

from __future__ import annotations

from pathlib import Path

from tests.tui.cockpit import cockpit


async def test_an_untrusted_folder_is_told_on_the_screen(tmp_path: Path) -> None:
    (tmp_path / ".quarterdeck").mkdir()
    config = tmp_path / ".quarterdeck" / "config.toml"
    config.write_text('approve = "bypass"\n[models."lab/x"]\nmodel = "openai/x"\napi_base = "http://127.0.0.1:1/v1"\n')
    async with cockpit(tmp_path) as deck:
        await deck.until(lambda: "quarterdeck trust" in deck.screen_text(), "the notice")
        assert "2 settings of this folder wait for your trust" in deck.screen_text()
