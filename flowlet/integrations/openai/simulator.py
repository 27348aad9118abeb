"""An OpenAI that can be asked to misbehave. Its answers follow from seed and input alone. Standard library only."""

import base64
import hashlib
import hmac
import json
import math
from typing import Any, ClassVar

from flowlet.integrations.openai.answers import by_schema, gist, in_words, wanted_tools
from flowlet.integrations.simulation.defaults import SECRETS
from flowlet.integrations.simulation.protocol import Call, Delivery, Json, Reply, Simulator, VendorProblem

_MODELS = ("gpt-5", "gpt-5-mini", "text-embedding-3-small", "omni-moderation-latest")
_DIMENSIONS = 256
_CHARS_PER_TOKEN = 4
_BACKGROUND_S = 1.0
_FLAGGED = ("kill", "bomb", "suicide")
_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


class OpenAISimulator(Simulator):
    """Chat, responses (background too), embeddings, moderations, models. All that was sent stands in the books."""

    vendor = "openai"
    routes: ClassVar = {
        "POST /chat/completions": "chat",
        "POST /responses": "respond",
        "GET /responses/{response}": "get_response",
        "POST /embeddings": "embed",
        "POST /moderations": "moderate",
        "GET /models": "list_models",
        "GET /models/{model}": "get_model",
    }

    def reset(self) -> None:
        """Forget everything."""
        self.calls: list[Json] = []
        # What the model says next, word for word; used up one by one, before its own answers.
        self.scripted: list[str] = []
        self.responses: dict[str, Json] = {}

    def books(self) -> Json:
        """Return every request body, which is how a test sees what left the house."""
        return {"calls": self.calls, "responses": self.responses}

    def begin(self, call: Call) -> Reply | None:
        """Check the key."""
        bearer = call.headers.get("authorization", "")
        if self.world.replaying is None and not bearer.startswith("Bearer sk-"):
            return _problem(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
        return None

    def failure(self, status: int) -> Reply:
        """Return OpenAI's words for its own fault, for too many requests, for an unknown address."""
        kind, code = _FAILURES.get(status, ("server_error", None))
        return _problem(status, kind, code, "The server had an error while processing your request.")

    def signed(self, delivery: Delivery, now: int) -> tuple[bytes, dict[str, str]]:
        """Sign `id.time.body` as Standard Webhooks has it; a forged one is signed with another secret."""
        body = json.dumps(delivery.event).encode()
        secret = b"somebody else" if delivery.forged else base64.b64decode(SECRETS["openai"][6:])
        name = f"wh_{delivery.event['id'].removeprefix('evt_')}"
        digest = hmac.new(secret, f"{name}.{now}.".encode() + body, hashlib.sha256).digest()
        return body, {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(now),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def chat(self, call: Call) -> Reply:
        """Answer a chat: by the JSON schema when one is asked for, else in a sentence about the last message."""
        body = self._noted(call)
        schema = _chat_schema(body)
        prompt = [str(message.get("content") or "") for message in body.get("messages", [])]
        text = self._answer(prompt, schema)
        message: Json = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
        return self._reply(
            {
                "id": self.world.new_id("chat", "chatcmpl-"),
                "object": "chat.completion",
                "created": int(self.world.now()),
                "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
                "service_tier": "default",
                "usage": {
                    "prompt_tokens": _tokens(*prompt),
                    "completion_tokens": _tokens(text),
                    "total_tokens": _tokens(*prompt) + _tokens(text),
                },
            }
        )

    def respond(self, call: Call) -> Reply:
        """Answer through the newer interface; with `background` later, and a webhook says when."""
        body = self._noted(call)
        given = body.get("input", "")
        prompt = [str(body.get("instructions") or ""), gist(given)]
        wanted = (body.get("text") or {}).get("format") or {"type": "text"}
        response = self._new_response(body, wanted)
        self.responses[response["id"]] = response
        if (asked := wanted_tools(body.get("tools") or [], given)) and not self.scripted:
            self._ask_for(response, asked, prompt)
            return self._reply(response)
        text = self._answer(prompt, wanted.get("schema") if wanted.get("type") == "json_schema" else None)
        if body.get("background"):
            plan = {"response_id": response["id"], "text": text, "prompt": prompt}
            self.world.plan(_BACKGROUND_S, self.vendor, "complete", plan)
        else:
            self._complete(response, text, prompt)
        return self._reply(response)

    def step_complete(self, response_id: str, text: str, prompt: list[str]) -> None:
        """Finish a response in the background and say so."""
        self._complete(self.responses[response_id], text, prompt)
        event = {
            "id": self.world.new_id("event", "evt_"),
            "object": "event",
            "created_at": int(self.world.now()),
            "type": "response.completed",
            "data": {"id": response_id},
        }
        self.send(Delivery(self.vendor, self.hook_url, "response.completed", event, self.world.now()))

    def get_response(self, _call: Call, response: str) -> Reply:
        """Return one response."""
        if response not in self.responses:
            raise VendorProblem(_problem(404, "invalid_request_error", None, "Response not found."))
        return self._reply(self.responses[response])

    def embed(self, call: Call) -> Reply:
        """Return unit vectors that depend on the words of each text: equal texts are equal, similar ones near."""
        body = self._noted(call)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        size = int(body.get("dimensions", _DIMENSIONS))
        data = [
            {"index": index, "object": "embedding", "embedding": self._vector(str(text), size)}
            for index, text in enumerate(texts)
        ]
        used = sum(_tokens(str(text)) for text in texts)
        usage = {"prompt_tokens": used, "total_tokens": used}
        return self._reply({"object": "list", "model": body["model"], "data": data, "usage": usage})

    def moderate(self, call: Call) -> Reply:
        """Flag texts with one of a few words."""
        body = self._noted(call)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        return self._reply(
            {
                "id": self.world.new_id("moderation", "modr-"),
                "model": body.get("model", "omni-moderation-latest"),
                "results": [_moderation(str(text)) for text in texts],
            }
        )

    def list_models(self, _call: Call) -> Reply:
        """Return the models there are."""
        return self._reply({"object": "list", "data": [_model(name) for name in _MODELS]})

    def get_model(self, _call: Call, model: str) -> Reply:
        """Return one model."""
        if model not in _MODELS:
            raise VendorProblem(_problem(404, "invalid_request_error", "model_not_found", "No such model."))
        return self._reply(_model(model))

    def _noted(self, call: Call) -> Json:
        body = call.json()
        if body.get("model", _MODELS[-1]) not in _MODELS:
            raise VendorProblem(_problem(404, "invalid_request_error", "model_not_found", "No such model."))
        self.calls.append({"path": call.path, "body": body})
        return body

    def _answer(self, prompt: list[str], schema: Json | None) -> str:
        if self.scripted:
            return self.scripted.pop(0)
        if schema is None:
            return in_words(prompt[-1])
        return json.dumps(by_schema(schema, prompt[-1], self.world.digest("answer", *prompt)))

    def _new_response(self, body: Json, wanted: Json) -> Json:
        return {
            "id": self.world.new_id("response", "resp_"),
            "object": "response",
            "created_at": int(self.world.now()),
            "background": bool(body.get("background")),
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": body.get("metadata") or {},
            "model": body["model"],
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "status": "queued" if body.get("background") else "in_progress",
            "store": bool(body.get("store", True)),
            "temperature": 1.0,
            "text": {"format": wanted},
            "tool_choice": "auto",
            "tools": body.get("tools") or [],
            "top_p": 1.0,
            "truncation": "disabled",
        }

    def _ask_for(self, response: Json, tools: list[str], prompt: list[str]) -> None:
        calls = [
            {
                "id": self.world.new_id("output", "fc_"),
                "type": "function_call",
                "call_id": self.world.new_id("call", "call_"),
                "name": name,
                "arguments": "{}",
                "status": "completed",
            }
            for name in tools
        ]
        self._finish(response, calls, "".join(tools), prompt)

    def _complete(self, response: Json, text: str, prompt: list[str]) -> None:
        content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        message = {
            "id": self.world.new_id("output", "msg_"),
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [content],
        }
        self._finish(response, [message], text, prompt)

    def _finish(self, response: Json, output: list[Json], text: str, prompt: list[str]) -> None:
        response.update(
            status="completed",
            output=output,
            usage={
                "input_tokens": _tokens(*prompt),
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": _tokens(text),
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": _tokens(*prompt) + _tokens(text),
            },
        )

    def _vector(self, text: str, size: int) -> list[float]:
        sums = [0.0] * size
        for word in text.casefold().split() or [""]:
            digest = self.world.digest("word", word)
            for place in range(4):
                index = int.from_bytes(digest[4 * place : 4 * place + 3], "big") % size
                sums[index] += 1.0 if digest[4 * place + 3] % 2 else -1.0
        length = math.sqrt(sum(value * value for value in sums)) or 1.0
        return [round(value / length, 6) for value in sums]

    def _reply(self, body: Json) -> Reply:
        copied: Json = json.loads(json.dumps(body))
        return Reply(200, copied, {"x-request-id": self.request_id()})


_FAILURES: dict[int, tuple[str, str | None]] = {
    404: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}


def _chat_schema(body: Json) -> Json | None:
    wanted = body.get("response_format") or {}
    found: Json | None = wanted["json_schema"]["schema"] if wanted.get("type") == "json_schema" else None
    return found


def _moderation(text: str) -> Json:
    bad = any(word in text.casefold() for word in _FLAGGED)
    categories = {name: bad and name == "violence" for name in _CATEGORIES}
    return {
        "flagged": bad,
        "categories": categories,
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
        "category_scores": {name: 0.9 if hit else 0.01 for name, hit in categories.items()},
    }


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "openai"}


def _tokens(*texts: str) -> int:
    return max(1, sum(len(text) for text in texts) // _CHARS_PER_TOKEN)


def _problem(status: int, kind: str, code: str | None, message: str) -> Reply:
    error: dict[str, Any] = {"message": message, "type": kind, "param": None, "code": code}
    return Reply(status, {"error": error}, {"x-request-id": "req_refused"})
