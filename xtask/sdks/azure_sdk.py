"""The SDK of OpenAI on Azure's paths: deployments, and the newer ones without."""

import openai

from ledger import ROOT, Ledger, last, llm, plain

CHAT = [{"role": "user", "content": "What does the gateway count?"}]
ASKED = {"stream": True, "stream_options": {"include_usage": True}}

sdk = Ledger("openai (Azure)", openai.__version__, provider="azure")
call = sdk.call


def counted(usage):
    return usage.prompt_tokens, usage.completion_tokens, {"cache_read": 0, "reasoning": 0}


def deployments():
    client = openai.AzureOpenAI(azure_endpoint=f"{ROOT}/azure", api_key="none", api_version="2024-10-21", max_retries=0)
    # The name of the deployment, which is all that the path says of the model.
    model = "my-gpt-4o"
    call("AzureOpenAI chat.completions.create", lambda: client.chat.completions.create(model=model, messages=CHAT),
         llm(model, lambda it: counted(it.usage)))
    call("AzureOpenAI chat.completions.create, streamed",
         lambda: last(client.chat.completions.create(model=model, messages=CHAT, **ASKED)),
         llm(model, lambda it: counted(it.usage), streamed=True))
    call("AzureOpenAI embeddings.create", lambda: client.embeddings.create(model="my-vectors", input="a"),
         llm("my-vectors", lambda it: (it.usage.prompt_tokens, None), handler="embeddings"))
    call("AzureOpenAI audio.transcriptions.create", lambda: client.audio.transcriptions.create(
        model="my-ears", file=("sound.wav", b"RIFF" + bytes(2000))),
        llm("my-ears", lambda it: (it.usage.input_tokens, it.usage.output_tokens), handler="audio"))
    call("AzureOpenAI images.generate", lambda: client.images.generate(model="my-brush", prompt="A counter."),
         llm("my-brush", lambda it: (it.usage.input_tokens, it.usage.output_tokens), handler="images"))
    call("AzureOpenAI models.list", lambda: list(client.models.list()), plain("list_models"))
    call("AzureOpenAI files.list", lambda: list(client.files.list()), plain("files"))


def without():
    client = openai.OpenAI(base_url=f"{ROOT}/azure/openai/v1", api_key="none", max_retries=0)
    model = "my-gpt-4o"
    call("OpenAI chat.completions.create", lambda: client.chat.completions.create(model=model, messages=CHAT),
         llm(model, lambda it: counted(it.usage)))
    call("OpenAI responses.create", lambda: client.responses.create(model=model, input="Count."),
         llm(model, lambda it: (it.usage.input_tokens, it.usage.output_tokens, {"cache_read": 0, "reasoning": 0})))


deployments()
without()
sdk.end()
