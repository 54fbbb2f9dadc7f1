"""The SDK of Ollama, and the SDK of OpenAI on Ollama's port: synchronous, asynchronous, streamed."""

import asyncio
import importlib.metadata

import ollama

from ledger import ROOT, Ledger, last, llm, plain

HOST, MODEL = f"{ROOT}/ollama", "llama3.2"
CHAT = [{"role": "user", "content": "What does the gateway count?"}]

client = ollama.Client(host=HOST)
sdk = Ledger("ollama", importlib.metadata.version("ollama"))
call = sdk.call


def counted(response):
    return response.prompt_eval_count, response.eval_count


def generations():
    call("chat", lambda: client.chat(model=MODEL, messages=CHAT), llm(MODEL, counted))
    call("chat, streamed", lambda: last(client.chat(model=MODEL, messages=CHAT, stream=True)),
         llm(MODEL, counted, streamed=True))
    call("generate", lambda: client.generate(model=MODEL, prompt="Count."), llm(MODEL, counted))
    call("generate, streamed", lambda: last(client.generate(model=MODEL, prompt="Count.", stream=True)),
         llm(MODEL, counted, streamed=True))
    call("embed", lambda: client.embed(model=MODEL, input=["a", "b"]),
         llm(MODEL, lambda it: (it.prompt_eval_count, None), handler="embeddings"))
    call("embeddings", lambda: client.embeddings(model=MODEL, prompt="a"),
         llm(MODEL, handler="embeddings", missing="not_reported"))


def kept():
    call("list", client.list, plain("list_models"))
    call("show", lambda: client.show(MODEL), plain("models", "POST"))
    call("ps", client.ps, plain("models"))
    call("pull", lambda: client.pull(MODEL), plain("passthrough", "POST"))
    call("copy", lambda: client.copy(MODEL, "copied"), plain("passthrough", "POST"))
    call("delete", lambda: client.delete("copied"), plain("passthrough", "DELETE"))


async def at_once():
    together = ollama.AsyncClient(host=HOST)

    async def streamed():
        stream = await together.chat(model=MODEL, messages=CHAT, stream=True)
        return [chunk async for chunk in stream][-1]

    calls = [
        ("AsyncClient chat, streamed", streamed, llm(MODEL, counted, streamed=True)),
        ("AsyncClient chat", lambda: together.chat(model=MODEL, messages=CHAT), llm(MODEL, counted)),
    ]
    await asyncio.gather(*(sdk.call_async(*each) for each in calls * 10))


generations()
kept()
asyncio.run(at_once())
sdk.end()
