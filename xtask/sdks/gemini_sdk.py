"""The SDK of Google for Gemini: synchronous, asynchronous, streamed."""

import asyncio
import io

from google import genai
from google.genai import types

from ledger import PROMPT, ROOT, Ledger, last, llm, plain

MODEL, TEXT = "gemini-2.5-flash", "What does the gateway count?"

client = genai.Client(api_key="none", http_options={"base_url": f"{ROOT}/gemini"})
sdk = Ledger("google-genai", genai.__version__, provider="gemini")
call = sdk.call


def counted(response):
    usage = response.usage_metadata
    return usage.prompt_token_count, usage.candidates_token_count, {
        "cache_read": usage.cached_content_token_count, "reasoning": usage.thoughts_token_count,
    }


def generations():
    models = client.models
    call("models.generate_content", lambda: models.generate_content(model=MODEL, contents=TEXT), llm(MODEL, counted))
    call("models.generate_content_stream",
         lambda: last(models.generate_content_stream(model=MODEL, contents=TEXT)), llm(MODEL, counted, streamed=True))
    call("models.generate_content, full name",
         lambda: models.generate_content(model=f"models/{MODEL}", contents=TEXT), llm(MODEL, counted))
    chat = client.chats.create(model=MODEL)
    call("chats.send_message", lambda: chat.send_message(TEXT), llm(MODEL, counted))
    call("chats.send_message_stream", lambda: last(chat.send_message_stream(TEXT)), llm(MODEL, counted, streamed=True))
    embedding = "gemini-embedding-001"
    call("models.embed_content", lambda: models.embed_content(model=embedding, contents=["a", "b"]),
         llm(embedding, lambda _: (PROMPT, None), handler="embeddings"))
    call("models.count_tokens", lambda: models.count_tokens(model=MODEL, contents=TEXT), plain("count_tokens", "POST"))


def kept():
    call("models.list", lambda: list(client.models.list()), plain("list_models"))
    call("models.get", lambda: client.models.get(model=MODEL), plain("models"))
    files = client.files
    # The bytes go where the answer to the first request says, which is the provider itself.
    call("files.upload", lambda: files.upload(file=io.BytesIO(b"a" * 3000), config={"mime_type": "text/plain"}),
         plain("files", "POST"))
    call("files.list", lambda: list(files.list()), plain("files"))
    call("files.get", lambda: files.get(name="files/simulated"), plain("files"))
    call("files.delete", lambda: files.delete(name="files/simulated"), plain("files", "DELETE"))
    caches, config = client.caches, types.CreateCachedContentConfig(contents=TEXT)
    call("caches.create", lambda: caches.create(model=MODEL, config=config), plain("passthrough", "POST"))
    call("caches.list", lambda: list(caches.list()), plain("passthrough"))
    call("caches.delete", lambda: caches.delete(name="cachedContents/a"), plain("passthrough", "DELETE"))


async def at_once():
    models = client.aio.models

    async def streamed():
        stream = await models.generate_content_stream(model=MODEL, contents=TEXT)
        return [chunk async for chunk in stream][-1]

    calls = [
        ("aio.models.generate_content_stream", streamed, llm(MODEL, counted, streamed=True)),
        ("aio.models.generate_content", lambda: models.generate_content(model=MODEL, contents=TEXT),
         llm(MODEL, counted)),
    ]
    await asyncio.gather(*(sdk.call_async(*each) for each in calls * 10))


generations()
kept()
asyncio.run(at_once())
sdk.end()
