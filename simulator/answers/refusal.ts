/** What the codes are called on the wire (whatsmeow request.go lists them; Baileys shows the text as the error message). */
const TEXTS: Record<number, string> = {
  400: "bad-request",
  401: "not-authorized",
  403: "forbidden",
  404: "item-not-found",
  406: "not-acceptable",
  409: "conflict",
  410: "gone",
  419: "resource-limit",
  429: "rate-overlimit",
};

/** An answer that becomes `<iq type=error><error code text/></iq>`; Baileys rejects the query with it. */
export class Refusal {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }

  get text(): string {
    return TEXTS[this.code] ?? "internal-server-error";
  }
}
