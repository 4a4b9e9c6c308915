"""The public functions: checks from Python, with the same texts and options as on the command line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, TypeVar, overload

from gradcheck_cli import python_arguments
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.python_arguments import with_its_arguments
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import Heading, Report
from gradcheck_cli.records.request import ProblemSpec, Request
from gradcheck_cli.records.results import ProblemResult
from gradcheck_cli.runtime.one_at_a_time import one_at_a_time

if TYPE_CHECKING:
    from gradcheck_cli.records.array_explanation import ArrayExplanation
    from gradcheck_cli.records.explanation import Explanation

T = TypeVar("T")
Number = SupportsFloat | SupportsIndex
"""Also those of NumPy, torch, SymPy, decimal and fractions."""
PointLike = str | Number | Mapping[str, "str | Number | Iterable[str | Number]"]


@overload
def check(
    expression: str,
    at: PointLike | Iterable[PointLike] = (),
    *,
    wrt: str | Iterable[str] = (),
    let: str | Mapping[str, str] | None = None,
    claim: str | Number | Mapping[str, str | Number] | None = None,
    order: int | None = None,
    mode: str | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
    claim_rtol: Number | None = None,
    strict: bool | None = None,
    samples: int | None = None,
    seed: int | None = None,
    range: str | Sequence[Any] | Mapping[str, Any] = (),
    timeout: Number | None = None,
    derivatives: bool = True,
) -> ProblemResult: ...


@overload
def check(
    expression: str,
    *,
    arrays: Mapping[str, Any],
    shape: str | Mapping[str, Any] = "",
    wrt: str | Iterable[str] = (),
    let: str | Mapping[str, str] | None = None,
    claim: str | Number | Mapping[str, str | Number] | None = None,
    order: int | None = None,
    mode: str | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
    claim_rtol: Number | None = None,
    strict: bool | None = None,
    seed: int | None = None,
    timeout: Number | None = None,
) -> CodeResult: ...


@overload
def check(
    function: Callable[..., Any],
    inputs: Any,
    /,
    *,
    wrt: str | Iterable[str] = (),
    only_requires_grad: bool | None = None,
    names: str | Iterable[str] = (),
    reference: Callable[..., Any] | None = None,
    surrogate: Mapping[Any, Callable[..., Any]] | None = None,
    order: int | None = None,
    mode: str | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
    strict: bool | None = None,
    stress: bool | None = None,
    seed: int | None = None,
    through_detach: bool | None = None,
    cotangents: str | None = None,
    timeout: Number | None = None,
) -> CodeResult: ...


@with_its_arguments
@one_at_a_time
def check(
    expression: str | Callable[..., Any],
    at: Any = (),
    *,
    wrt: str | Iterable[str] = (),
    let: str | Mapping[str, str] | None = None,
    claim: str | Number | Mapping[str, str | Number] | None = None,
    order: int | None = None,
    mode: str | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
    claim_rtol: Number | None = None,
    strict: bool | None = None,
    samples: int | None = None,
    seed: int | None = None,
    range: str | Sequence[Any] | Mapping[str, Any] = (),
    shape: Any = "",
    arrays: Mapping[str, Any] | None = None,
    timeout: Number | None = None,
    derivatives: bool = True,
    names: str | Iterable[str] = (),
    only_requires_grad: bool | None = None,
    reference: Callable[..., Any] | None = None,
    surrogate: Mapping[Any, Callable[..., Any]] | None = None,
    stress: bool | None = None,
    through_detach: bool | None = None,
    cotangents: str | None = None,
) -> ProblemResult | CodeResult:
    """Check the gradient that torch computes for an expression, or for a function of tensors.

    Of an expression: at: a point, or several: a list, an array or a tensor. A point is a number (of the only variable),
    a mapping from variable to number, or a text as for --at ("x=-3:3:101"); lists and arrays inside a mapping are a
    grid, their product. Without points, `samples` random ones (5) are taken from `range` ((-3, 3); or one a variable),
    the same ones for the same `seed`. let: intermediate results by name. claim: a derivative worked out by hand, or
    those by variable. Returns the records: `.passed`, `.verdict`, and a `Check` for each row in `.checks`.

    Of an expression of arrays: arrays: by variable: lists, arrays, tensors, numbers, or texts such as "randn(3)".
    shape: those that are drawn, {"W": (3, 4)}. Returns the record of a function: see below.

    Of a function of tensors, an autograd.Function or a module: `check(function, inputs)`. The inputs are a mapping
    by name, or a tuple. All floating-point inputs and the parameters of a module are differentiated, or those that
    `wrt` names, or (only_requires_grad) those that require grad. dtype, device: what the inputs, and the module, are
    cast to. names: of inputs by position. reference: a function of plain torch operations that computes the same, where
    the function has operations without a rule. surrogate: autograd.Functions that are meant to have the derivative of
    another function -> that function. through_detach: differentiate through detach() and no_grad(). stress: add inputs
    at which backwards tend to be wrong. cotangents: "one-hot", or "random" sums of the outputs, or "auto". order: 1 or
    2. seed: of random numbers in the function. Returns the records: `.passed`, `.verdict`, a `Block` for each output
    and input in `.blocks`, the entries in `.checks`, what is to blame in `.findings`.

    dtype, device: a text, or torch's own. timeout: seconds until it is given up. The other options are those of the
    command line, and None stands for their defaults. Raises GradcheckError, whose text is a sentence for people, for
    input that cannot be read or checked. In several threads, one checks at a time.
    """
    options = {
        "order": order, "mode": mode, "dtype": dtype, "device": device, "rtol": rtol, "atol": atol, "strict": strict,
        "seed": seed, "timeout": timeout,
    }  # fmt: skip
    of_code = {
        "names": names, "only_requires_grad": only_requires_grad, "reference": reference, "surrogate": surrogate,
        "stress": stress, "through_detach": through_detach, "cotangents": cotangents,
    }  # fmt: skip
    if callable(expression):
        of_formulas = {"let": let, "claim": claim, "claim_rtol": claim_rtol, "samples": samples, "range": range}
        of_formulas |= {"arrays": arrays, "shape": shape or None}
        python_arguments.require_none(of_formulas, "an expression", "a function")
        return _check_function(expression, at, wrt, options, of_code)
    python_arguments.require_none(of_code, "a function of tensors", "an expression")
    if arrays is not None or shape:
        python_arguments.require_no_points(at)
        of_numbers = {"samples": samples, "range": range}
        python_arguments.require_none(of_numbers, "an expression of numbers", "arrays")
        from gradcheck_cli.tensors.check import check_arrays

        given = _of_arrays(expression, arrays or {}, shape, wrt, let, claim)
        return given.ask(check_arrays, {**options, "claim_rtol": claim_rtol})
    from gradcheck_cli.checking.checker import check_expression

    given = _Given(expression, at, wrt, let, claim, range)
    given.refuse_arrays("check")
    return given.ask(
        check_expression, {**options, "claim_rtol": claim_rtol, "samples": samples, "derivatives": derivatives}
    )


def _of_arrays(
    expression: str, arrays: Mapping[str, Any], shape: object, wrt: object, let: object, claim: object
) -> _Given:
    given = _Given(expression, (), wrt, let, claim, ())
    given.at, given.shape = python_arguments.arrays(arrays), python_arguments.shapes(shape)
    given.words = python_arguments.ArrayWords
    return given


def _check_function(
    function: Callable[..., Any], inputs: Any, wrt: object, options: Mapping[str, object], of_code: Mapping[str, Any]
) -> CodeResult:
    from gradcheck_cli.user_code.callables import check_callable

    read = python_arguments.code_options({**options, **of_code})
    where = {name: read.pop(name) for name in ("dtype", "device", "stress", "timeout")}
    texts = {"wrt": python_arguments.names(wrt), "names": python_arguments.names(of_code["names"])}
    settings = {name: tuple(text for text, _ in given) or None for name, given in texts.items()}
    functions = {"reference": of_code["reference"], "surrogate": of_code["surrogate"]}
    read["everything"] = not read.pop("only_requires_grad")
    try:
        return check_callable(function, inputs, {**settings, **functions, **read}, **where)
    except GradcheckError as error:
        raise error.in_words(python_arguments.Words(wrt=texts["wrt"])) from None


@overload
def explain(
    expression: str,
    at: PointLike | tuple[()] = (),
    *,
    wrt: str | Iterable[str] = (),
    let: str | Mapping[str, str] | None = None,
    mode: str | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
) -> Explanation: ...


@overload
def explain(
    expression: str,
    *,
    arrays: Mapping[str, Any],
    shape: Any = "",
    wrt: str | Iterable[str] = (),
    let: str | Mapping[str, str] | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
) -> ArrayExplanation: ...


@with_its_arguments
@one_at_a_time
def explain(
    expression: str,
    at: PointLike | tuple[()] = (),
    *,
    wrt: str | Iterable[str] = (),
    let: str | Mapping[str, str] | None = None,
    mode: str | None = None,
    dtype: object = None,
    device: object = None,
    rtol: Number | None = None,
    atol: Number | None = None,
    shape: Any = "",
    arrays: Mapping[str, Any] | None = None,
) -> Explanation | ArrayExplanation:
    """The chain rule of an expression at one point, node by node; the options are those of `check`.

    Without a point, one is drawn. Of an expression of arrays, a node is an operation on arrays.

    Returns the records: `.steps` with values, local derivatives and adjoints beside torch's, `.chains`, and the
    ordinary check in `.result`; of arrays, `.steps` with shapes, adjoints and vector-Jacobian products. Raises
    GradcheckError for input that cannot be read, and for several points.
    """
    options = {"mode": mode, "dtype": dtype, "device": device, "rtol": rtol, "atol": atol, "derivatives": False}
    if arrays is not None or shape:
        python_arguments.require_no_points(at)
        python_arguments.require_none({"mode": mode}, "an expression of numbers", "arrays")
        from gradcheck_cli.tensors.explain import explain_arrays

        return _of_arrays(expression, arrays or {}, shape, wrt, let, None).ask(explain_arrays, options)
    from gradcheck_cli.checking.explained import explain_expression

    given = _Given(expression, at, wrt, let, None, ())
    given.refuse_arrays("explain")
    return given.ask(explain_expression, options)


def run(*files: str | PathLike[str], allow_code: bool = False, **options: object) -> Report:
    """Check the problems of files, of folders, or of FILE::NAME, in this process.

    options: as in a problem file (rtol=1e-6, dtype="float32" ...); they hold for every problem, whatever its file says.
    allow_code: code that they name by `code:` may be imported and run. Returns the report: `.passed`, and a
    `ProblemResult` or `CodeResult` for each problem in `.problems`. A problem that cannot be read is a result with an
    `.error`. Raises GradcheckError for a file or an option that cannot be read. A time limit stops
    Python code only; the command line checks in a process that can be killed.
    """
    from gradcheck_cli.batch.run import run_batch
    from gradcheck_cli.problem_files.find import Once, find
    from gradcheck_cli.problem_files.load import load_problems
    from gradcheck_cli.problem_files.pyproject import read_options
    from gradcheck_cli.text_files import read_source
    from gradcheck_cli.versions import versions

    started = time.perf_counter()
    given = read_options(options, "run()", "run()")
    specs: list[ProblemSpec] = []
    headings: list[Heading] = []
    once = Once()
    for source in (source for file in files for source in find(python_arguments.file(file))):
        if once.is_taken(source):
            continue
        text = read_source(source.file)
        if source.is_of_problems(text):
            problems, heading = load_problems(
                text, source.file, given, {}, folder=os.path.dirname(source.file), allow_code=allow_code
            )
            specs.extend(once.left(source, source.chosen(problems)))
            if heading is not None and heading not in headings:
                headings.append(heading)
    results = tuple(run_batch([replace(spec, index=i) for i, spec in enumerate(specs)], where=None))
    return Report(results, versions(), time.perf_counter() - started, headings=tuple(headings))


class _Given:
    """What both functions take, as texts, with what they were made of."""

    def __init__(self, expression: object, at: object, wrt: object, let: object, claim: object, range: object) -> None:
        self.expression = python_arguments.expression(expression)
        self.at, self.wrt = python_arguments.points(at), python_arguments.names(wrt)
        self.let, self.claim = python_arguments.definitions(let), python_arguments.claims(claim)
        self.range = python_arguments.ranges(range)
        self.shape: python_arguments.Texts = []
        self.words = python_arguments.Words

    def refuse_arrays(self, function: str) -> None:
        """An array in a text is given by a keyword of its own, on which the type of the result rests."""
        from gradcheck_cli.tensors.wanted import is_about_arrays

        if is_about_arrays(Request(self.expression)):
            raise UsageError(f"this text gives arrays of its own, so say that it does: {function}(text, arrays={{}})")
        if is_about_arrays(Request(self.expression, at=tuple(point for point, _ in self.at))):
            raise UsageError(f'arrays are given by arrays, for example {function}("sum(x**2)", arrays={{"x": [1, 2]}})')

    def ask(self, function: Callable[[Request], T], options: Mapping[str, object]) -> T:
        """The function's answer to the request."""
        words = self.words(at=self.at, wrt=self.wrt, let=self.let, claim=self.claim, range=self.range, shape=self.shape)
        request = Request(
            self.expression,
            at=tuple(point for point, _ in self.at),
            wrt=_texts(self.wrt),
            lets=_texts(self.let),
            claims=_texts(self.claim),
            ranges=_texts(self.range),
            shapes=_texts(self.shape),
            words=words,
            **python_arguments.options(options),
        )
        try:
            return function(request)
        except GradcheckError as error:
            raise error.in_words(words) from None


def _texts(pairs: python_arguments.Texts) -> tuple[str, ...]:
    return tuple(text for text, _ in pairs)
