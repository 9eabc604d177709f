import { describe, expect, it } from "vitest";
import { closeReason } from "./close-reason.ts";

describe("closeReason", () => {
  it("restarts at once after linking", () => {
    expect(closeReason(515, true)).toEqual({ action: "restart" });
  });

  it("calls 408 a dropped connection of a linked device, and an expired QR of one that is being linked", () => {
    expect(closeReason(408, true)).toMatchObject({ action: "reconnect" });
    expect(closeReason(408, false)).toMatchObject({ action: "stop", reason: "qr_expired" });
  });

  it("takes the link away only where WhatsApp has revoked it", () => {
    const codes = [401, 402, 403, 405, 406, 408, 409, 411, 412, 419, 428, 440, 500, 503, 515, undefined];
    const gone = codes.filter((code) => {
      const reason = closeReason(code, true);
      return reason.action === "stop" && reason.linkIsGone;
    });
    expect(gone).toEqual([401]);
  });

  it("never retries a ban, a restriction or an outdated client", () => {
    for (const code of [403, 405, 411, 463]) expect(closeReason(code, true)).toMatchObject({ action: "stop" });
  });

  it("yields to another connection", () => {
    expect(closeReason(440, true)).toEqual({ action: "yield" });
  });

  it("does not try for ever what may be a refusal", () => {
    for (const code of [402, 406, 409, 412, 419]) expect(closeReason(code, true)).toMatchObject({ isDoubtful: true });
  });

  it("reconnects after what it does not know", () => {
    expect(closeReason(599, true)).toEqual({ action: "reconnect", reason: "closed_599" });
    expect(closeReason(undefined, true)).toMatchObject({ action: "reconnect" });
  });
});
