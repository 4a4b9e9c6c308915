"""What each operation of torch does to the element numbers, found once from its schema and the table of rules."""

from __future__ import annotations

import sys
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import torch

from gradcheck_cli.tracing.table import COMPLEX_RULES, MOVES, RULES, Rule, words


class Kind(Enum):
    """What an operation does to the shadows."""

    VIEW = "view"  # the same memory
    PLAIN = "plain"  # nothing: only the shape of its operand matters, or the operation names a tensor anew
    FORGET = "forget"  # overwrites with numbers that do not depend on the inputs
    DECIDE = "decide"  # integers or booleans that the numbers decide: taken as they came out
    ITEM = "item"  # a number goes to Python
    WRITE = "write"  # in place, or out=
    COPY = "copy"
    RULE = "rule"
    MOVE = "move"
    DECOMPOSE = "decompose"


SHAPE_ONLY = frozenset(
    words(
        """empty_like zeros_like ones_like full_like rand_like randn_like randint_like new_empty new_zeros new_ones
    new_full new_empty_strided size stride numel dim is_same_size sym_size sym_stride sym_numel sym_storage_offset
    _has_compatible_shallow_copy_type squeeze_ unsqueeze_ transpose_ t_ swapdims_ swapaxes_ as_strided_ detach_
    bernoulli requires_grad_ _has_same_storage_numel result_type is_pinned _assert_async empty_permuted
    record_stream"""
    )
)
OVERWRITE = frozenset(
    words("""normal_ uniform_ bernoulli_ exponential_ random_ cauchy_ log_normal_ geometric_ zero_""")
)
DECISIONS = frozenset(
    words(
        """argmax argmin argsort nonzero searchsorted bucketize isnan isinf isfinite signbit isposinf isneginf allclose
    isclose is_nonzero equal any all _is_all_true _is_any_true count_nonzero histc bincount nonzero_static multinomial
    unique_dim _unique2 unique_consecutive isin lstsq_rank linalg_matrix_rank"""
    )
)


class Plan(NamedTuple):
    """may_copy: what is a view where it can be, and a copy elsewhere. of_complex: the rule for complex numbers."""

    kind: Kind
    name: str
    rule: Rule | None = None
    may_copy: bool = False
    of_complex: Rule | None = None


@cache
def plan_of(func: Any) -> Plan:
    """What an operation (an OpOverload) does, found once."""
    name = func._schema.name
    of_complex = COMPLEX_RULES.get(f"{name}.{func._overloadname}") or COMPLEX_RULES.get(name)
    plan = _plan_of(func)
    if of_complex is not None and plan.kind is Kind.DECOMPOSE:
        plan = plan._replace(kind=Kind.RULE)
    return plan._replace(of_complex=of_complex)


def _plan_of(func: Any) -> Plan:
    schema = func._schema
    short = schema.name.split("::")[1]
    name = schema.name
    full = f"{name}.{func._overloadname}"
    written = [argument for argument in schema.arguments if is_written(argument)]
    views = schema.returns and all(r.alias_info is not None for r in schema.returns)
    if short == "_local_scalar_dense":
        return Plan(Kind.ITEM, name)
    if short in SHAPE_ONLY:
        return Plan(Kind.PLAIN, name)
    if views and not written:
        found = RULES.get(full) or RULES.get(name)
        return Plan(Kind.VIEW, name, found, may_copy=found is not None or name in MOVES)
    if short in OVERWRITE:
        return Plan(Kind.FORGET, name)
    if short in ("copy_", "set_data"):
        return Plan(Kind.COPY, name)
    by_out = any(argument.kwarg_only for argument in written)
    if written and (by_out or (full not in RULES and name not in RULES)):
        return Plan(Kind.WRITE, name)
    if (found := RULES.get(full) or RULES.get(name)) is not None:
        return Plan(Kind.RULE, name, found)
    if full in MOVES or name in MOVES:
        return Plan(Kind.MOVE, name)
    if short in DECISIONS:
        return Plan(Kind.DECIDE, name)
    return Plan(Kind.DECOMPOSE, name)


@cache
def functional_of(func: Any) -> Any:
    """The operation without writing, of one in place or with out=; None: there is none."""
    schema = func._schema
    namespace, short = schema.name.split("::")
    outs = [a for a in schema.arguments if a.kwarg_only and is_written(a)]
    base = short if outs else short[:-1] if short.endswith("_") else ""
    packet = getattr(getattr(torch.ops, namespace), base, None) if base else None
    if packet is None:
        return None
    want = [(a.name, str(a.type)) for a in schema.arguments if a not in outs]
    for overload in packet.overloads():
        candidate = getattr(packet, overload)
        arguments = candidate._schema.arguments
        if [(a.name, str(a.type)) for a in arguments] == want and not any(map(is_written, arguments)):
            return candidate
    return None


@cache
def decomposition_of(func: Any, device: str) -> Any:
    """torch's own definition of an operation in terms of others, or the Python body of a custom operation, on a type of
    devices."""
    table = torch._decomp.decomposition_table
    if func in table:
        return table[func]
    if func._can_decompose():
        return func.decompose
    custom = sys.modules.get("torch._library.custom_ops")
    known = custom.OPDEFS.get(func._schema.name) if custom is not None else None
    if known is not None:
        return known._backend_fns.get(device) or known._backend_fns.get(None) or known._init_fn
    return None


def is_written(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write
