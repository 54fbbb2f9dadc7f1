"""The SDK of Mistral: synchronous, asynchronous, streamed."""

import asyncio
import importlib.metadata

from mistralai.client import Mistral

from ledger import ROOT, Ledger, last, llm, plain

MODEL, CODE, AGENT = "mistral-small-latest", "codestral-latest", "ag:simulated"
CHAT = [{"role": "user", "content": "What does the gateway count?"}]

client = Mistral(api_key="none", server_url=f"{ROOT}/mistral")
sdk = Ledger("mistralai", importlib.metadata.version("mistralai"), provider="mistral")
call = sdk.call


def counted(usage):
    return usage.prompt_tokens, usage.completion_tokens, {"cache_read": 0, "reasoning": 0}


def streamed(event):
    return counted(event.data.usage)


def generations():
    call("chat.complete", lambda: client.chat.complete(model=MODEL, messages=CHAT),
         llm(MODEL, lambda it: counted(it.usage)))
    call("chat.stream", lambda: last(client.chat.stream(model=MODEL, messages=CHAT)),
         llm(MODEL, streamed, streamed=True))
    call("fim.complete", lambda: client.fim.complete(model=CODE, prompt="def"), llm(CODE, lambda it: counted(it.usage)))
    call("fim.stream", lambda: last(client.fim.stream(model=CODE, prompt="def")), llm(CODE, streamed, streamed=True))
    # The name of an agent is the name of no model: what answers says which one it is.
    call("agents.complete", lambda: client.agents.complete(agent_id=AGENT, messages=CHAT),
         llm(MODEL, lambda it: counted(it.usage)))
    model = "mistral-embed"
    call("embeddings.create", lambda: client.embeddings.create(model=model, inputs=["a", "b"]),
         llm(model, lambda it: (it.usage.prompt_tokens, None), handler="embeddings"))
    model = "mistral-ocr-latest"
    page = {"type": "document_url", "document_url": "https://simulated.invalid/a.pdf"}
    call("ocr.process", lambda: client.ocr.process(model=model, document=page), plain("passthrough", "POST"))
    model = "mistral-moderation-latest"
    call("classifiers.moderate", lambda: client.classifiers.moderate(model=model, inputs=["a"]),
         plain("moderations", "POST"))
    call("classifiers.moderate_chat", lambda: client.classifiers.moderate_chat(model=model, inputs=CHAT),
         plain("moderations", "POST"))
    model = "voxtral-mini-latest"
    sound = {"file_name": "sound.wav", "content": b"RIFF" + bytes(2000)}
    call("audio.transcriptions.complete", lambda: client.audio.transcriptions.complete(model=model, file=sound),
         llm(model, lambda it: counted(it.usage), handler="audio"))


def kept():
    call("models.list", client.models.list, plain("list_models"))
    call("models.retrieve", lambda: client.models.retrieve(model_id=MODEL), plain("models"))
    files = client.files
    lines = {"file_name": "lines.jsonl", "content": b"{}\n" * 1000}
    call("files.upload", lambda: files.upload(file=lines), plain("files", "POST"))
    call("files.list", files.list, plain("files"))
    call("files.retrieve", lambda: files.retrieve(file_id="file-1"), plain("files"))
    call("files.download", lambda: files.download(file_id="file-1").read(), plain("files"))
    call("files.delete", lambda: files.delete(file_id="file-1"), plain("files", "DELETE"))


async def at_once():
    async def events():
        stream = await client.chat.stream_async(model=MODEL, messages=CHAT)
        return [event async for event in stream][-1]

    calls = [
        ("chat.stream_async", events, llm(MODEL, streamed, streamed=True)),
        ("chat.complete_async", lambda: client.chat.complete_async(model=MODEL, messages=CHAT),
         llm(MODEL, lambda it: counted(it.usage))),
    ]
    await asyncio.gather(*(sdk.call_async(*each) for each in calls * 10))


generations()
kept()
asyncio.run(at_once())
sdk.end()
