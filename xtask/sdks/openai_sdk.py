"""The SDK of OpenAI: synchronous, asynchronous, streamed, raw."""

import asyncio
import io

import openai

from ledger import COMPLETION, PROMPT, ROOT, Ledger, last, llm, plain

OPTIONS = {"base_url": f"{ROOT}/openai/v1", "api_key": "none", "max_retries": 0}
CHAT = [{"role": "user", "content": "What does the gateway count?"}]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
SOUND = ("sound.wav", b"RIFF" + bytes(2000))
PICTURE = ("picture.png", b"\x89PNG" + bytes(2000))
LINES = ("lines.jsonl", b"{}\n" * 1000)

client = openai.OpenAI(**OPTIONS)
sdk = Ledger("openai", openai.__version__)
call = sdk.call


def chat(usage):
    return usage.prompt_tokens, usage.completion_tokens, {
        "cache_read": usage.prompt_tokens_details.cached_tokens,
        "reasoning": usage.completion_tokens_details.reasoning_tokens,
    }


def responses(usage):
    return usage.input_tokens, usage.output_tokens, {
        "cache_read": usage.input_tokens_details.cached_tokens,
        "reasoning": usage.output_tokens_details.reasoning_tokens,
    }


def media(usage):
    return usage.input_tokens, usage.output_tokens


def generations():
    model, asked = "gpt-4o", {"stream_options": {"include_usage": True}}
    call("chat.completions.create", lambda: client.chat.completions.create(model=model, messages=CHAT),
         llm(model, lambda it: chat(it.usage)))
    call("chat.completions.create, tools",
         lambda: client.chat.completions.create(model=model, messages=CHAT, tools=[TOOL]),
         llm(model, lambda it: chat(it.usage)))
    call("chat.completions.create, streamed",
         lambda: last(client.chat.completions.create(model=model, messages=CHAT, stream=True, **asked)),
         llm(model, lambda it: chat(it.usage), streamed=True))
    call("chat.completions.stream", helper, llm(model, lambda it: chat(it.usage), streamed=True))
    call("chat.completions.parse", lambda: client.chat.completions.parse(model=model, messages=CHAT),
         llm(model, lambda it: chat(it.usage)))
    call("chat.completions.with_raw_response.create",
         lambda: client.chat.completions.with_raw_response.create(model=model, messages=CHAT).parse(),
         llm(model, lambda it: chat(it.usage)))
    model = "gpt-3.5-turbo-instruct"
    call("completions.create", lambda: client.completions.create(model=model, prompt="Count."),
         llm(model, lambda it: chat(it.usage)))
    call("completions.create, streamed",
         lambda: last(client.completions.create(model=model, prompt="Count.", stream=True, **asked)),
         llm(model, lambda it: chat(it.usage), streamed=True))
    model = "o4-mini"
    call("responses.create", lambda: client.responses.create(model=model, input="Count."),
         llm(model, lambda it: responses(it.usage)))
    call("responses.create, streamed",
         lambda: last(client.responses.create(model=model, input="Count.", stream=True)),
         llm(model, lambda it: responses(it.response.usage), streamed=True))
    call("responses.stream", streamed_response, llm(model, lambda it: responses(it.usage), streamed=True))
    call("responses.with_raw_response.create",
         lambda: client.responses.with_raw_response.create(model=model, input="Count.").parse(),
         llm(model, lambda it: responses(it.usage)))
    call("responses.compact", lambda: client.responses.compact(model=model, input="Count."),
         llm(model, lambda it: responses(it.usage)))
    call("responses.parse", lambda: client.responses.parse(model=model, input="Count."),
         llm(model, lambda it: responses(it.usage)))


def helper():
    options = {"model": "gpt-4o", "messages": CHAT, "stream_options": {"include_usage": True}}
    with client.chat.completions.stream(**options) as stream:
        list(stream)
        return stream.get_final_completion()


def streamed_response():
    with client.responses.stream(model="o4-mini", input="Count.") as stream:
        list(stream)
        return stream.get_final_response()


def unasked():
    """The client does not ask for usage: the gateway does, and hides what it asked for."""
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=CHAT, stream=True)
    chunks = list(stream)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    return chunks


