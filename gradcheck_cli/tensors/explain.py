"""explain_arrays: the chain rule of a formula of arrays, operation by operation, with torch's adjoints beside it.

An adjoint is the derivative of the result by what a step gives. It is had by adding a variable to the step that is
zero, and checking the derivative by that variable as any other: certified at the very numbers, in the same run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.differentiation.steps import letters
from gradcheck_cli.errors import UsageError
from gradcheck_cli.real_code.asked import MODES, Asked, Options
from gradcheck_cli.real_code.check import check_asked
from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep, Contribution
from gradcheck_cli.records.code import Block, CodeResult, Entry
from gradcheck_cli.records.request import Request
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tensors.adjoints import Applied, products
from gradcheck_cli.tensors.checked import check_question
from gradcheck_cli.tensors.program import Operation, Program, Ref, Span, Step, refs
from gradcheck_cli.tensors.question import Question, read_question

MOST_STEPS = 500
KEPT = 1000
"""Elements of a step up to which the record has all its numbers."""


def explain_arrays(request: Request) -> ArrayExplanation:
    """Raises UsageError and ExpressionError for what cannot be read."""
    question = read_question(request)
    if request.order != 1:
        raise UsageError(Option("order", str(request.order)), ": explain shows formulas of arrays in order 1")
    chain = _Chain(question)
    if len(chain.flowing) > MOST_STEPS:
        raise UsageError(f"explain shows up to {MOST_STEPS} operations, and these are {len(chain.flowing):,}")
    return _explanation(chain, check_question(question))


def with_chain(result: CodeResult, question: Question) -> CodeResult:
    """The result with its chain rule, where explain_arrays would show one."""
    if question.request.order != 1 or result.error is not None:
        return result
    chain = _Chain(question)
    if len(chain.flowing) > MOST_STEPS:
        return result
    return replace(result, chain=_explanation(chain, replace(result, picture=None, claims=())))


def _explanation(chain: _Chain, result: CodeResult) -> ArrayExplanation:
    question = chain.question
    if result.error is not None or not chain.flowing:
        return ArrayExplanation(result, question.name, False, ())
    steps = tuple(chain.steps())
    return ArrayExplanation(result, question.name, question.value.numel() > 1, steps, tuple(_sentences(steps, chain)))


class _Chain:
    """The steps through which derivatives flow, by their index in the program, and what they are called.

    operands: of each of them, those through which they flow on; users: the other way.
    """

    def __init__(self, question: Question) -> None:
        self.question, self.program = question, question.program
        self.root: int = question.result.arg.step
        self.variables = [self.program.inputs[name].step for name in dict.fromkeys(w.variable for w in question.wanted)]
        self.operands: dict[int, list[int]] = {}
        self.users: dict[int, list[int]] = {}
        self.flowing = self._flowing()
        self.names = self._names()

    def _flowing(self) -> list[int]:
        """Variables and operations between them and the result."""
        depends: set[int] = set(self.variables)
        for index, step in enumerate(self.program.steps):
            value = self.program.values[index]
            is_number = isinstance(value, Tensor) and value.is_floating_point()
            if is_number and any(ref.step in depends for ref in refs(step.args)):
                depends.add(index)
        reached: set[int] = set()
        stack = [self.root] if self.root in depends else []
        while stack:
            index = stack.pop()
            if index in reached:
                continue
            reached.add(index)
            found = (ref.step for ref in refs(self.program.steps[index].args))
            self.operands[index] = [operand for operand in dict.fromkeys(found) if operand in depends]
            for operand in self.operands[index]:
                self.users.setdefault(operand, []).append(index)
                stack.append(operand)
        return sorted(reached, key=lambda index: (index not in self.variables, index))

    def _names(self) -> dict[int, str]:
        question = self.question
        names = {ref.step: name for name, ref in self.program.inputs.items()}
        for name, known in question.names.items():
            arg = known if isinstance(known, Ref) else known.arg
            if isinstance(arg, Ref):
                names.setdefault(arg.step, name)
        names.setdefault(self.root, question.name)
        taken = {*names.values(), *question.names, *question.inputs}
        fresh = (name for name in letters() if name not in taken)
        for index in self.flowing:
            if index not in names:
                names[index] = next(fresh)
        return names

    # The adjoints

    def steps(self) -> Iterator[ArrayStep]:
        blocks = {block.input: block for block in self.checked.blocks}
        worst: dict[str, Entry] = {}
        for entry in self.checked.checks:
            worst.setdefault(entry.wrt[0].partition("[")[0], entry)
        made = self._as_torch_runs()
        for index in self.flowing:
            name, value = self.names[index], made[index]
            adjoint = blocks.get(name)
            added = tuple(self._contributions(index, blocks))
            numbers = value.detach().double().reshape(-1).tolist() if value.numel() <= KEPT else None
            yield ArrayStep(
                name, None if index in self.variables else self._formula(index), tuple(value.shape),
                None if numbers is None else tuple(numbers), adjoint, worst.get(name), added, _grad_fn(value),
                index not in self.variables and self._is_blamed(index, blocks),
            )  # fmt: skip

    def _is_blamed(self, index: int, blocks: Mapping[str, Block]) -> bool:
        own = blocks.get(self.names[index])
        if own is not None and not own.passed:
            return False
        into = (self._edge(operand, index) for operand in self.operands[index])
        return any(name in blocks and not blocks[name].passed for name in into)

    def _edge(self, operand: int, user: int) -> str:
        """The name of what one user adds: where it is the only one, the adjoint itself."""
        return self.names[operand] if len(self.users[operand]) == 1 else f"{self.names[operand]} in {self.names[user]}"

    @cached_property
    def checked(self) -> CodeResult:
        """The derivative of the result by each step, and by each use of one that is used several times."""
        program, probes = self._probed()
        result = Ref(len(program.steps) - 1)

        def function(**given: Tensor) -> Tensor:
            return program.run(given, [result])[0]

        function.__name__ = self.question.name
        by = [*(self.names[index] for index in self.variables), *probes]
        request = self.question.request
        asked = Asked(function, (), {**self.question.inputs, **probes}, wrt=by, seed=request.seed)
        options = Options(
            MODES["reverse"], request.rtol, request.atol, request.strict, constant=True, arrays=KEPT * KEPT
        )
        return check_asked(asked, options, explain=False)

    def _probed(self) -> tuple[Program, dict[str, Tensor]]:
        """The program with a zero added to each step, and to each of several uses; the zeros by name."""
        program, probes = Program({}), dict[str, Tensor]()
        device = next(iter(self.question.inputs.values())).device
        moved: dict[int, Ref] = {}

        def added(name: str, to: Ref, value: Tensor) -> Ref:
            probes[name] = torch.full_like(value, -0.0, device=device)  # which leaves a zero its sign
            zero = program.add(Step(None, name=name), value)
            return program.add(Step(torch.add, (to, zero)), value)

        for index, step in enumerate(self.program.steps):
            value = self.program.values[index]
            edges = {
                operand: added(self._edge(operand, index), moved[operand], self.program.values[operand])
                for operand in self.operands.get(index, ())
                if len(self.users[operand]) > 1
            }
            args = tuple(_moved(arg, {**moved, **edges}) for arg in step.args)
            moved[index] = program.add(Step(step.run, args, step.keywords, step.name), value)
            if index in self.operands and index not in self.variables and index != self.root:
                moved[index] = added(self.names[index], moved[index], value)
        total = self.program.values[self.root]
        program.add(Step(torch.sum, (moved[self.root],)), total.sum())
        return program, probes

    def _as_torch_runs(self) -> dict[int, Tensor]:
        """What each step gives, with its graph."""
        inputs = {
            name: value.detach().clone().requires_grad_(value.is_floating_point())
            for name, value in self.question.inputs.items()
        }
        values = self.program.run(inputs, [Ref(index) for index in self.flowing])
        return dict(zip(self.flowing, values, strict=True))

    # The words

    def _contributions(self, index: int, blocks: Mapping[str, Block]) -> Iterator[Contribution]:
        name = self.names[index]
        for user in self.users.get(index, ()):
            block = blocks.get(self._edge(index, user))
            own = blocks.get(self.names[user])
            right = None if block is None or (own is not None and not own.passed) else block.passed
            yield Contribution(name, self.names[user], self._products(user).get(index), right)

    def _products(self, user: int) -> dict[int, str]:
        """The vector-Jacobian products of a step, by the index of the operand."""
        step = self.program.steps[user]
        if step.operation is None:
            return {}
        operation = step.operation
        if operation.name == "index":
            return self._placed(user, operation)
        texts = {key: self._written(arg) for key, arg in operation.arguments.items()}
        values = {key: self._value(arg) for key, arg in operation.arguments.items()}
        of_number = user == self.root and self.program.values[user].numel() == 1
        adjoint = "1" if of_number else self.adjoint(user)
        if user == self.root and not of_number:
            adjoint = f"ones_like({self.names[user]})"
        applied = Applied(operation.name, texts, values, self.program.values[user], adjoint, self.names[user])
        found: dict[int, str] = {}
        for key, text in _by_operand(operation, products(applied), texts):
            text = _bare(_without_one(text))
            if adjoint != "1":
                text = text.replace(f"{adjoint}*", f"{adjoint} * ")
            found[key.step] = f"{found[key.step]} + {text}" if key.step in found else text
        return found

    def adjoint(self, index: int) -> str:
        return f"d{self.question.name}/d{self.names[index]}"

    def _placed(self, user: int, operation: Operation) -> dict[int, str]:
        span = self.program.steps[user].span
        assert span is not None
        place = span.text[span.start : span.end].rpartition("[")[2].rstrip("] ")
        arg = operation.arguments["input"]
        return {arg.step: f"{self.adjoint(user)} at [{place}], 0 elsewhere"} if isinstance(arg, Ref) else {}

    def _written(self, arg: Any) -> str:
        """An argument: the name of a step, or what was typed."""
        if isinstance(arg, list):
            return ", ".join(self._written(one) for one in arg)
        if not isinstance(arg, Ref):
            return str(arg)
        if arg.step in self.names:
            return self.names[arg.step]
        step = self.program.steps[arg.step]
        if step.operation is not None and step.operation.name == "whole":
            return self._written(step.operation.arguments["input"])
        assert step.span is not None  # only inputs have none, which have names
        text = self._meant(step.span, step.span.text[step.span.start : step.span.end].strip())
        return text if re.fullmatch(r"[\w.]+|[\w.]+\([^()]*\)|\[[^\[\]]*\]", text) else f"({text})"

    def _value(self, arg: Any) -> Any:
        if isinstance(arg, list):
            return [self._value(one) for one in arg]
        return self.program.values[arg.step] if isinstance(arg, Ref) else arg

    def _formula(self, index: int) -> str:
        """A step as it was typed, with the names of its operands in their places."""
        step = self.program.steps[index]
        if step.span is None:
            return self.names[index]
        text, start, end, _ = step.span
        parts = []
        spans = [(self.program.steps[k].span, k) for k in self.operands[index] if k not in self.variables]
        inner = sorted(spans, key=lambda pair: (pair[0].start if pair[0] else -1, pair[1]))
        place = start
        for span, k in inner:
            if span is None or span.text is not text or not place <= span.start < span.end <= end:
                continue  # it stands there by its name
            parts += [self._meant(step.span, text[place : span.start]), self.names[k]]
            place = span.end
        written = " ".join("".join([*parts, self._meant(step.span, text[place:end])]).split())
        return re.sub(r"(?<![\w\])])\((\w+)\)", r"\1", written)

    def _meant(self, span: Span, text: str) -> str:
        """A part of the body of a function with what its parameters stand for."""
        texts = {name: self._written(arg) if isinstance(arg, Ref) else arg for name, arg in span.bound.items()}
        if not texts:
            return text
        pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, texts))})(?!\w|\s*\()")
        return pattern.sub(lambda found: texts[found[0]], text)


def _moved(arg: Any, to: Mapping[int, Ref]) -> Any:
    if isinstance(arg, Ref):
        return to[arg.step]
    if isinstance(arg, list):
        return [_moved(one, to) for one in arg]
    return tuple(_moved(one, to) for one in arg) if isinstance(arg, tuple) else arg


def _by_operand(operation: Operation, found: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[tuple[Ref, str]]:
    """Each product with the step that it is for. Of a list of operands, they are by the text of each."""
    for name, arg in operation.arguments.items():
        if isinstance(arg, Ref) and name in found:
            yield arg, found[name]
        elif isinstance(arg, list):
            for one, text in zip(arg, texts[name].split(", "), strict=False):
                if isinstance(one, Ref) and text in found:
                    yield one, found[text]


def _without_one(text: str) -> str:
    """A product without the 1 that is the adjoint of the result."""
    return re.sub(r"^(-?)1\*(?=[^*])", r"\1", text)


def _bare(text: str) -> str:
    """A text without the brackets around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth and index < len(text) - 1:
            return text
    return text[1:-1]


def _grad_fn(value: Tensor) -> str | None:
    return None if value.grad_fn is None else type(value.grad_fn).__name__


def _sentences(steps: Sequence[ArrayStep], chain: _Chain) -> Iterator[str]:
    """Where it goes wrong, and what is not shown."""
    if chain.checked.error is not None:
        yield f"the adjoints of the operations are not known: {chain.checked.error}"
    if chain.question.request.mode != "reverse":
        yield "adjoints are of reverse mode; the check of the formula itself has the mode that was asked for"
    for step in steps:
        if step.blamed:
            yield (
                f"{step.name} = {step.formula}: what arrives there is right, and what {step.grad_fn or 'torch'} "
                "passes on is not"
            )
