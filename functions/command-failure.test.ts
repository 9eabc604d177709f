import { expect, test } from "vitest";
import { commandFailure } from "./command-failure.ts";

test("a code of the table is the answer's code, with the host's words in the details", () => {
  const failure = commandFailure({ errorCode: "not_on_whatsapp", errorDetail: "628123 has no account" });
  expect(failure.code).toBe("not_on_whatsapp");
  expect(failure.details).toEqual([{ path: "command", message: "628123 has no account" }]);
});

test("there are no details when the host said nothing more", () => {
  expect(commandFailure({ errorCode: "not_connected", errorDetail: null }).details).toBeUndefined();
});

test("any other code is a refusal by WhatsApp, and is told in the details", () => {
  const failure = commandFailure({ errorCode: "ack_463", errorDetail: "reach-out limit" });
  expect(failure.code).toBe("refused_by_whatsapp");
  expect(failure.details).toEqual([{ path: "command", message: "ack_463: reach-out limit" }]);
  expect(commandFailure({ errorCode: null, errorDetail: null }).code).toBe("refused_by_whatsapp");
});
