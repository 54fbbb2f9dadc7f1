//! Streams of providers, with what asking for usage adds to them in marks.

/// What providers send, each in its own shape.
pub(super) const SHAPES: [(&str, &str); 18] = [
    (
        "OpenAI",
        r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]«,"usage":null»,"obfuscation":"aB3"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"hello, \"usage\":null"},"finish_reason":null}]«,"usage":null»,"obfuscation":"q"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]«,"usage":null»,"obfuscation":""}

«data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":13,"completion_tokens":2,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"obfuscation":"xyz"}

»data: [DONE]

"#,
    ),
    (
        "OpenAI's legacy completions",
        r#"data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"hi","index":0,"finish_reason":null}]«,"usage":null»}

data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"","index":0,"finish_reason":"length"}]«,"usage":null»}

«data: {"id":"cmpl-1","object":"text_completion","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}

»data: [DONE]

"#,
    ),
    (
        "Azure, which begins with what its filters found",
        r#"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]«,"usage":null»}

data: {"choices":[{"content_filter_results":{},"delta":{"content":"hi"},"finish_reason":null,"index":0,"logprobs":null}],"id":"chatcmpl-2","object":"chat.completion.chunk"«,"usage":null»}

data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"id":"chatcmpl-2"«,"usage":null»}

data: {"choices":[{"content_filter_offsets":{"start_offset":0},"finish_reason":null,"index":0}],"id":""«,"usage":null»}

«data: {"choices":[],"id":"chatcmpl-2","object":"chat.completion.chunk","usage":{"completion_tokens":1,"prompt_tokens":9}}

»data: [DONE]

"#,
    ),
    (
        "spaces between all tokens, the member first",
        r#"data: { «"usage" : null , »"id" : "1" , "choices" : [ { "delta" : { "content" : "hi" } , "finish_reason" : null } ] }

data: {"id": "1", "choices": [{"delta": {}, "finish_reason": "stop"}]«, "usage": null»}

«data: {"id": "1", "choices": [ ], "usage": {"prompt_tokens": 7, "completion_tokens": 8}, "system_fingerprint": "fp"}

»data: [DONE]

"#,
    ),
    (
        "lines without a space that end with a carriage return",
        "data:{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]«,\"usage\":null»}\r\r\
         data:{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]«,\"usage\":null»}\r\r\
         «data:{\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\r\r»data:[DONE]\r\r",
    ),
    (
        "events with names, ids and comments between them, each line with CR LF",
        ": OPENROUTER PROCESSING\r\n\r\nevent: chunk\r\nid: 1\r\n\
         data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]«,\"usage\":null»}\r\n\r\n\
         : {\"a\":1,\"usage\":null}\r\n\r\nevent: chunk\r\n\
         data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]«,\"usage\":null»}\r\n\r\n: ping\r\n\r\n\
         «event: chunk\r\nid: 3\r\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\r\n\r\n»\
         data: [DONE]\r\n\r\n",
    ),
    (
        "a mark of byte order, and data in several lines",
        "\u{feff}data: {\"choices\":[{\"delta\":{\"usage\":null},\"finish_reason\":null}],\ndata: \"a\":1«, \"usage\":null»}\n\n\
         data: {\"choices\":\ndata: [{\"finish_reason\":\"stop\"}]«,\"usage\":null»\ndata: }\n\n\
         «data: {\"choices\":[],\nid: 1\ndata:\"usage\":{\"prompt_tokens\":1}\ndata: }\n\n»data: [DONE]\n\n",
    ),
    (
        "Groq, which tells usage in the last chunk as well",
        r#"data: {"id":"1","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"x_groq":{"id":"req","usage":null}}

data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req","usage":{"prompt_tokens":9,"completion_tokens":1}}}

«data: {"id":"1","choices":[],"usage":{"queue_time":0.1,"prompt_tokens":9,"completion_tokens":1},"service_tier":"on_demand"}

»data: [DONE]

"#,
    ),
    (
        "vLLM with continuous usage",
        r#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":1}}

data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}

«data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}

»data: [DONE]

"#,
    ),
    (
        "DeepSeek, which tells usage in the last chunk",
        r#"data: {"choices":[{"index":0,"delta":{"content":"a","reasoning_content":null},"logprobs":null,"finish_reason":null}]«,"usage":null»}

data: {"choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":6,"completion_tokens":1}}

data: [DONE]

"#,
    ),
    (
        "OpenRouter and LiteLLM, whose last chunk has an empty choice",
        r#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}

data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":6,"cost":0.1}}

data: {"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":6}}

data: [DONE]

"#,
    ),
    (
        "Moonshot, which tells usage in the choice",
        r#"data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null,"usage":null}]«,"usage":null»}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":8}}]«,"usage":null»}

«data: {"choices":[],"usage":{"prompt_tokens":8}}

»data: [DONE]

"#,
    ),
    (
        "llama.cpp, whose numbers of its own go with the event",
        r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"a"}}],"id":"1"}

data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"id":"1"}

«data: {"choices":[],"id":"1","usage":{"prompt_tokens":8},"timings":{"prompt_n":1,"prompt_ms":5.4}}

»data: [DONE]

"#,
    ),
    (
        "several choices, of which some go on",
        r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]«,"usage":null»}

data: {"choices":[{"index":1,"delta":{"content":"more"},"finish_reason":null}]«,"usage":null»}

data: {"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]«,"usage":null»}

«data: {"choices":[],"usage":{"prompt_tokens":8}}

»data: {"choices":[],"usage":{"prompt_tokens":8}}

data: [DONE]

"#,
    ),
    (
        "an error in place of usage",
        r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]«,"usage":null»}

data: {"choices":[],"usage":{"prompt_tokens":8},"error":{"message":"overloaded"}}

"#,
    ),
    (
        "usage before any finish reason, and words that look like one",
        r#"data: {"choices":[{"index":0,"delta":{"content":"\"finish_reason\":\"stop\""},"finish_reason":null}]}

data: {"choices":[],"usage":{"prompt_tokens":8}}

data: [DONE]

"#,
    ),
    (
        "no end of the last event, which is whole",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]«,\"usage\":null»}\n\n\
         «data: {\"choices\":[],\"usage\":{\"prompt_tokens\":8}}\n»",
    ),
    (
        "a stream that breaks off",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]«,\"usage\":null»}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tok",
    ),
];
