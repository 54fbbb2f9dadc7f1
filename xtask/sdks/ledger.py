"""What a script expects the gateway to have counted of its calls: a line of JSON for each call of an SDK.

The tokens are those that the SDK returned; that they are the simulator's is checked here. A script is called with
the base of the URLs: SCRIPT http://127.0.0.1:12000, with a provider under each name behind it.
"""

import inspect
import json
import sys

ROOT = sys.argv[1]

# What the simulator says of every call without a plan.
PROMPT, COMPLETION = 25, 12


def llm(model, usage=None, handler="llm_chat", streamed=False, missing=None, provider=None):
    """A call to a model. `usage` makes (prompt, completion) or (prompt, completion, details) of what the SDK
    returned; `missing` is why no usage is known of it."""
    return {"handler": handler, "method": "POST", "model": model, "usage": usage, "streamed": streamed,
            "missing": missing, "provider": provider}


def plain(handler, method="GET"):
    """A request that is no call to a model."""
    return {"handler": handler, "method": method}


class Ledger:
    def __init__(self, sdk, version, provider=None):
        self.sdk, self.version, self.provider = sdk, version, provider or sdk
        self.failed = False

    def call(self, name, function, *requests):
        """Calls, and tells of it; what it returns, or None where it failed."""
        result = None
        try:
            result = function()
            self.tell(name, [self.expected(request, result) for request in requests])
        except Exception as error:  # Whatever it is, it is one line, and the others go on.
            self.failed = True
            self.say(name, ok=False, error=f"{type(error).__name__}: {error}", requests=[])
        return result

    async def call_async(self, name, function, *requests):
        """The same of a function that is awaited."""
        try:
            result = await function()
        except Exception as error:
            result = error

        def returned():
            if isinstance(result, Exception):
                raise result
            return result

        return self.call(name, returned, *requests)

    def expected(self, request, result):
        expected = {"handler": request["handler"], "method": request["method"], "status": "2xx"}
        if "model" not in request:
            return expected
        prompt, completion, details = None, None, {}
        if request["usage"]:
            prompt, completion, *rest = request["usage"](result)
            details = rest[0] if rest else {}
            if (prompt, completion) not in ((PROMPT, COMPLETION), (PROMPT, None)):
                raise AssertionError(f"the SDK says {prompt} and {completion} tokens")
        expected["call"] = {
            "provider": request["provider"] or self.provider, "model": request["model"],
            "streamed": request["streamed"], "prompt": prompt, "completion": completion, "details": details,
            "missing": request["missing"],
        }
        return expected

    def tell(self, name, requests):
        self.say(name, ok=True, error=None, requests=requests)

    def say(self, name, **said):
        print(json.dumps({"sdk": self.sdk, "version": self.version, "call": name, **said}), flush=True)

    def end(self):
        sys.exit(self.failed)


def last(stream):
    """The last element of a stream, read to its end."""
    assert not inspect.isawaitable(stream)
    *_, element = stream
    return element
