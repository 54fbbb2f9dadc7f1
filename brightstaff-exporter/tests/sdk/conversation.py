"""Talks through the gateway with the real SDKs, and checks that the metrics are exact.

    conversation.py GATEWAY_URL METRICS_URL

What is expected is counted from what the SDKs returned, never from what the gateway says.
"""

import asyncio
import collections
import re
import sys
import time
import urllib.request

import anthropic
import openai

GATEWAY, METRICS = sys.argv[1:3]
PREFIX = "brightstaff_"
QUESTION = "What does the gateway count?"
CHAT = [{"role": "user", "content": QUESTION}]
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": {"type": "object"}}

# A retry would be a request that nobody here counts.
OPENAI = {"base_url": f"{GATEWAY}/v1", "api_key": "none", "max_retries": 0}
ANTHROPIC = {"base_url": GATEWAY, "api_key": "none", "max_retries": 0}

expected = collections.Counter()


def count(family, by=1, **labels):
    expected[PREFIX + family, tuple(sorted(labels.items()))] += by


def request(handler="llm_chat", status="2xx", method="POST"):
    count("http_requests_total", handler=handler, method=method, status_class=status)
    count("http_request_duration_seconds_count", handler=handler)
    count("http_time_to_headers_seconds_count", handler=handler)


def answered(pair, prompt, completion, details=(), streamed=False):
    """One call that went well, with the tokens that the SDK was told; None where it was told none."""
    provider, model = pair.split("/")
    pair = {"provider": provider, "model": model}
    count("llm_upstream_requests_total", status_class="2xx", error_class="none", **pair)
    count("llm_upstream_duration_seconds_count", outcome="ok", **pair)
    if streamed:
        count("llm_time_to_first_byte_seconds_count", **pair)
        count("llm_time_to_first_token_seconds_count", **pair)
        count("llm_time_per_output_token_seconds_count", (completion or 0) > 1, **pair)
    if prompt is None:
        count("llm_tokens_usage_missing_total", reason="not_reported", **pair)
    for kind, tokens in (("prompt", prompt), ("completion", completion)):
        if tokens is not None:
            count("llm_tokens_total", tokens, kind=kind, **pair)
            count("llm_request_tokens_count", kind=kind, **pair)
            count("llm_request_tokens_sum", tokens, kind=kind, **pair)
    for kind, tokens in details:
        count("llm_token_details_total", tokens, kind=kind, **pair)


def chat_usage(usage):
    return usage.prompt_tokens, usage.completion_tokens, [
        ("cache_read", usage.prompt_tokens_details.cached_tokens),
        ("reasoning", usage.completion_tokens_details.reasoning_tokens),
    ]


def responses_usage(usage):
    return usage.input_tokens, usage.output_tokens, [
        ("cache_read", usage.input_tokens_details.cached_tokens),
        ("reasoning", usage.output_tokens_details.reasoning_tokens),
    ]


def messages_usage(usage):
    cached = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    return usage.input_tokens + sum(cached), usage.output_tokens, [
        ("cache_read", cached[0]),
        ("cache_write", cached[1]),
    ]


def talk_to_openai():
    client, model = openai.OpenAI(**OPENAI), "openai/gpt-4o"

    whole = client.chat.completions.create(model=model, messages=CHAT)
    assert whole.choices[0].message.content and whole.choices[0].finish_reason == "stop"
    request()
    answered(model, *chat_usage(whole.usage))

    whole = client.chat.completions.create(model=model, messages=CHAT, tools=[OPENAI_TOOL])
    assert whole.choices[0].message.tool_calls[0].function.name == "get_weather"
    request()
    answered(model, *chat_usage(whole.usage))

    for options in ({}, {"tools": [OPENAI_TOOL]}):
        chunks = list(client.chat.completions.create(
            model=model, messages=CHAT, stream=True, stream_options={"include_usage": True}, **options))
        assert chunks[-2].choices[0].finish_reason in ("stop", "tool_calls")
        request()
        answered(model, *chat_usage(chunks[-1].usage), streamed=True)

    model = "openai/gpt-4o-mini"
    whole = client.chat.completions.create(model=model, messages=CHAT)
    request()
    answered(model, *chat_usage(whole.usage))
    # The gateway asks for the usage of a stream, and hides it; who declines it is not counted.
    for options, usage in (
        ({}, chat_usage(whole.usage)),
        ({"stream_options": {"include_usage": False}}, (None, None)),
    ):
        chunks = list(client.chat.completions.create(model=model, messages=CHAT, stream=True, **options))
        assert all(chunk.choices and "usage" not in chunk.model_fields_set for chunk in chunks)
        assert chunks[-1].choices[0].finish_reason == "stop"
        request()
        answered(model, *usage, streamed=True)

    whole = client.completions.create(model=model, prompt=QUESTION)
    assert whole.choices[0].text
    request()
    answered(model, *chat_usage(whole.usage))
    chunks = list(client.completions.create(
        model=model, prompt=QUESTION, stream=True, stream_options={"include_usage": True}))
    request()
    answered(model, *chat_usage(chunks[-1].usage), streamed=True)
    usage = chunks[-1].usage
    chunks = list(client.completions.create(model=model, prompt=QUESTION, stream=True))
    assert all(chunk.choices and "usage" not in chunk.model_fields_set for chunk in chunks)
    request()
    answered(model, *chat_usage(usage), streamed=True)

    model = "openai/o4-mini"
    whole = client.responses.create(model=model, input=QUESTION)
    assert whole.output_text
    request()
    answered(model, *responses_usage(whole.usage))
    events = list(client.responses.create(model=model, input=QUESTION, stream=True))
    assert events[-1].type == "response.completed" and events[-1].response.output_text
    request()
    answered(model, *responses_usage(events[-1].response.usage), streamed=True)

    model = "openai/text-embedding-3-small"
    embeddings = client.embeddings.create(model=model, input=[QUESTION, QUESTION])
    assert len(embeddings.data) == 2 and len(embeddings.data[1].embedding) == 4
    request("embeddings")
    answered(model, embeddings.usage.prompt_tokens, None)

    assert list(client.models.list()) is not None
    request("list_models", method="GET")
    try:
        client.chat.completions.create(model="nowhere/nothing", messages=CHAT)
        raise AssertionError("an unknown model was answered")
    except openai.BadRequestError as error:
        assert error.code == "model_not_found", error
    request(status="4xx")


