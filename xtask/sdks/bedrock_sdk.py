"""The AWS SDK on Bedrock's runtime: signed, and with a bearer token."""

import json
import os

import boto3
import botocore
from botocore.config import Config

from ledger import ROOT, Ledger, last, llm, plain

NOVA, CLAUDE = "amazon.nova-lite-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"
LLAMA, TITAN, VECTORS = "meta.llama3-8b-instruct-v1:0", "amazon.titan-text-lite-v1", "amazon.titan-embed-text-v2:0"
CHAT = [{"role": "user", "content": [{"text": "What does the gateway count?"}]}]

sdk = Ledger("boto3", boto3.__version__, provider="bedrock")


def runtime(**config):
    # A retry would be a request that nobody here counts.
    once = Config(retries={"total_max_attempts": 1}, **config)
    return boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=f"{ROOT}/bedrock", config=once)


def bearer():
    """What AWS_BEARER_TOKEN_BEDROCK sends, which the SDK sends by itself only where the URL is of HTTPS."""
    client = runtime(signature_version=botocore.UNSIGNED)

    def authorize(request, **_):
        request.headers["Authorization"] = "Bearer none"

    client.meta.events.register("before-send.bedrock-runtime", authorize)
    return client


def converse(usage):
    return usage["inputTokens"], usage["outputTokens"]


def invoked(client, model, body, path):
    answer = client.invoke_model(modelId=model, body=json.dumps(body))
    answer = json.loads(answer["body"].read())
    return path(answer)


def pieces(client, model):
    answer = client.invoke_model_with_response_stream(modelId=model, body=json.dumps({"prompt": "Count."}))
    metrics = json.loads(last(answer["body"])["chunk"]["bytes"])["amazon-bedrock-invocationMetrics"]
    return metrics["inputTokenCount"], metrics["outputTokenCount"]


def talk(client, how):
    def call(name, *rest):
        sdk.call(f"{name}, {how}", *rest)

    call("converse", lambda: client.converse(modelId=NOVA, messages=CHAT), llm(NOVA, lambda it: converse(it["usage"])))
    call("converse_stream", lambda: last(client.converse_stream(modelId=NOVA, messages=CHAT)["stream"]),
         llm(NOVA, lambda it: converse(it["metadata"]["usage"]), streamed=True))
    claude = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": [
        {"role": "user", "content": "Count."}]}
    details = {"cache_read": 0, "cache_write": 0, "reasoning": 0}
    call("invoke_model, Claude", lambda: invoked(
        client, CLAUDE, claude, lambda it: (it["usage"]["input_tokens"], it["usage"]["output_tokens"], details)),
        llm(CLAUDE, tuple))
    call("invoke_model, Llama", lambda: invoked(
        client, LLAMA, {"prompt": "Count."}, lambda it: (it["prompt_token_count"], it["generation_token_count"])),
        llm(LLAMA, tuple))
    call("invoke_model, Titan", lambda: invoked(
        client, TITAN, {"inputText": "Count."},
        lambda it: (it["inputTextTokenCount"], it["results"][0]["tokenCount"])), llm(TITAN, tuple))
    call("invoke_model, Titan's embeddings", lambda: invoked(
        client, VECTORS, {"inputText": "Count."}, lambda it: (it["inputTextTokenCount"], None)),
        llm(VECTORS, tuple))
    call("invoke_model_with_response_stream, Llama", lambda: pieces(client, LLAMA), llm(LLAMA, tuple, streamed=True))
    call("invoke_model_with_response_stream, Titan", lambda: pieces(client, TITAN), llm(TITAN, tuple, streamed=True))
    call("count_tokens", lambda: client.count_tokens(modelId=NOVA, input={"converse": {"messages": CHAT}}),
         plain("count_tokens", "POST"))


os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}
talk(runtime(), "signed")
talk(bearer(), "bearer token")
sdk.end()
