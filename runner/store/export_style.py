"""How an exported page looks: light or dark as the reader's system is, wide or narrow, on paper. It loads nothing."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fdfcf9; --ink: #22252a; --quiet: #5d636c; --line: #dedbd2; --tint: #f3f1ea;
  --you: #1b5e92; --you-tint: #eef3f8; --ok: #2c6e3f; --bad: #a8322a; --wait: #8a5a00; --model: #4b62b5;
  --add: #e3f1e3; --del: #f9e4e1; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e2e4e8; --quiet: #9aa1ab; --line: #353a42;
  --tint: #1f2329; --you: #7ab8e8; --you-tint: #1a2430; --ok: #7cc58f; --bad: #ef8b82; --wait: #e0b050;
  --model: #93a7f0; --add: #1c3022; --del: #3a2220; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 54rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
.tag { display: inline-block; font-size: .85rem; color: var(--you); background: var(--you-tint); border-radius: 1rem;
  padding: .05rem .6rem; margin: 0 .35rem .35rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.25rem; margin: 0 0 1rem; font-size: .9rem; }
dt { color: var(--quiet); } dd { margin: 0; min-width: 0; }
nav { font-size: .9rem; margin: 0 0 1rem; } nav ol { margin: .4rem 0; padding-left: 2rem; }
section { padding: .8rem 0 .3rem; }
section.you { background: var(--you-tint); border-left: 3px solid var(--you); border-radius: 0 4px 4px 0;
  margin: 1.6rem 0 .6rem; padding: .7rem 1rem; }
section.step { padding: .12rem 0; }
.who { display: flex; justify-content: space-between; gap: 1rem; font-size: .85rem; font-weight: 600;
  color: var(--quiet); margin: 0 0 .3rem; }
.who time { font-weight: 400; white-space: nowrap; } .you .who { color: var(--you); }
section h1, section h2, section h3, section h4 { font-size: 1.05rem; margin: 1rem 0 .4rem; }
section p { margin: .5rem 0; } section > :last-child { margin-bottom: 0; }
.said { white-space: pre-wrap; }
pre, code { font: .85rem/1.5 ui-monospace, monospace; }
code { background: var(--tint); padding: .1em .25em; border-radius: 3px; }
pre { background: var(--tint); padding: .6rem .8rem; border-radius: 4px; overflow-x: auto; margin: .4rem 0;
  overflow-wrap: normal; } .step pre { max-height: 34rem; overflow-y: auto; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; } pre code { background: none; padding: 0; }
pre.diff { padding: .6rem 0; } pre.diff span { display: block; padding: 0 .8rem; min-height: 1.5em; min-width: 100%;
  width: max-content; }
.add { background: var(--add); } .del { background: var(--del); } .hunk { color: var(--quiet); }
table { border-collapse: collapse; display: block; overflow-x: auto; overflow-wrap: normal; }
th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }
blockquote { margin: .5rem 0 .8rem; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--quiet); }
hr { border: 0; border-top: 1px solid var(--line); }
a { color: var(--you); } .target { color: var(--quiet); font-size: .85em; }
details > summary { cursor: pointer; } summary code { background: none; padding: 0; }
.step > details { border-left: 3px solid var(--line); padding-left: .8rem; font-size: .95rem; }
.step > details[open] { border-left-color: var(--quiet); }
.tool { font-weight: 600; }
.inherited { border: 1px solid var(--line); border-radius: 4px; padding: .5rem 1rem; margin: 1rem 0; }
.note, footer { color: var(--quiet); font-size: .9rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); }
.ok { color: var(--ok); } .bad { color: var(--bad); } .waited { color: var(--wait); }
svg { width: 100%; height: auto; display: block; margin: .5rem 0 1rem; }
svg text { fill: var(--quiet); font: 14px system-ui, sans-serif; } svg .track { fill: var(--tint); }
svg .model { fill: var(--model); } svg .tool { fill: var(--ok); } svg .failed { fill: var(--bad); }
svg .person { fill: var(--wait); } svg .run { stroke: var(--quiet); stroke-dasharray: 2 3; }
.scroll { overflow-x: auto; }
@media (max-width: 40rem) { body { padding: 1.1rem .9rem 3rem; font-size: 15px; }
  h1 { font-size: 1.25rem; } dl { gap: .1rem .8rem; }
  svg { min-width: 44rem; } section.you { padding: .6rem .8rem; } }
@media print { body { max-width: none; } pre { max-height: none; } }
"""
