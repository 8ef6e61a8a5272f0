"""The long answer of demo/slow: long enough to stop and abort in the middle of it."""

ESSAY = """\
This is a long answer, sent slowly on purpose, so that you can try what Quarterdeck does while a model is talking. \
Nothing in it is clever, but what you do with it is real.

## Stopping

Ask for a stop now, and nothing is torn apart: this response is allowed to finish, its tool calls would not start, and \
the run ends as *stopped*. That is the polite way. You lose nothing that was paid for, and the conversation can go on \
later from exactly here. If the rest of this text does not interest you, ask a second time while it is stopping.

## Aborting

The second request is an abort, and there is also a key for it alone. An abort does not wait for anybody. The \
connection to the provider is closed at once, so that it stops writing and stops billing. Tools that are running are \
cancelled; a shell command gets a signal to end, together with every process it has started, and is killed if it does \
not go. What had arrived until then stays in the transcript, marked as interrupted, and you get a receipt: which \
request was closed, which processes ended, what may have had effects, and what it cost.

## Pausing, and talking meanwhile

A pause takes effect at the next boundary, which is between two steps and never inside one. You can also type a \
message right now and send it. It is queued, you see that it is, and it is delivered when the next turn starts, not in \
the middle of a sentence.

## Changing the model

The model can be changed while it is talking. Usually the new one takes over with the next request, and the history \
goes along, rewritten in the form that it understands. If you cannot wait, the running attempt is thrown away and the \
new model starts over. What the old one had written until then is still counted, because a real provider would still \
ask you to pay for it.

## Closing the program

Even if you end the program the hard way, what you have read so far is on disk, except perhaps for the last quarter of \
a second. At the next start this run is shown as interrupted, and you may go on with it.

That is all I have to say, and saying it took about three quarters of a minute. If you got here without pressing \
anything, you are a patient person; say anything, and I start over. Ask me to run a command, and I do that instead, \
with the same real tools as demo/pilot.
"""
