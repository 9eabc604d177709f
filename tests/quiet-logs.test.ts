import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { allOutput, freshStack, temporaryDirectory } from "./support/stack.ts";

describe("the output of all processes", () => {
  it(
    "holds no key, no token and no message text after a run with links, messages, drops and failures",
    { timeout: 90_000 },
    async () => {
      const dataDir = await temporaryDirectory();
      const stack = await freshStack({ dataDir, environment: { LOG_LEVEL: "trace" } });
      const gateway = new Gateway(stack);
      const owner = await Phone.create(stack, "6281100000051");
      const friend = await Phone.create(stack, "6281100000052");
      await gateway.link("quiet", owner);
      const out = await gateway.send("quiet", friend.number, "rahasia-keluar-8842");
      await friend.received(out.body.data.messageId);
      const received = async (id: string) =>
        eventually(`${id} is an event`, 15_000, async () =>
          (await gateway.events("quiet")).find((event) => event.data["messageId"] === id),
        );
      await received(await friend.text(owner, "rahasia-masuk-8842"));
      await owner.fault("corrupt-message", { count: 1 });
      await received(await friend.text(owner, "rahasia-rusak-8842"));
      await owner.fault("drop", { count: 1 });
      await gateway.send("quiet", "6281199999998", "rahasia-nomor-8842");
      await gateway.call(
        "POST",
        "/devices/quiet/send-message",
        '{"to": "6281100000052", "message": "rahasia-json-8842"',
      );
      await gateway.connected("quiet", 20_000);
      await owner.unlink();
      await eventually(
        "logged out",
        5_000,
        async () => (await gateway.status("quiet")).body.data.status === "logged_out",
      );

      const secrets = Object.values(
        JSON.parse(await readFile(join(dataDir, "secrets.json"), "utf8")) as object,
      ).flatMap((value: unknown) => (typeof value === "object" && value ? Object.values(value) : [value]));
      const output = await allOutput(dataDir);
      expect(output).toContain("connected");
      expect(output).not.toMatch(/rahasia-/);
      expect(output).not.toMatch(/privKey|privateKey|"private"|noiseKey|advSecretKey|signedIdentityKey|rootKey/i);
      expect(output).not.toContain(stack.token);
      for (const secret of secrets.map(String).filter((value) => value.length >= 16))
        expect(output).not.toContain(secret);
    },
  );
});
