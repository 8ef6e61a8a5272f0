# Look back: whatever ran with a store can be read, folded, searched, marked, and tried again.
from pathlib import Path

from runner import Agent, Runner, Store, fold
from runner.review.cases import cases, from_jsonl, to_jsonl

agent = Agent(name="clerk", instructions="Answer in one sentence.", model="demo/pilot")

with Store.open(Path("sessions")) as store:  # a folder or a file; without one, the person's own
    result = Runner(store=store).run_sync(agent, "hello")
    session = result.session_id

    for summary in store.sessions(limit=20):  # the newest first
        print(summary.title, summary.turns, summary.cost_usd, summary.reason)
    for event in store.events(session):  # every stored fact, run after run
        print(event.seq, event.kind)
    state = fold(store.events(session, result.run_id))  # what the screen shows is this fold
    assert state.final_output == result.final_output

    store.search.catch_up()
    for hit in store.search.find("hello"):  # where something was said or done
        print(hit.session_id, hit.run_id, hit.seq, hit.part)
    for row in store.usage("model"):  # or by provider, agent, project, day, session, run
        print(row.key, row.requests, row.cost.known, row.cost.unknown)

    store.tag(session, "wrong-folder", run_id=result.run_id, turn=1)
    store.set_note(session, "it should have said which folder", run_id=result.run_id, turn=1)
    with open("cases.jsonl", "w", encoding="utf-8") as file:  # secrets masked, as in exports
        file.writelines(f"{line}\n" for line in to_jsonl(cases(store, "wrong-folder")))

with open("cases.jsonl", encoding="utf-8") as file:
    for case in from_jsonl(file):
        again = Runner().run_sync(agent, case.input)  # the same conversation, up to the same prompt
        print(case.id, again.final_output == case.expected.answer, case.metadata.notes)
