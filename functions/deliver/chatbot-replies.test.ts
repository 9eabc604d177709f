import { expect, test } from "vitest";
import { chatbotReplies } from "./chatbot-replies.ts";

const said = (reply: unknown) => chatbotReplies(JSON.stringify({ reply }));
const file = { type: "image", url: "https://example.com/a.png" };

test.each([
  ["a text", "Halo", [{ type: "text", text: "Halo" }]],
  ["a text with its type", { type: "text", text: "Halo" }, [{ type: "text", text: "Halo" }]],
  ["a file", { ...file, caption: "Ini" }, [{ ...file, caption: "Ini" }]],
  ["several of them", ["Halo", file], [{ type: "text", text: "Halo" }, file]],
  ["nothing, as an empty text", "", []],
  ["nothing, as an empty list", [], []],
  ["nothing, as null", null, []],
])("a chatbot answers with %s", (_what, reply, expected) => {
  expect(said(reply)).toEqual(expected);
});

test("an answer without a body, or without a reply, is no reply", () => {
  expect([chatbotReplies(" "), chatbotReplies("{}")]).toEqual([[], []]);
});

test.each([
  ["a number", 7],
  ["a type that is unknown", { type: "dance", url: file.url }],
  ["a file without a URL", { type: "image" }],
  ["half a character", "\ud83d"],
  ["too many", Array(11).fill("Halo")],
  ["too long a text", "x".repeat(4_097)],
])("an answer of %s is not understood", (_what, reply) => {
  expect(said(reply)).toBeUndefined();
});

test("an answer that is no JSON is not understood", () => {
  expect(chatbotReplies("<html>")).toBeUndefined();
});