def talk_to_anthropic():
    client, model = anthropic.Anthropic(**ANTHROPIC), "anthropic/claude-sonnet-4-5"
    ask = {"model": model, "messages": CHAT, "max_tokens": 100}

    whole = client.messages.create(**ask)
    assert whole.content[0].text and whole.stop_reason == "end_turn"
    request()
    answered(model, *messages_usage(whole.usage))

    with client.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream)
        whole = stream.get_final_message()
    request()
    answered(model, *messages_usage(whole.usage), streamed=True)

    with client.messages.stream(**ask, tools=[ANTHROPIC_TOOL]) as stream:
        whole = stream.get_final_message()
    assert whole.stop_reason == "tool_use" and "city" in whole.content[0].input
    request()
    answered(model, *messages_usage(whole.usage), streamed=True)

    model = ask["model"] = "anthropic/claude-haiku-4-5"
    events = list(client.messages.create(**ask, stream=True))
    assert events[0].type == "message_start" and events[-1].type == "message_stop"
    start, last = events[0].message.usage, events[-2].usage
    start.output_tokens = last.output_tokens
    request()
    answered(model, *messages_usage(start), streamed=True)


async def talk_at_once():
    """Many streams at the same time, from the asynchronous clients."""
    openais, anthropics = openai.AsyncOpenAI(**OPENAI), anthropic.AsyncAnthropic(**ANTHROPIC)

    async def chat():
        model = "openai/gpt-4o"
        stream = await openais.chat.completions.create(
            model=model, messages=CHAT, stream=True, stream_options={"include_usage": True})
        chunks = [chunk async for chunk in stream]
        request()
        answered(model, *chat_usage(chunks[-1].usage), streamed=True)

    async def messages():
        model = "anthropic/claude-sonnet-4-5"
        async with anthropics.messages.stream(model=model, messages=CHAT, max_tokens=100) as stream:
            whole = await stream.get_final_message()
        request()
        answered(model, *messages_usage(whole.usage), streamed=True)

    await asyncio.gather(*(talk() for talk in [chat, messages] * 10))


def scrape():
    """Every sample of the gateway's own, by name and labels."""
    text = urllib.request.urlopen(METRICS).read().decode()
    samples = {}
    for line in text.splitlines():
        if line.startswith(PREFIX):
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            labels = re.findall(r'(\w+)="([^"]*)"', labels or "")
            samples[name, tuple(sorted(labels))] = float(value)
    return samples


def at_rest():
    """The first scrape with nothing in flight that the next one repeats."""
    last, deadline = None, time.monotonic() + 10
    while time.monotonic() < deadline:
        samples = scrape()
        busy = any(value for (name, _), value in samples.items() if name == PREFIX + "http_in_flight_requests")
        if not busy and samples == last:
            break
        last = samples
        time.sleep(0.05)
    return samples


def differences(samples):
    """What is not as expected; a series that is not expected must have counted nothing."""
    unknown_sums = re.compile(r".*_bucket|.*_seconds_sum|.*_build_info")
    for series in sorted(set(expected) | set(samples)):
        name, labels = series
        if not unknown_sums.fullmatch(name) and expected[series] != samples.get(series, 0):
            yield f"{name}{dict(labels)}: expected {expected[series]}, measured {samples.get(series)}"


talk_to_openai()
talk_to_anthropic()
asyncio.run(talk_at_once())
different = list(differences(at_rest()))
print(f"openai {openai.__version__}, anthropic {anthropic.__version__}: {len(expected)} series expected")
sys.exit("\n".join(different) or 0)