def vectors_and_media():
    model = "text-embedding-3-small"
    call("embeddings.create", lambda: client.embeddings.create(model=model, input=["a", "b"]),
         llm(model, lambda it: (it.usage.prompt_tokens, None), handler="embeddings"))
    model = "gpt-image-1"
    images = {"handler": "images"}
    call("images.generate", lambda: client.images.generate(model=model, prompt="A counter."),
         llm(model, lambda it: media(it.usage), **images))
    call("images.generate, streamed",
         lambda: last(client.images.generate(model=model, prompt="A counter.", stream=True, partial_images=1)),
         llm(model, lambda it: media(it.usage), streamed=True, **images))
    call("images.edit", lambda: client.images.edit(model=model, image=PICTURE, prompt="More."),
         llm(model, lambda it: media(it.usage), **images))
    call("images.create_variation", lambda: client.images.create_variation(model="dall-e-2", image=PICTURE),
         llm("dall-e-2", lambda it: media(it.usage), **images))
    model, audio = "gpt-4o-transcribe", {"handler": "audio"}
    call("audio.transcriptions.create",
         lambda: client.audio.transcriptions.create(model=model, file=SOUND),
         llm(model, lambda it: media(it.usage), **audio))
    call("audio.transcriptions.create, streamed",
         lambda: last(client.audio.transcriptions.create(model=model, file=SOUND, stream=True)),
         llm(model, lambda it: media(it.usage), streamed=True, **audio))
    call("audio.translations.create",
         lambda: client.audio.translations.create(model="whisper-1", file=SOUND),
         llm("whisper-1", **audio))
    call("audio.speech.create", spoken, llm("tts-1", **audio))
    call("audio.speech.with_streaming_response.create", downloaded, llm("tts-1", **audio))
    call("moderations.create", lambda: client.moderations.create(model="omni-moderation-latest", input=["a"]),
         plain("moderations", "POST"))


def spoken():
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="Count.")
    assert speech.content.startswith(b"\xff\xfb")
    return speech


def downloaded():
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Count.") as speech:
        assert b"".join(speech.iter_bytes()).startswith(b"\xff\xfb")


def listed():
    call("models.list", lambda: list(client.models.list()), plain("list_models"))
    call("models.retrieve", lambda: client.models.retrieve("gpt-4o"), plain("models"))
    call("responses.retrieve", lambda: client.responses.retrieve("resp_1"), plain("passthrough"))
    call("responses.input_items.list", lambda: list(client.responses.input_items.list("resp_1")), plain("passthrough"))
    call("responses.input_tokens.count", lambda: client.responses.input_tokens.count(model="o4-mini", input="Count."),
         plain("count_tokens", "POST"))
    call("responses.cancel", lambda: client.responses.cancel("resp_1"), plain("passthrough", "POST"))
    call("responses.delete", lambda: client.responses.delete("resp_1"), plain("passthrough", "DELETE"))
    call("chat.completions.list", lambda: list(client.chat.completions.list()), plain("passthrough"))
    call("chat.completions.retrieve", lambda: client.chat.completions.retrieve("chatcmpl-1"), plain("passthrough"))
    call("chat.completions.messages.list", lambda: list(client.chat.completions.messages.list("chatcmpl-1")),
         plain("passthrough"))
    call("chat.completions.update", lambda: client.chat.completions.update("chatcmpl-1", metadata={"a": "b"}),
         plain("passthrough", "POST"))
    call("chat.completions.delete", lambda: client.chat.completions.delete("chatcmpl-1"),
         plain("passthrough", "DELETE"))
    kept = client.conversations
    call("conversations.create", kept.create, plain("passthrough", "POST"))
    call("conversations.retrieve", lambda: kept.retrieve("conv_1"), plain("passthrough"))
    call("conversations.update", lambda: kept.update("conv_1", metadata={"a": "b"}), plain("passthrough", "POST"))
    call("conversations.items.list", lambda: list(kept.items.list("conv_1")), plain("passthrough"))
    call("conversations.items.create", lambda: kept.items.create("conv_1", items=CHAT), plain("passthrough", "POST"))
    call("conversations.items.retrieve", lambda: kept.items.retrieve("msg_1", conversation_id="conv_1"),
         plain("passthrough"))
    call("conversations.items.delete", lambda: kept.items.delete("msg_1", conversation_id="conv_1"),
         plain("passthrough", "DELETE"))
    call("conversations.delete", lambda: kept.delete("conv_1"), plain("passthrough", "DELETE"))


