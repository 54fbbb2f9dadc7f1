"""The SDK of Cohere, in both versions of its API: synchronous, asynchronous, streamed."""

import asyncio

import cohere

from ledger import ROOT, Ledger, last, llm, plain

OPTIONS = {"api_key": "none", "base_url": f"{ROOT}/cohere"}
MODEL = "command-a-03-2025"
ASK = {"model": MODEL, "messages": [{"role": "user", "content": "What does the gateway count?"}]}

sdk = Ledger("cohere", cohere.__version__)
call = sdk.call


def counted(usage):
    return int(usage.tokens.input_tokens), int(usage.tokens.output_tokens)


def billed(meta):
    return int(meta.billed_units.input_tokens), None


def second():
    client = cohere.ClientV2(**OPTIONS)
    call("v2.chat", lambda: client.chat(**ASK), llm(MODEL, lambda it: counted(it.usage)))
    call("v2.chat_stream", lambda: last(client.chat_stream(**ASK)),
         llm(MODEL, lambda it: counted(it.delta.usage), streamed=True))
    model = "embed-v4.0"
    call("v2.embed", lambda: client.embed(
        model=model, texts=["a", "b"], input_type="search_document", embedding_types=["float"]),
        llm(model, lambda it: billed(it.meta), handler="embeddings"))
    model = "rerank-v3.5"
    call("v2.rerank", lambda: client.rerank(model=model, query="a", documents=["b", "c"]),
         llm(model, handler="rerank"))


def first():
    client = cohere.Client(**OPTIONS)
    call("v1.chat", lambda: client.chat(model=MODEL, message="Count."), llm(MODEL, lambda it: counted(it.meta)))
    call("v1.chat_stream", lambda: last(client.chat_stream(model=MODEL, message="Count.")),
         llm(MODEL, lambda it: counted(it.response.meta), streamed=True))
    model = "embed-english-v3.0"
    call("v1.embed", lambda: client.embed(model=model, texts=["a"], input_type="search_document"),
         llm(model, lambda it: billed(it.meta), handler="embeddings"))
    model = "rerank-english-v3.0"
    call("v1.rerank", lambda: client.rerank(model=model, query="a", documents=["b"]), llm(model, handler="rerank"))
    call("v1.tokenize", lambda: client.tokenize(text="Count.", model=MODEL, offline=False),
         plain("count_tokens", "POST"))
    call("v1.detokenize", lambda: client.detokenize(tokens=[1], model=MODEL, offline=False),
         plain("count_tokens", "POST"))
    call("models.list", client.models.list, plain("list_models"))
    call("models.get", lambda: client.models.get(MODEL), plain("models"))


async def at_once():
    async with cohere.AsyncClientV2(**OPTIONS) as client:
        async def streamed():
            return [event async for event in client.chat_stream(**ASK)][-1]

        calls = [
            ("AsyncClientV2 chat_stream", streamed, llm(MODEL, lambda it: counted(it.delta.usage), streamed=True)),
            ("AsyncClientV2 chat", lambda: client.chat(**ASK), llm(MODEL, lambda it: counted(it.usage))),
        ]
        await asyncio.gather(*(sdk.call_async(*each) for each in calls * 10))


second()
first()
asyncio.run(at_once())
sdk.end()
