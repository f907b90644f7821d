# SPDX-License-Identifier: Apache-2.0
"""Policies by console: load, start, stop; a person takes over and gives back, and the bag says when."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from std_srvs.srv import SetBool

from kata_data.recording.episode import MarkKind
from kata_msgs.srv import MarkEpisode
from kata_nodes.console.answer import Answer
from kata_nodes.console.session import Session
from kata_policy.running.controller import NO_STATE
from kata_policy.running.runner import Phase

__all__ = ["list_policies", "serve_policy", "tell_policy"]

_Ask = Callable[[str, Any], Awaitable[Answer]]
_READY = 30.0  # longest time for the node to come up [s]
_HEARS_WITHIN = 3.0  # a node that has just come up may not have heard the robot yet [s]
_ENDED = "its node ended; its log says why"
_NEEDS_PERSON = "It was unsure, tried again in vain and needs you; the robot goes to rest. See what differs, then start it anew."


def tell_policy(session: Session) -> None:
    """Tell everyone about the policy."""
    host = session.policies
    session.tell_all(
        "policy", files=host.known, file=host.file, state=session.policy_state, text=session.policy_text, contract=host.contract
    )


def notice_end(session: Session) -> None:
    """Say that the policy's node has ended by itself, its targets with it, or that the policy has given up."""
    if session.policy_state in ("ready", "running", "taken_over") and session.policies.ended:
        session.policy_state, session.policy_text = "failed", _ENDED
        tell_policy(session)
    told = session.graph.policy_phase.read()
    if session.policy_state == "running" and told is not None and told.data == Phase.NEEDS_PERSON:
        session.policy_state, session.policy_text = "ready", _NEEDS_PERSON
        tell_policy(session)


async def list_policies(session: Session) -> None:
    """Look which policies there are, in a thread, and tell everyone if there are others than before."""
    before = session.policies.known
    if await asyncio.to_thread(session.policies.files) != before:
        tell_policy(session)


async def serve_policy(session: Session, message: dict[str, Any], ask: _Ask) -> Answer:
    """Do what a message of type ``policy`` asks for."""
    do = message["do"]
    if do == "list":
        await asyncio.to_thread(session.policies.files)
        answer = Answer(True)
    elif do == "load":
        answer = await _load(session, str(message["file"]))
    elif do == "unload":
        answer = await _unload(session, ask)
    elif do in ("start", "stop", "take_over", "give_back"):
        answer = await _switch(session, do, ask)
    else:
        raise ValueError("do is list, load, unload, start, stop, take_over or give_back")
    tell_policy(session)
    return answer


async def _load(session: Session, file: str) -> Answer:
    if session.policy_state in ("running", "taken_over"):
        return Answer(False, "A policy is at work: stop it first.")
    session.policy_state, session.policy_text = "loading", ""
    tell_policy(session)
    fault = "it could not be loaded; the console's log says why"
    try:
        async with asyncio.timeout(_READY):
            fault = await asyncio.to_thread(session.policies.load, file)
            while not fault and not session.graph.offers("policy/engage"):
                await asyncio.sleep(0.1)
                fault = "" if session.policies.alive else _ENDED
    except TimeoutError:
        fault = f"its node did not come up within {_READY:g} s"
    finally:
        session.policy_state, session.policy_text = ("failed", fault) if fault else ("ready", "")
    return Answer(not fault, fault)


async def _unload(session: Session, ask: _Ask) -> Answer:
    if session.policy_state == "running":
        await ask("policy/engage", SetBool.Request(data=False))
    await asyncio.to_thread(session.policies.unload)
    session.policy_state, session.policy_text = "none", ""
    return Answer(True)


_FROM = {"start": ("ready",), "stop": ("running", "taken_over"), "take_over": ("running",), "give_back": ("taken_over",)}
_TO = {"start": "running", "stop": "ready", "take_over": "taken_over", "give_back": "running"}


async def _switch(session: Session, do: str, ask: _Ask) -> Answer:
    """Let the policy go on or stop; what happens to it in a person's hands is marked in the running episode."""
    before = session.policy_state
    if before not in _FROM[do]:
        return Answer(False, f"The policy is {before.replace('_', ' ')}.")
    goes_on = _TO[do] == "running"
    if goes_on and (session.stopped or session.pressed):
        return Answer(False, "The robot is stopped: reset it first.")
    if goes_on:
        session.teleop.release()
        session.graph.policy_phase.forget()  # what it was at before says nothing of now
        session.policy_text = ""
        session.policy_state = "running"  # from here on no clutch engages
    asked_in = session.policy_state
    answer = await _engage(session, ask, goes_on) if before != "taken_over" or goes_on else Answer(True)
    if session.policy_state != asked_in:
        return Answer(False, "Somebody decided otherwise meanwhile.")
    session.policy_state = _TO[do] if answer.ok else before
    if not answer.ok:
        return answer
    if "taken_over" in (before, session.policy_state) and session.graph.episode is not None and session.graph.episode.state:
        kind = MarkKind.INTERVENTION_BEGIN if do == "take_over" else MarkKind.INTERVENTION_END
        await ask("episode/mark", MarkEpisode.Request(kind=int(kind), label="intervention"))
    return Answer(True)


async def _engage(session: Session, ask: _Ask, on: bool) -> Answer:
    """Let the node begin or end; what it waits for just after its start is waited for here, unless somebody stops it."""
    wanted = session.policy_state
    answer, waited = await ask("policy/engage", SetBool.Request(data=on)), 0.0
    while on and not answer.ok and answer.text == NO_STATE and waited < _HEARS_WITHIN and session.policy_state == wanted:
        await asyncio.sleep(0.1)
        waited += 0.1
        answer = await ask("policy/engage", SetBool.Request(data=on))
    return answer