def files():
    call("files.create", lambda: client.files.create(file=LINES, purpose="batch"), plain("files", "POST"))
    call("files.list", lambda: list(client.files.list()), plain("files"))
    call("files.retrieve", lambda: client.files.retrieve("file-1"), plain("files"))
    call("files.content", lambda: client.files.content("file-1").read(), plain("files"))
    call("files.delete", lambda: client.files.delete("file-1"), plain("files", "DELETE"))
    uploads = client.uploads
    call("uploads.create", lambda: uploads.create(bytes=3000, filename="a", mime_type="text/plain", purpose="batch"),
         plain("files", "POST"))
    call("uploads.parts.create", lambda: uploads.parts.create("upload_1", data=LINES), plain("files", "POST"))
    call("uploads.complete", lambda: uploads.complete("upload_1", part_ids=["part_1"]), plain("files", "POST"))
    call("uploads.cancel", lambda: uploads.cancel("upload_1"), plain("files", "POST"))
    chunked = io.BytesIO(LINES[1]).getvalue()
    call("uploads.upload_file_chunked", lambda: uploads.upload_file_chunked(
        file=chunked, filename="a", bytes=len(chunked), mime_type="text/plain", purpose="batch"),
        *[plain("files", "POST")] * 3)
    batches = client.batches
    call("batches.create", lambda: batches.create(
        input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"), plain("batches", "POST"))
    call("batches.list", lambda: list(batches.list()), plain("batches"))
    call("batches.retrieve", lambda: batches.retrieve("batch_1"), plain("batches"))
    call("batches.cancel", lambda: batches.cancel("batch_1"), plain("batches", "POST"))
    stores = client.vector_stores
    call("vector_stores.create", lambda: stores.create(name="a"), plain("passthrough", "POST"))
    call("vector_stores.list", lambda: list(stores.list()), plain("passthrough"))
    call("vector_stores.retrieve", lambda: stores.retrieve("vs_1"), plain("passthrough"))
    call("vector_stores.search", lambda: list(stores.search("vs_1", query="a")), plain("passthrough", "POST"))
    call("vector_stores.files.create", lambda: stores.files.create("vs_1", file_id="file-1"),
         plain("passthrough", "POST"))
    call("vector_stores.files.list", lambda: list(stores.files.list("vs_1")), plain("passthrough"))
    kept = {"vector_store_id": "vs_1"}
    call("vector_stores.files.retrieve", lambda: stores.files.retrieve("file-1", **kept), plain("passthrough"))
    call("vector_stores.files.update", lambda: stores.files.update("file-1", attributes={"a": "b"}, **kept),
         plain("passthrough", "POST"))
    call("vector_stores.files.content", lambda: list(stores.files.content("file-1", **kept)), plain("passthrough"))
    call("vector_stores.files.delete", lambda: stores.files.delete("file-1", **kept), plain("passthrough", "DELETE"))
    call("vector_stores.file_batches.create", lambda: stores.file_batches.create("vs_1", file_ids=["file-1"]),
         plain("passthrough", "POST"))
    call("vector_stores.file_batches.retrieve", lambda: stores.file_batches.retrieve("vsfb_1", **kept),
         plain("passthrough"))
    call("vector_stores.file_batches.list_files", lambda: list(stores.file_batches.list_files("vsfb_1", **kept)),
         plain("passthrough"))
    call("vector_stores.file_batches.cancel", lambda: stores.file_batches.cancel("vsfb_1", **kept),
         plain("passthrough", "POST"))
    call("vector_stores.update", lambda: stores.update("vs_1", name="b"), plain("passthrough", "POST"))
    call("vector_stores.delete", lambda: stores.delete("vs_1"), plain("passthrough", "DELETE"))


async def at_once():
    """Many at the same time, from the asynchronous client."""
    async with openai.AsyncOpenAI(**OPTIONS) as together:
        asked = {"stream": True, "stream_options": {"include_usage": True}}

        async def streamed():
            stream = await together.chat.completions.create(model="gpt-4o", messages=CHAT, **asked)
            return [chunk async for chunk in stream][-1]

        async def whole():
            return await together.chat.completions.create(model="gpt-4o", messages=CHAT)

        async def models():
            return [model async for model in await together.models.list()]

        calls = [
            ("AsyncOpenAI chat.completions.create, streamed", streamed,
             llm("gpt-4o", lambda it: chat(it.usage), streamed=True)),
            ("AsyncOpenAI chat.completions.create", whole, llm("gpt-4o", lambda it: chat(it.usage))),
            ("AsyncOpenAI models.list", models, plain("list_models")),
        ]
        await asyncio.gather(*(sdk.call_async(*each) for each in calls * 10))


generations()
call("chat.completions.create, streamed, without asking for usage", unasked,
     llm("gpt-4o-mini", lambda _: (PROMPT, COMPLETION, {"cache_read": 0, "reasoning": 0}), streamed=True))
vectors_and_media()
listed()
files()
asyncio.run(at_once())
sdk.end()
