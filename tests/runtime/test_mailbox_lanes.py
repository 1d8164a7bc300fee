"""Which message is next, and what happens when there are too many."""

import asyncio

import pytest

from runtime.mailbox import Envelope, Mailbox
from runtime.root import ActorSystem
from runtime.signals import AskTimeoutError, Halt, MailboxFullError, Stop
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from runtime.testing import Journal, Linger, Note, Probe, Recorder, simulate


def test_signals_overtake_messages_and_keep_their_order() -> None:
    mailbox = Mailbox("a", 10)
    first, second = Envelope(1), Envelope(2)
    mailbox.put(first)
    mailbox.put(second)
    mailbox.put_signal(Stop(Halt.HOLD))
    mailbox.put_signal(Stop(Halt.STOP))
    assert mailbox.depths == (2, 2)
    assert [mailbox.take() for _ in range(5)] == [Stop(Halt.HOLD), Stop(Halt.STOP), first, second, None]


def test_a_full_mailbox_refuses_at_once_but_takes_signals() -> None:
    mailbox = Mailbox("a", 2)
    mailbox.put(Envelope(1))
    mailbox.put(Envelope(2))
    with pytest.raises(MailboxFullError) as refused:
        mailbox.put(Envelope(3))
    assert refused.value.code == "actor.mailbox_full"
    assert refused.value.retry_after
    mailbox.put_signal(Stop())
    assert mailbox.take() == Stop()


def test_messages_nobody_waits_for_any_more_make_room() -> None:
    async def main() -> None:
        mailbox = Mailbox("a", 1)
        reply = asyncio.get_running_loop().create_future()
        mailbox.put(Envelope("asked", reply))
        reply.cancel()
        mailbox.put(Envelope("told"))
        assert mailbox.depths == (0, 1)

    simulate(main)


def test_stop_overtakes_what_is_queued() -> None:
    journal = Journal()

    async def main() -> None:
        system = ActorSystem(
            ChildSpec("root", lambda: Supervisor([ChildSpec("a", lambda: Probe("a", journal))])),
            observer=Recorder(),
        )
        await system.start()
        ref = system.registry.find("root/a")
        assert ref is not None
        ref.tell(Linger(1.0))
        ref.tell(Note("never"))
        await asyncio.sleep(0.5)
        await system.stop()

    simulate(main)
    assert journal.lines == ["a:start", "a:stop"]


def test_overflow_is_refused_and_the_actor_goes_on() -> None:
    journal = Journal()

    async def main() -> list[object]:
        spec = ChildSpec("a", lambda: Probe("a", journal), mailbox=8)
        system = ActorSystem(ChildSpec("root", lambda: Supervisor([spec])), observer=Recorder())
        await system.start()
        ref = system.registry.find("root/a")
        assert ref is not None
        ref.tell(Linger(1.0))
        await asyncio.sleep(0.1)
        answers = await asyncio.gather(*(ref.ask(Note(str(n))) for n in range(20)), return_exceptions=True)
        await system.stop()
        return answers

    answers = simulate(main)
    assert answers[:8] == list(range(1, 9))
    assert all(isinstance(answer, MailboxFullError) for answer in answers[8:])


def test_a_message_whose_asker_has_left_is_not_handled() -> None:
    journal = Journal()

    async def main() -> None:
        system = ActorSystem(
            ChildSpec("root", lambda: Supervisor([ChildSpec("a", lambda: Probe("a", journal))])),
            observer=Recorder(),
        )
        await system.start()
        ref = system.registry.find("root/a")
        assert ref is not None
        ref.tell(Linger(2.0))
        with pytest.raises(AskTimeoutError):
            await ref.ask(Note("late"), timeout=1.0)
        assert await ref.ask(Note("in time")) == 1
        await system.stop()

    simulate(main)
    assert "a:late" not in journal.lines


def test_a_busy_actor_lets_others_run() -> None:
    """A thousand messages that never wait must not hold the loop until the last."""

    async def main() -> int:
        journal = Journal()
        system = ActorSystem(
            ChildSpec("root", lambda: Supervisor([ChildSpec("a", lambda: Probe("a", journal))])),
            observer=Recorder(),
        )
        await system.start()
        ref = system.registry.find("root/a")
        assert ref is not None
        for number in range(1000):
            ref.tell(Note(str(number)))
        turns = 0
        while len(journal.lines) < 1001:
            turns += 1
            await asyncio.sleep(0)
        await system.stop()
        return turns

    assert simulate(main) > 10
