"""What tests/fuzz/ uses of atheris, which is installed for `make fuzz` alone."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

def instrument_imports(include: Sequence[str] = ...) -> AbstractContextManager[None]: ...
def Mutate(data: bytes, max_size: int) -> bytes: ...
def Setup(
    args: Sequence[str],
    test_one_input: Callable[[bytes], None],
    *,
    custom_mutator: Callable[[bytes, int, int], bytes] = ...,
) -> list[str]: ...
def Fuzz() -> None: ...
