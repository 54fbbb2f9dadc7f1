"""The SDK of Anthropic: synchronous, asynchronous, streamed, raw."""

import asyncio

import anthropic

from ledger import ROOT, Ledger, llm, plain

OPTIONS = {"base_url": f"{ROOT}/anthropic", "api_key": "none", "max_retries": 0}
MODEL = "claude-sonnet-4-5"
CHAT = [{"role": "user", "content": "What does the gateway count?"}]
ASK = {"model": MODEL, "messages": CHAT, "max_tokens": 100}
TOOL = {"name": "get_weather", "input_schema": {"type": "object"}}
FILE = ("notes.txt", b"What does the gateway count?" * 100, "text/plain")

client = anthropic.Anthropic(**OPTIONS)
sdk = Ledger("anthropic", anthropic.__version__)
call = sdk.call


def counted(usage, output=None):
    cached = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    return usage.input_tokens + sum(cached), output or usage.output_tokens, {
        "cache_read": cached[0], "cache_write": cached[1], "reasoning": 0,
    }


def helper(**more):
    with client.messages.stream(**ASK, **more) as stream:
        list(stream)
        return stream.get_final_message()


def events():
    """The usage is in the first event and in the last but one."""
    all_events = list(client.messages.create(**ASK, stream=True))
    assert all_events[-1].type == "message_stop"
    return all_events[0].message.usage, all_events[-2].usage.output_tokens


def generations():
    call("messages.create", lambda: client.messages.create(**ASK), llm(MODEL, lambda it: counted(it.usage)))
    call("messages.create, tools", lambda: client.messages.create(**ASK, tools=[TOOL]),
         llm(MODEL, lambda it: counted(it.usage)))
    call("messages.create, streamed", events, llm(MODEL, lambda it: counted(*it), streamed=True))
    call("messages.stream", helper, llm(MODEL, lambda it: counted(it.usage), streamed=True))
    call("messages.stream, tools", lambda: helper(tools=[TOOL]),
         llm(MODEL, lambda it: counted(it.usage), streamed=True))
    call("messages.with_raw_response.create", lambda: client.messages.with_raw_response.create(**ASK).parse(),
         llm(MODEL, lambda it: counted(it.usage)))
    call("beta.messages.create", lambda: client.beta.messages.create(**ASK, betas=["files-api-2025-04-14"]),
         llm(MODEL, lambda it: counted(it.usage)))
    call("messages.count_tokens", lambda: client.messages.count_tokens(model=MODEL, messages=CHAT),
         plain("count_tokens", "POST"))


def kept():
    call("models.list", lambda: list(client.models.list()), plain("list_models"))
    call("models.retrieve", lambda: client.models.retrieve(MODEL), plain("models"))
    batches, one = client.messages.batches, {"custom_id": "a", "params": ASK}
    call("messages.batches.create", lambda: batches.create(requests=[one]), plain("batches", "POST"))
    call("messages.batches.list", lambda: list(batches.list()), plain("batches"))
    call("messages.batches.retrieve", lambda: batches.retrieve("msgbatch_1"), plain("batches"))
    call("messages.batches.cancel", lambda: batches.cancel("msgbatch_1"), plain("batches", "POST"))
    # Asks where the results are, and goes there.
    call("messages.batches.results", lambda: list(batches.results("msgbatch_1")), plain("batches"), plain("batches"))
    call("messages.batches.delete", lambda: batches.delete("msgbatch_1"), plain("batches", "DELETE"))
    files = client.beta.files
    call("beta.files.upload", lambda: files.upload(file=FILE), plain("files", "POST"))
    call("beta.files.list", lambda: list(files.list()), plain("files"))
    call("beta.files.retrieve_metadata", lambda: files.retrieve_metadata("file_1"), plain("files"))
    call("beta.files.download", lambda: files.download("file_1").read(), plain("files"))
    call("beta.files.delete", lambda: files.delete("file_1"), plain("files", "DELETE"))


def through_bedrock():
    model = "anthropic.claude-3-haiku-20240307-v1:0"
    bedrock = anthropic.AnthropicBedrock(base_url=f"{ROOT}/bedrock", aws_region="us-east-1", aws_access_key="none",
                                         aws_secret_key="none", max_retries=0)
    ask = {"model": model, "messages": CHAT, "max_tokens": 100}

    def streamed():
        with bedrock.messages.stream(**ask) as stream:
            return stream.get_final_message()

    call("AnthropicBedrock messages.create", lambda: bedrock.messages.create(**ask),
         llm(model, lambda it: counted(it.usage), provider="bedrock"))
    call("AnthropicBedrock messages.stream", streamed,
         llm(model, lambda it: counted(it.usage), provider="bedrock", streamed=True))


async def at_once():
    async with anthropic.AsyncAnthropic(**OPTIONS) as together:
        async def streamed():
            async with together.messages.stream(**ASK) as stream:
                return await stream.get_final_message()

        calls = [
            ("AsyncAnthropic messages.stream", streamed, llm(MODEL, lambda it: counted(it.usage), streamed=True)),
            ("AsyncAnthropic messages.create", lambda: together.messages.create(**ASK),
             llm(MODEL, lambda it: counted(it.usage))),
        ]
        await asyncio.gather(*(sdk.call_async(*each) for each in calls * 10))


generations()
kept()
through_bedrock()
asyncio.run(at_once())
sdk.end()
