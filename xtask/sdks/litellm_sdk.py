"""LiteLLM as a client of every provider."""

import importlib.metadata
import os

# Before it is imported: it would ask GitHub for prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

from ledger import COMPLETION, PROMPT, ROOT, Ledger, last, llm, plain

CHAT = [{"role": "user", "content": "What does the gateway count?"}]
ASKED = {"stream": True, "stream_options": {"include_usage": True}}
NONE = {"cache_read": 0, "reasoning": 0}
# The name that LiteLLM has for a provider's model, its base URL, the provider, its details.
CHATS = [
    ("openai/gpt-4o", "openai/v1", "openai", NONE),
    ("anthropic/claude-sonnet-4-5", "anthropic", "anthropic", {"cache_write": 0, **NONE}),
    ("gemini/gemini-2.5-flash", "gemini/v1beta", "gemini", NONE),
    ("bedrock/converse/amazon.nova-lite-v1:0", "bedrock", "bedrock", {}),
    ("azure/my-gpt-4o", "azure", "azure", NONE),
    ("cohere_chat/command-a-03-2025", "cohere/v2/chat", "cohere", {}),
    ("ollama_chat/llama3.2", "ollama", "ollama", {}),
    ("mistral/mistral-small-latest", "mistral/v1", "mistral", NONE),
]

sdk = Ledger("litellm", importlib.metadata.version("litellm"))


def completions():
    for name, base, provider, details in CHATS:
        options = {"model": name, "messages": CHAT, "api_base": f"{ROOT}/{base}", **KEYS}
        if provider == "azure":
            options["api_version"] = "2024-10-21"
        model = name.rsplit("/", 1)[1]
        # It asks Ollama what the model is, each time.
        more = [plain("models", "POST")] if provider == "ollama" else []

        def counted(it, details=details):
            return it.usage.prompt_tokens, it.usage.completion_tokens, details

        sdk.call(f"completion {name}", lambda: litellm.completion(**options),
                 llm(model, counted, provider=provider), *more)
        # It takes the lines of Cohere's streams for JSON, which server-sent events are not.
        if provider != "cohere":
            sdk.call(f"completion {name}, streamed", lambda: last(litellm.completion(**options, **ASKED)),
                     llm(model, counted, provider=provider, streamed=True), *more)


def others():
    base = {"api_base": f"{ROOT}/openai/v1", **KEYS}
    sdk.call("embedding", lambda: litellm.embedding("openai/text-embedding-3-small", input=["a"], **base),
             llm("text-embedding-3-small", lambda it: (it.usage.prompt_tokens, None), handler="embeddings",
                 provider="openai"))
    sdk.call("responses", lambda: litellm.responses(model="openai/o4-mini", input="Count.", **base),
             llm("o4-mini", lambda it: (it.usage.input_tokens, it.usage.output_tokens, NONE), provider="openai"))
    sdk.call("image_generation", lambda: litellm.image_generation("A counter.", model="openai/gpt-image-1", **base),
             llm("gpt-image-1", lambda _: (PROMPT, COMPLETION), handler="images", provider="openai"))
    sdk.call("moderation", lambda: litellm.moderation("a", model="omni-moderation-latest", **base),
             plain("moderations", "POST"))
    sdk.call("transcription", lambda: litellm.transcription(
        model="openai/gpt-4o-transcribe", file=("a.wav", b"RIFF" + bytes(2000)), **base),
        llm("gpt-4o-transcribe", lambda _: (PROMPT, COMPLETION), handler="audio", provider="openai"))
    sdk.call("speech", lambda: litellm.speech(model="openai/tts-1", voice="alloy", input="Count.", **base),
             llm("tts-1", handler="audio", provider="openai"))
    sdk.call("rerank, Cohere", lambda: litellm.rerank(
        model="cohere/rerank-v3.5", query="a", documents=["b"], api_base=f"{ROOT}/cohere", **KEYS),
        llm("rerank-v3.5", handler="rerank", provider="cohere"))
    sdk.call("rerank, vLLM", lambda: litellm.rerank(
        model="hosted_vllm/jina-reranker-v2", query="a", documents=["b"], api_base=f"{ROOT}/openai/v1", **KEYS),
        llm("jina-reranker-v2", lambda _: (PROMPT, None), handler="rerank", provider="openai"))


KEYS = {"api_key": "none", "max_retries": 0}
litellm.suppress_debug_info = True
os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "us-east-1"}
completions()
others()
sdk.end()
