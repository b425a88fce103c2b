"""Recursive loops: how often a function was invoked in the chain that one event set off.

Messages, published copies and asynchronous events carry the chain of the invocation that sent
them, as AWS's SDKs carry it in a tracing header. May import: the standard library,
`simulations.facts` and `.simulation`.
"""

from __future__ import annotations

from typing import Any

from simulations.facts import fact

#: (code of the function, how often it was invoked so far, what came before): None for nothing.
Chain = Any


def most_in_a_chain() -> int:
    """How often a function may be invoked in one chain; the next invocation is stopped.

    Source: fact `lambda.async.recursion`; AWS says "approximately".

    Examples
    --------
    >>> most_in_a_chain()
    16
    """
    return int(fact("lambda.async.recursion").value)


def longer(chain: Chain, function: int) -> Chain:
    """Return `chain` with one more invocation of the function with this code.

    Examples
    --------
    >>> once = longer(None, function=7)
    >>> longer(longer(once, function=8), function=7)[:2]
    (7, 2)
    """
    link = chain
    while link is not None:
        if link[0] == function:
            return function, link[1] + 1, chain
        link = link[2]
    return function, 1, chain
